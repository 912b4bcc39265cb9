"""Whether references point to something that may be read."""

from collections.abc import Iterator

from agent.prp.lint.context.addresses import about_address
from agent.prp.lint.context.files import about_file, is_meant
from agent.prp.lint.surroundings import Surroundings
from agent.prp.model import Finding, Prp, Reference, ReferenceKind, Severity, Verb
from agent.prp.rules import finding, shortened


def about_references(prp: Prp, around: Surroundings | None) -> Iterator[Finding]:
    """Return findings about the needed context."""
    made = {
        change.path.removeprefix("./")
        for task in prp.tasks
        for change in task.changes
        if change.verb in (Verb.CREATE, Verb.MOVE)
    }
    made |= {text.text for text in prp.desired_files}
    for reference in prp.references:
        yield from _form(reference)
        if reference.kind is ReferenceKind.MCP:
            continue
        if "://" in reference.target or reference.kind is ReferenceKind.URL:
            yield from about_address(reference)
        elif (target := reference.target.removeprefix("./")) and is_meant(target, around):
            is_made = any(path == target or path.startswith(f"{target}/") for path in made)
            yield from about_file(reference, around, is_made=is_made)


def _form(reference: Reference) -> Iterator[Finding]:
    if not reference.declared:
        return
    if reference.target.startswith(("[", "{")) or reference.target in ("|", ">", "null", "~"):
        yield finding(
            "I25",
            reference.line,
            f"`{reference.target[:60]}` is no {reference.kind.value}: one text belongs here",
            "Write one entry for each.",
        )
    elif not reference.why and not any((reference.critical, reference.pattern, reference.gotcha)):
        yield finding(
            "I25",
            reference.line,
            f"The reference to {shortened(reference.target)} does not say why it is needed",
            "Add `why:`; it is what the planner goes by.",
            severity=Severity.NOTE,
        )
    keys = [note.partition(":")[0] for note in reference.notes]
    if unknown := [key[:40] for key in keys if key not in _KNOWN_KEYS]:
        words = f"key `{unknown[0]}` means" if len(unknown) == 1 else f"keys {unknown} mean"
        yield finding(
            "I26",
            reference.line,
            f"The {words} nothing to prp; the planner reads it as a note",
            "Use why, sections, critical, pattern or gotcha.",
        )


_KNOWN_KEYS = frozenset(
    "why section sections critical pattern patterns gotcha gotchas lines line note notes usage "
    "module modules example examples focus description purpose reason key_insight insight content "
    "important relevant url file docfile doc docs path title contains covers reference warning use "
    "follow mirror context details what how current change changes search query status".split()
)
