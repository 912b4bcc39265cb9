"""The words that the agents are given: one Markdown file a prompt, and nothing but words in it."""

import re
from pathlib import Path

_VARIABLE = re.compile(r"\{\{ (\w+) \}\}")


def prompt(name: str, **values: str) -> str:
    """Fill the variables of `prompts/<name>.md`.

    A value is put in as it is and never looked through for variables of its own, so that text
    from outside can't reach into a prompt.

    Args:
        name: File name without `.md`.
        values: One for each `{{ variable }}` of the file.

    Raises:
        KeyError: The file has a variable without a value, or a value has no variable.
        FileNotFoundError: There is no such prompt.

    """
    text = _text(name)
    wanted = set(_VARIABLE.findall(text))
    if missing := wanted - values.keys():
        raise KeyError(f"prompts/{name}.md: no value for {', '.join(sorted(missing))}")
    if unused := values.keys() - wanted:
        raise KeyError(f"prompts/{name}.md: no variable {', '.join(sorted(unused))}")
    return _VARIABLE.sub(lambda found: values[found[1]], text).strip()


def _text(name: str) -> str:
    """Read the prompt inside of the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    for folder in (package / "prompts", package.parent / "prompts"):
        path = folder / f"{name}.md"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"There is no prompt {name!r}")
