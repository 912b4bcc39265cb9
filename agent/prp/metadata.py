"""What a document says of itself: its title, its metadata and how confident its author is."""

import re
from collections.abc import Sequence
from pathlib import Path

from agent.prp.blocks import Block, lines_of
from agent.prp.headings import Part
from agent.prp.lines import Line, Role, heading
from agent.prp.model import Confidence, Text
from agent.prp.scalars import unquoted


def find_title(lines: Sequence[Line], path: Path) -> Text:
    """Return the words of the first heading at the top level, else what stands for a title."""
    for line in lines:
        if line.role is Role.HEADING and heading(line)[0] == 1:
            words = re.sub(
                r"^(?:PRP|Product Requirements? Prompt)\b\s*[:\-–—]*\s*", "", heading(line)[1]
            )
            return Text(text=words.strip() or heading(line)[1], line=line.number)
    for line in lines[:20]:
        if found := re.match(r"^name\s*:\s*[\"']?(?P<words>.+?)[\"']?\s*$", line.text):
            return Text(text=found["words"], line=line.number)
    first = next((line for line in lines if line.role is Role.HEADING), None)
    return (
        Text(text=heading(first)[1], line=first.number) if first else Text(text=path.stem, line=1)
    )


def find_metadata(lines: Sequence[Line], blocks: Sequence[Block]) -> tuple[tuple[Text, Text], ...]:
    """Return the pairs of the front matter, then those in bold below the title."""
    first = next((i for i, line in enumerate(lines) if line.role is Role.HEADING), len(lines))
    front = _front(lines[: min(first, 40)])
    top = blocks[0].lines if blocks and blocks[0].section.depth else ()
    second = blocks[1].lines if len(blocks) > 1 and blocks[1].section.depth == 1 else ()
    bold = [
        _pair(found, line)
        for line in (*top, *second, *lines_of(blocks, Part.METADATA))
        if (found := _PAIR.match(line.text))
    ]
    return (*front, *bold)


def _front(lines: Sequence[Line]) -> list[tuple[Text, Text]]:
    """Return the pairs of the front matter; a text that spans lines is joined."""
    pairs: list[tuple[Text, Text]] = []
    for line in lines:
        if found := _FRONT.match(line.text):
            pairs.append(_pair(found, line))
        elif pairs and line.text.startswith((" ", "\t")) and (words := line.text.strip()):
            key, value = pairs[-1]
            before = "" if value.text in ("", "|", ">", "|-", ">-") else f"{value.text} "
            pairs[-1] = (key, Text(text=before + words, line=value.line))
    return pairs


def _pair(found: re.Match[str], line: Line) -> tuple[Text, Text]:
    return (
        Text(text=found["key"].strip(), line=line.number),
        Text(text=unquoted(found["value"]), line=line.number),
    )


_PAIR = re.compile(r"^\s*(?:[-*>]\s+)?\*\*(?P<key>[^*:]{1,40}):?\*\*\s*:?\s*(?P<value>\S.*)$")
_FRONT = re.compile(r"^(?P<key>[A-Za-z][\w -]{0,30}):\s*(?P<value>.*)$")


def find_confidence(blocks: Sequence[Block]) -> Confidence | None:
    """Return the first score out of 10, those below a heading about it before all others."""
    told = [b for b in blocks if "10" in b.section.body or "10" in b.section.heading]
    for line in (*lines_of(told, Part.CONFIDENCE), *(line for b in told for line in b.lines)):
        may_say = "10" in line.text and "confidence" in line.text.lower()
        if may_say and (found := SCORE.search(line.text)):
            number_ = re.fullmatch(r"\d{1,3}(?:\.\d{1,3})?", found["score"])
            score = float(number_[0]) if number_ else None
            return Confidence(score=score, line=line.number, text=line.text.strip())
    return None


SCORE = re.compile(
    r"confidence(?:\s*(?:score|level))?(?:\s+(?:for|in|of)\s[\w -]{3,40})?\W{0,12}(?P<score>\d+(?:\.\d+)?|\[?[xX]\]?)\s*(?:/|out of)\s*10",
    re.IGNORECASE,
)
"""A score out of 10 that the author gives the document."""
