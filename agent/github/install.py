"""The files that a repository needs for the Action: a workflow that calls it, and an issue form."""

import json
import re
from pathlib import Path

from agent import __version__

HOME = "prp-agent/prp"
"""Repository of the Action, as `owner/name`."""
_TEMPLATES = Path(__file__).parent / "templates"
_SHA = re.compile(r"[0-9a-f]{40}")


def install_github(
    root: Path, *, action: str = HOME, ref: str = "", version: str = __version__
) -> dict[str, str]:
    """Return the files to write below a repository's root, by their paths.

    Whoever writes them decides what to do with files that are there already; see `prp init`.

    Args:
        root: Top of the repository; what lies there is only read.
        action: Repository of the Action, `owner/name`, for forks.
        ref: Its commit; empty for the tag of the version.
        version: Written beside the commit.

    Returns:
        Path below the root to content.

    """
    workflow = (_TEMPLATES / "prp.yml").read_text(encoding="utf-8")
    tag = f"v{version.removeprefix('v')}"
    pinned = _SHA.fullmatch(ref) is not None
    words = tag if pinned else f"zizmor: ignore[unpinned-uses] {_WHY}"
    values = {"action": action, "ref": ref or tag, "version": words}
    for name, value in values.items():
        workflow = workflow.replace("{{ " + name + " }}", value)
    forms = root / ".github" / "ISSUE_TEMPLATE"
    ending = "yaml" if (forms / "prp.yaml").is_file() else "yml"
    return {
        ".github/workflows/prp.yml": workflow,
        f".github/ISSUE_TEMPLATE/prp.{ending}": (_TEMPLATES / "issue.yml").read_text("utf-8"),
    }


_WHY = "a tag of prp's releases; pin its commit where your policy asks for that"


def labels() -> list[dict[str, str]]:
    """Return the labels that the Action uses, each with `name`, `color` and `description`.

    GitHub makes the missing ones when they are first set; these have colours and words.
    """
    found: list[dict[str, str]] = json.loads((_TEMPLATES / "labels.json").read_text("utf-8"))
    return found
