"""Whether words with a slash name a file of the repository."""

import re

_FOLDERS = frozenset(
    (
        "src source lib libs app apps api bin cmd pkg internal core test tests spec specs doc docs "
        "plan scripts tools examples packages modules crates backend frontend server client web "
        "public assets config configs completions prompts agents services components"
    ).split()
)
_FILES = frozenset("Makefile Dockerfile Justfile LICENSE NOTICE Procfile Gemfile Rakefile".split())
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
_HOMES = tuple(f"/{name}/" for name in "home Users root workspace".split())
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:com|org|io|dev|net|in)/")
_MOST_WORDS = 2


def is_words(path: str) -> bool:
    """Return whether a slash only stands between words: `CI/CD`, `Request/Response`."""
    parts = path.split("/")
    if len(parts) < _MOST_WORDS or parts[0] in _FOLDERS or parts[-1] in _FILES:
        return False
    is_long = len(parts) > _MOST_WORDS and any("-" in part for part in parts)
    return not is_long and all(_WORD.fullmatch(part) for part in parts)


def is_address(path: str) -> bool:
    """Return whether it is an address of a server or a package: `/api/users`, `@scope/name`."""
    if "://" in path or _DOMAIN.match(path):
        return True
    is_plain = "." not in path.rpartition("/")[2]
    return path.startswith(("/", "@")) and is_plain and not path.startswith(_HOMES)
