"""Everything that an author should know before a run: findings by line, pure."""

from dataclasses import dataclass, replace

from agent.prp.lines import fences, scan
from agent.prp.lint.blocks_of_yaml import about_yaml
from agent.prp.lint.context import about_references
from agent.prp.lint.coverage import Coverage, about_coverage, find_coverage
from agent.prp.lint.hazards import about_checks
from agent.prp.lint.hidden import about_hidden
from agent.prp.lint.named import about_named
from agent.prp.lint.placeholders import about_placeholders
from agent.prp.lint.secret_text import masking
from agent.prp.lint.structure import about_structure
from agent.prp.lint.surroundings import Nature, Surroundings
from agent.prp.lint.work import about_tasks, about_trees
from agent.prp.model import Finding, Prp
from agent.prp.rules import finding

__all__ = [
    "CONTEXT_CODES",
    "Coverage",
    "Examined",
    "Nature",
    "Surroundings",
    "find_coverage",
    "lint",
]

CONTEXT_CODES = frozenset(("I27", "I29", "I30", "I32", "I33"))
"""Rules about files of the needed context; a run can do without these files."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What was found about a document."""

    findings: tuple[Finding, ...]
    """By line."""
    coverage: Coverage


def lint(prp: Prp, around: Surroundings | None = None) -> Examined:
    """Return what is wrong with a document, and which checks seem to show what.

    Args:
        prp: The document.
        around: The repository and the tools; without them the rules that need them are left out.

    """
    coverage = find_coverage(prp)
    lines, _ = scan(prp.text)
    fenced = list(fences(lines))
    found = [
        *prp.findings,
        *about_structure(prp, lines, fenced),
        *about_placeholders(prp, lines),
        *about_hidden(prp, lines),
        *about_references(prp, around),
        *about_tasks(prp, around),
        *about_trees(prp, around),
        *about_checks(prp, fenced, around),
        *about_named(prp, around),
        *about_coverage(prp, coverage),
    ]
    for fence in fenced:
        if fence.language in ("yaml", "yml"):
            found += about_yaml(fence)
    if around is not None and (around.is_link or around.is_outside):
        found.append(_place(around))
    mask = masking(prp.text)
    # A criterion that was never filled in needs no word about its check.
    unfilled = {f.line for f in found if f.code == "I47"}
    found = [f for f in found if not (f.code in ("R02", "R04") and f.line in unfilled)]
    safe = (replace(f, message=mask(f.message), hint=mask(f.hint)) for f in dict.fromkeys(found))
    in_order = sorted(safe, key=lambda f: (f.line, f.code))
    return Examined(findings=tuple(in_order), coverage=coverage)


def _place(around: Surroundings) -> Finding:
    words = (
        "The document is a symbolic link"
        if around.is_link
        else "The document lies outside of the repository"
    )
    return finding("I62", 1, words, "Commit it to the repository that it is about.")
