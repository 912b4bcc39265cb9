"""A document examined as `prp lint` shows it; nothing of it is run."""

import os
from dataclasses import dataclass
from pathlib import Path

from agent.errors import DocumentError
from agent.prp import Finding, Severity, read_prp
from agent.prp.export import Exported, export, unreadable
from agent.prp.lint import lint
from agent.prp.readiness import readiness_of
from agent.prp.rules import finding
from agent.workspace.surroundings import look_around


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What there is to say of a document."""

    exported: Exported
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Return whether it can't be executed as it is."""
        return any(found.severity is Severity.ERROR for found in self.findings)


def examine(path: Path, *, search_path: str | None = None) -> Examined:
    """Examine a document; one that can't even be read has one finding, which says why.

    Args:
        path: The document.
        search_path: Where programs are looked for; the person's PATH by default.

    """
    try:
        prp = read_prp(path)
    except DocumentError as error:
        words = str(error).partition("] ")[2] or str(error)
        problem = finding(
            error.code, error.line or 1, words[:1].upper() + words[1:], error.hint or "Check it."
        )
        return Examined(exported=unreadable(str(path), problem), findings=(problem,))
    named = os.environ.get("PATH", os.defpath) if search_path is None else search_path
    around = look_around(path, search_path=named, home=Path.home())
    examined = lint(prp, around)
    findings = examined.findings if around else (_ALONE, *examined.findings)
    return Examined(exported=export(prp, findings, readiness_of(prp, examined)), findings=findings)


_ALONE = finding(
    "R24",
    1,
    "The document lies in no git repository, so nothing that it names was looked for",
    "Put it into the repository that it is about, or begin one with `git init`.",
)
