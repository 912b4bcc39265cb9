"""A document without fault, and how tests spoil it."""

GOOD = """\
# PRP: Greet people by name

## Goal
`greet NAME` prints a greeting.

### Success Criteria
- [ ] `greet Ann` prints `Hello, Ann`

## All Needed Context
```yaml
- file: src/app.py
  why: where commands live
- docfile: docs/style.md
  why: how messages are worded
  section: Tone
```

## Implementation Tasks
```yaml
Task 1 - the command:
  MODIFY src/app.py:
    - add it
```

## Validation Loop

### Level 1: Unit
```bash
pytest tests/test_greet.py
# Expected: all tests pass
```

## Confidence Score: 8/10
"""


def after(heading: str, words: str, text: str = GOOD) -> str:
    """Return the document with words below a heading."""
    assert heading in text
    return text.replace(heading, f"{heading}\n{words}", 1)
