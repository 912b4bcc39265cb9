"""What reviewers say, as a part of the PRP: a task that answers it, and criteria that show it."""

import re
from collections.abc import Sequence
from pathlib import Path

from agent.errors import Refused
from agent.prp import parse_prp

_MOST = 30


def with_review(text: str, said: Sequence[str]) -> str:
    """Return a PRP with the points of a review as criteria and as a task.

    Only people who can push are heard here. Their words are criteria: text that no rule takes for
    a command.

    Args:
        text: The document, perhaps with an earlier review in it.
        said: The points, as they were written.

    Raises:
        Refused: Nothing was said.

    """
    points = [point for point in map(_one_line, said) if point][:_MOST]
    if not points:
        raise Refused(
            "The review says nothing that could be done",
            hint="Say what is to change, in the review or on a line.",
        )
    before = text.partition(_HEAD)[0].rstrip()
    criteria = "\n".join(f"- [ ] {point}" for point in points)
    tasks = "\n".join(f"    - {point}" for point in points)
    return _REVIEW.format(before=before, head=_HEAD, criteria=criteria, tasks=tasks)


def criterion_named(text: str, named: str) -> str:
    """Return the words of a criterion that `/prp retry-criterion` names, as `3` or `C3`.

    Raises:
        Refused: There is no such criterion.

    """
    promises = {c.id: c.text for c in parse_prp(text, path=Path("issue.md")).promises}
    name = f"C{named.strip().upper().removeprefix('C')}"
    if name not in promises:
        raise Refused(
            f"There is no criterion {' '.join(named.split())[:20] or 'without a number'}",
            hint=f"There are {', '.join(promises)}: `/prp retry-criterion C1`.",
        )
    return promises[name]


def _one_line(point: str) -> str:
    """Return words that are no markup of a PRP: neither a fence, nor code, nor a heading."""
    flat = re.sub(r"[`<>]", "'", " ".join(point.split()))
    return flat.strip("#->*[] ")[:1_000]


_HEAD = "## Review of the Pull Request"
_REVIEW = """\
{before}

{head}

### Success Criteria
{criteria}

## Implementation Blueprint
```yaml
Task 900 - Answer the review:
{tasks}
```
"""
