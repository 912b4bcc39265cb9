"""YAML blocks as a check only: what they hold is read line by line, and never loaded."""

import re
from collections.abc import Iterator

from agent.prp.lines import Fence
from agent.prp.model import Finding
from agent.prp.rules import finding

_DEEPEST = 32
_MOST_NODES = 10_000
_LARGEST = 64 * 1024
_PLAIN_TAGS = ("tag:yaml.org,2002:", "!")
_UNSAFE = re.compile(r"python|ruby|java|php|perl|object|new|apply|module", re.IGNORECASE)


def about_yaml(fence: Fence) -> Iterator[Finding]:
    """Return findings about one YAML block.

    The block is parsed into events and nothing is made of them, so that a block which would blow
    up when it is loaded costs no more than its text.
    """
    if len(fence.code) > _LARGEST:
        yield finding(
            "I20",
            fence.line,
            "The YAML block is larger than 64 KiB",
            "Put what is long into a docfile.",
        )
        return
    yield from _Reading(fence).findings()


class _Reading:
    """One pass over the events of a block."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._sizes: dict[str, int] = {}
        self._open: list[tuple[str | None, int, set[str] | None, bool]] = []
        self._total = 0

    def findings(self) -> Iterator[Finding]:
        import yaml  # noqa: PLC0415 - only documents with YAML pay for it

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(self._fence.code, Loader=loader):
                if problem := self._of(event):
                    yield problem
                    if problem.code in ("I20", "I21", "I22"):
                        return
        except yaml.YAMLError as error:
            yield self._invalid(error)
        except RecursionError:
            yield self._finding("I21", 0, "nested deeper than 32 levels", "Write it flat.")

    def _of(self, event: object) -> Finding | None:
        name = type(event).__name__
        line = getattr(getattr(event, "start_mark", None), "line", 0)
        if name in ("MappingEndEvent", "SequenceEndEvent"):
            anchor, size, _, _ = self._open.pop()
            if anchor:
                self._sizes[anchor] = self._total - size
            return None
        if name not in ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent"):
            return None
        twice = self._key(event, name, line)
        size = self._sizes.get(str(getattr(event, "anchor", "")), 1) if name == "AliasEvent" else 1
        self._total += size
        if self._total > _MOST_NODES:
            return self._finding("I20", line, "its aliases blow it up", "Write out what is meant.")
        tag = getattr(event, "tag", None)
        if tag and (not tag.startswith(_PLAIN_TAGS) or _UNSAFE.search(tag)):
            return self._finding("I22", line, f"the tag `{tag[:60]}` makes objects", "Delete it.")
        if name.endswith("StartEvent"):
            keys = set[str]() if name == "MappingStartEvent" else None
            anchor = getattr(event, "anchor", None)
            self._open.append((anchor, self._total, keys, True))
            if len(self._open) > _DEEPEST:
                return self._finding("I21", line, "nested deeper than 32 levels", "Write it flat.")
        return twice

    def _key(self, event: object, name: str, line: int) -> Finding | None:
        """Follow keys and values of the mapping that is open."""
        if not self._open or self._open[-1][2] is None:
            return None
        anchor, size, keys, is_key = self._open[-1]
        self._open[-1] = (anchor, size, keys, not is_key)
        if not is_key or name != "ScalarEvent" or keys is None:
            return None
        word = str(getattr(event, "value", ""))
        if word in keys:
            return self._finding(
                "I23",
                line,
                f"the key `{word[:60]}` stands twice; YAML keeps one, prp keeps both",
                "Write a list, or one block for each.",
            )
        keys.add(word)
        return None

    def _invalid(self, error: Exception) -> Finding:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = getattr(mark, "line", 0)
        words = getattr(error, "problem", "") or "it can't be read"
        lines = self._fence.lines
        text = lines[line].text if line < len(lines) else ""
        if "\\t" in words or re.match(r"^ *\t", text):
            return self._finding("I24", line, "tabs indent it", "Indent with blanks.")
        return self._finding("R01", line, f"it is no YAML: {words}", "`prp fmt` writes valid YAML.")

    def _finding(self, code: str, offset: int, message: str, hint: str) -> Finding:
        lines = self._fence.lines
        line = lines[min(offset, len(lines) - 1)].number if lines else self._fence.line
        return finding(code, line, f"YAML block: {message}", hint)
