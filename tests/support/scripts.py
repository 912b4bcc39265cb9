"""Scripted models that carry a small PRP out, well or badly."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.provider import Answer, Request

GREET_PRP = """\
# PRP: A greeting

## Goal
A module that greets.

### Success Criteria
- [ ] `greet("Ada")` returns `Hello, Ada!`
- [ ] `ruff check` passes

## Implementation Blueprint
```yaml
Task 1 - Greeting:
  CREATE greet.py:
    - greet(name) returns the greeting
```

## Validation Loops
### Level 1: Syntax
```bash
ruff check .
```

### Level 2: Behaviour
```bash
python3 -c "from greet import greet; assert greet('Ada') == 'Hello, Ada!', greet('Ada')"
# Expected: no output
```
"""
GOOD = 'def greet(name: str) -> str:\n    return f"Hello, {name}!"\n'
WRONG = 'def greet(name: str) -> str:\n    return f"Hi, {name}!"\n'
QUOTE = 'return f"Hello, {name}!"'

PLAN: dict[str, Any] = {
    "summary": "A greeting.",
    "steps": [{"task": 1, "approach": "One function.", "files": ["greet.py"]}],
    "proofs": [
        {"criterion": "C1", "checks": ["L2.1"], "how": "The check calls it."},
        {"criterion": "C2", "checks": ["L1.1"], "how": "The check itself."},
    ],
}


def opinions(holds: Mapping[str, str], quote: str = QUOTE) -> dict[str, Any]:
    """Return the verifier's answer: criterion to `yes`, `no`, ..."""
    quotes = [{"source": "greet.py", "text": quote}]
    return {
        "opinions": [
            {"criterion": name, "holds": word, "reason": "as quoted", "quotes": quotes}
            for name, word in holds.items()
        ]
    }


def crew(
    *,
    plan: Mapping[str, Any] = PLAN,
    attempts: Sequence[Mapping[str, str]] = ({"greet.py": GOOD},),
    judgement: Mapping[str, Any] | None = None,
) -> Callable[[Request], Answer]:
    """Return a script: the planner's plan, the files of each attempt, the verifier's opinions."""
    written = iter(attempts)
    judged = judgement or opinions({"C1": "yes", "C2": "yes"})

    def answer(request: Request) -> Answer:
        if "submit_plan" in request.tools:
            return Answer(calls=(("submit_plan", dict(plan)),))
        if "submit_judgement" in request.tools:
            return Answer(calls=(("submit_judgement", dict(judged)),))
        if "submit_way" in request.tools:
            way = {"cause": "The words are wrong.", "approach": "Greet with Hello."}
            return Answer(calls=(("submit_way", way),))
        files = next(written, None) or {}
        writes = tuple(("write", {"path": p, "content": c}) for p, c in files.items())
        return Answer(calls=(*writes, ("finish", {"summary": "Written."})))

    return answer
