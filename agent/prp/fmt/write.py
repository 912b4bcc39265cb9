"""Rewriting step by step; a step that would change what the document says is not taken."""

from collections.abc import Callable, Sequence

from agent.prp.fmt.edits import Edit, apply
from agent.prp.fmt.meaning import lost_words, meaning
from agent.prp.fmt.steps import (
    close_fences,
    mend_yaml,
    move_front_matter,
    name_sections,
    tick_boxes,
    write_tasks,
)

_MOST_PASSES = 4
_MOST_TRIALS = 60

_STEPS: tuple[Callable[[str], Sequence[Edit]], ...] = (
    close_fences,
    move_front_matter,
    name_sections,
    tick_boxes,
    write_tasks,
    mend_yaml,
)


def format_prp(text: str) -> str:
    """Return a document in the template's form.

    Args:
        text: The document in any dialect.

    Returns:
        The same statements with one kind of line ends, closed fences, the template's headings,
        tasks as valid YAML, checkboxes for criteria. Formatting the result again changes nothing,
        and `meaning` is the same for both. Where a part can't be rewritten without changing what
        it says, it stays as it is.

    """
    windows = text.count("\r\n") * 2 > text.count("\n")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = text.rstrip("\n") + "\n" if text.strip() else text
    for _ in range(_MOST_PASSES):
        before = text
        for step in _STEPS:
            text = _take(step, text)
        if text == before:
            break
    return text.replace("\n", "\r\n") if windows else text


def _take(step: Callable[[str], Sequence[Edit]], text: str) -> str:
    """Return the text after a step: all of its edits, or those that keep what is said."""
    edits = list(step(text))
    if not edits:
        return text
    said = meaning(text)
    whole = apply(text, edits)
    if _keeps(text, whole, edits, said):
        return whole
    kept: list[Edit] = []
    for edit in edits[:_MOST_TRIALS]:
        if _keeps(text, apply(text, [*kept, edit]), [*kept, edit], said):
            kept.append(edit)
    return apply(text, kept)


def _keeps(before: str, after: str, edits: Sequence[Edit], said: object) -> bool:
    allowed = {word for edit in edits for word in edit.may_lose}
    return not (lost_words(before, after).keys() - allowed) and meaning(after) == said
