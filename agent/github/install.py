"""The files that a repository needs for the Action: a workflow that calls it, and an issue form."""

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from agent import __version__
from agent.errors import SettingsError

_TEMPLATES = Path(__file__).parent / "templates"
_SHA = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")

_NAMED = re.compile(r"(?P<action>[\w.-]+/[\w.-]+)(?:@(?P<ref>[\w./-]+))?")
_ADDRESS = re.compile(
    r"(?:https://|ssh://git@)github\.com/(?P<action>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)


@dataclass(frozen=True, kw_only=True)
class Home:
    """The repository that a workflow calls."""

    action: str
    """`owner/name`."""
    ref: str = ""
    """Its commit or tag; empty for the tag of the version."""


def home_of(named: str, *, installed: str = "") -> Home:
    """Return where the Action lies. Nothing is guessed: it will be given a key and rights.

    Args:
        named: What a person said, as `OWNER/NAME` or `OWNER/NAME@COMMIT`; empty for nothing.
        installed: What the installer noted of this installation, as JSON (PEP 610): one from a
            repository on GitHub knows its address and commit.

    Raises:
        SettingsError: It is not known, or no such name.

    """
    if named:
        if not (found := _NAMED.fullmatch(named) or _ADDRESS.fullmatch(named)):
            raise SettingsError(f"--action is {named!r}", hint=_HINT)
        ref = found.groupdict().get("ref") or ""
        if _SHORT.fullmatch(ref):
            raise SettingsError(f"--action ends with a shortened commit, {ref}", hint=_WHOLE)
        return Home(action=found["action"], ref=ref)
    try:
        told = json.loads(installed or "{}")
        if found := _ADDRESS.fullmatch(str(told.get("url", ""))):
            return Home(action=found["action"], ref=str(told["vcs_info"]["commit_id"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise SettingsError("Nobody said in which repository the Action lies", hint=_HINT)


_HINT = (
    "--action OWNER/NAME@COMMIT names it: the repository on GitHub that prp comes from, or your "
    "fork of it. It gets your model's key and may push, so name one that you trust."
)
_WHOLE = (
    "GitHub finds an action by all 40 digits: `git rev-parse COMMIT`, or `git ls-remote URL HEAD`."
)


def noted_by_installer() -> str:
    """Return what the installer noted of where this program comes from; empty for nothing."""
    try:
        return distribution("prp-agent").read_text("direct_url.json") or ""
    except PackageNotFoundError:
        return ""


def install_github(
    root: Path, *, action: str, ref: str = "", version: str = __version__
) -> dict[str, str]:
    """Return the files to write below a repository's root, by their paths.

    Whoever writes them decides what to do with files that are there already; see `prp init`.

    Args:
        root: Top of the repository; what lies there is only read.
        action: Repository of the Action, `owner/name`.
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


_WHY = "a tag or a branch, which may come to mean another commit; name a commit to rule that out"


def next_steps(action: str) -> list[str]:
    """Return what is left to do on GitHub before a label leads to a pull request.

    Args:
        action: Repository of the Action, `owner/name`.

    """
    return [
        "On GitHub, once these files are on the default branch:",
        "  1. Settings > Environments: make `prp`, with the secret ANTHROPIC_API_KEY or",
        "     OPENAI_API_KEY",
        "  2. Settings > Secrets and variables > Actions > Variables: PRP_MODEL, for instance",
        "     anthropic:claude-sonnet-4-5; PRP_MAX_COST_USD for a run, PRP_DAILY_USD for a day",
        "  3. Settings > Actions > General > Workflow permissions: tick Allow GitHub Actions to",
        "     create and approve pull requests",
        "  4. Open an issue with the form PRP, and set the label `prp` (make it the first time)",
        f"docs/github.md in {action} says more.",
    ]


def labels() -> list[dict[str, str]]:
    """Return the labels that the Action uses, each with `name`, `color` and `description`.

    GitHub makes the missing ones when they are first set; these have colours and words.
    """
    found: list[dict[str, str]] = json.loads((_TEMPLATES / "labels.json").read_text("utf-8"))
    return found
