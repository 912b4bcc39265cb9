"""How the page's template shows what a run says: escaped, cut where it is long, with links."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from agent.deliver.costs import money
from agent.deliver.report import MARK
from agent.deliver.story import Usage
from agent.shown import printable_lines

_TONES = {
    "good": ("proven", "passed"),
    "judged": ("judged",),
    "bad": ("failed", "refused", "timed out", "could not run", "set-up failed"),
    "open": (
        "unproven",
        "needs a person",
        "pre-existing",
        "asked",
        "flaky",
        "out of budget",
        "concern",
    ),
}


def neutral(value: Any) -> Any:
    """Make control and invisible characters of a run's text visible."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return printable_lines(value) if is_text else value


def tone_of(status: str) -> str:
    """Return which colour a status has."""
    return next((tone for tone, names in _TONES.items() if status in names), "")


def duration_of(seconds: Any) -> str:
    """Return seconds as people say them."""
    seconds = float(seconds or 0)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


_CODE = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(
    r"\bprp (?:apply|diff|execute|lint|report|resume|status|verify)\b"
    r"(?: (?:--?[a-z][\w-]*|[\w.-]*[/\d](?:[\w./-]*\w)?))*|(?<![\w-])--[a-z][\w-]+"
)
_CHECK_ID = re.compile(r"(?<![\w.])(?:L\d+|X)\.\d+(?![\w.]*\d)")


def _linked(line: str) -> Markup:
    """Return a line of words: checks are links to their rows, what stands in backticks is code."""
    text = _CODE.sub(r"<code>\1</code>", str(_breakable(line)))
    return Markup(_CHECK_ID.sub(r'<a href="#check-\g<0>">\g<0></a>', text))  # noqa: S704 - escaped


_LONG_NAME = re.compile(r"\w{24,}")


def _breakable(text: Any) -> Markup:
    """Return text in which a long name may be broken between its words, on a narrow screen."""
    shown = str(escape(printable_lines(str(text))))
    return Markup(_LONG_NAME.sub(lambda name: name[0].replace("_", "_<wbr>"), shown))  # noqa: S704


def _with_commands(line: str) -> str:
    """Return words in which commands of ours and their options stand in backticks."""
    return line if "`" in line else _COMMAND.sub(r"`\g<0>`", line)


# Characters of a cell before the rest is folded away, and how far back a gap is looked for.
_LONG, _SHOWN, _GAP = 420, 320, 60
_SENTENCE = re.compile(r"(?<=[.;])\s(?!\()(?=[^a-z]|(?<=; ))")


def _clipped(text: Any) -> tuple[str, str]:
    """Return what is shown of a long text and what is folded, cut after a sentence or a word."""
    words = str(text or "")
    if len(words) <= _LONG:
        return words, ""
    ends = [found.start() for found in _SENTENCE.finditer(words, _SHOWN // 2, _SHOWN)]
    gap = max(words.rfind(" ", _SHOWN - _GAP, _SHOWN), words.rfind("\n", _SHOWN - _GAP, _SHOWN))
    end = ends[-1] if ends else gap if gap > 0 else _SHOWN
    return words[:end], words[end:]


def _cached(usage: Usage) -> int:
    return round(100 * usage.cache_read_tokens / usage.input_tokens) if usage.input_tokens else 0


def _mark(status: str) -> str:
    return MARK.get(status, "\N{CHECK MARK}" if status == "passed" else "\N{MIDDLE DOT}")


def _tokens(usage: Usage) -> str:
    return f"{usage.input_tokens + usage.output_tokens:,}" if usage.answers else ""


def _moment(at: Any) -> str:
    return datetime.fromtimestamp(float(at or 0), UTC).strftime("%Y-%m-%d %H:%M UTC")


FILTERS: dict[str, Callable[..., object]] = {
    "tone": tone_of,
    "mark": _mark,
    "duration": duration_of,
    "moment": _moment,
    "linked": _linked,
    "breakable": _breakable,
    "with_commands": _with_commands,
    "clipped": _clipped,
    "tokens": _tokens,
    "money": lambda usage: money(usage) if usage.answers else "",
    "cached": _cached,
}
