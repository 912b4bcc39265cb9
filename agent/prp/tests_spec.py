"""The test specification: which tests, in which files, written down before the code."""

import itertools
import re
from collections.abc import Sequence

from agent.prp.lines import Line, fences, text_of
from agent.prp.model import TestKind, TestSpec, Text

_PATH = re.compile(r"^\s*(?:#|//|--|/\*|<!--)\s*(?:File:\s*)?(?P<path>[\w.\[\]{}@/-]+\.\w{1,5})\b")
_NAMES = re.compile(
    r"^\s*(?:async\s+)?(?:def\s+(?P<python>test_\w+)|(?:it|test)(?:\.\w+)?\(\s*[\"'`](?P<script>[^\"'`]+)|"
    r"func\s+(?P<go>Test\w+)|(?:pub\s+)?(?:async\s+)?fn\s+(?P<rust>\w+)\s*\()"
)
_KINDS = (
    (TestKind.FIXTURES, r"fixture|test data|mock"),
    (TestKind.PERFORMANCE, r"performance|load|benchmark|stress"),
    (TestKind.E2E, r"e2e|end.to.end|acceptance|scenario"),
    (TestKind.INTEGRATION, r"integration|api|contract"),
)


def find_test_specs(lines: Sequence[Line], *, heading: str) -> list[TestSpec]:
    """Return the fences of one part of the test specification, one for each file they name."""
    kind = _kind(heading)
    return [
        spec
        for fence in fences(lines)
        if fence.language not in ("bash", "sh", "shell", "yaml")
        for spec in _by_file(fence.lines, kind, fence.language)
    ]


def _kind(heading: str) -> TestKind:
    found = (kind for kind, words in _KINDS if re.search(words, heading, re.IGNORECASE))
    return next(found, TestKind.UNIT)


def _by_file(lines: Sequence[Line], kind: TestKind, language: str) -> list[TestSpec]:
    starts = [i for i, line in enumerate(lines) if _PATH.match(line.text)]
    if not starts or starts[0] > 0:
        starts = [0, *starts]
    specs = []
    for start, end in itertools.pairwise([*starts, len(lines)]):
        part = lines[start:end]
        if not any(line.text.strip() for line in part):
            continue
        path = _PATH.match(part[0].text)
        specs.append(
            TestSpec(
                kind=kind,
                line=part[0].number,
                code=text_of(part).rstrip(),
                language=language,
                path=path["path"] if path else "",
                tests=tuple(_names(part)),
            )
        )
    return specs


def _names(lines: Sequence[Line]) -> list[Text]:
    return [
        Text(text=next(filter(None, found.groups())), line=line.number)
        for line in lines
        if (found := _NAMES.match(line.text))
    ]
