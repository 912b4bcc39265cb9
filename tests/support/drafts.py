"""A draft as a model may answer it, for a small repository that has what it speaks of."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.support.provider import Answer, Request

FILES = {
    "README.md": "# till\n\n## Prices\n\nPrices are in cents.\n",
    "till/__init__.py": "",
    "till/money.py": "def total(cents: list[int]) -> int:\n    return sum(cents)\n",
    "tests/test_money.py": (
        "import unittest\n\nfrom till.money import total\n\n\n"
        "class TestTotal(unittest.TestCase):\n"
        "    def test_sum(self) -> None:\n        self.assertEqual(total([1, 2]), 3)\n"
    ),
}

DRAFT: dict[str, Any] = {
    "title": "Round a total to five cents",
    "kind": "Library",
    "complexity": "Low",
    "priority": "Medium",
    "goal": "`total` can round to five cents, as shops do that have no small coins.",
    "value": "Shops without small coins.",
    "need": "`total` in `till/money.py` only adds.",
    "what": "A keyword argument `step` of `total`.\n\n# not a heading\n```\nnor a block",
    "criteria": [
        '`total([1, 2], step=5)` returns 5: "half" goes up',
        "`total([1, 2])` still returns 3",
    ],
    "sources": [
        {
            "kind": "file",
            "target": "till/money.py",
            "why": "The function: it's the one to change",
            "gotcha": "Cents are whole numbers # always",
        },
        {
            "kind": "docfile",
            "target": "README.md",
            "why": "What amounts are",
            "sections": ["Prices"],
        },
    ],
    "gotchas": [{"kind": "GOTCHA", "text": "`round` of Python goes to the even\nneighbour"}],
    "tests": [
        {
            "kind": "unit",
            "path": "tests/test_rounding.py",
            "language": "python",
            "code": (
                "import unittest\n\nfrom till.money import total\n\n\n"
                "class TestRounding(unittest.TestCase):\n"
                "    def test_half_goes_up(self) -> None:\n"
                '        """Given 3 cents, then 5."""\n'
                "        self.assertEqual(total([1, 2], step=5), 5)\n"
            ),
        }
    ],
    "no_tests": "One function without input or output.",
    "tasks": [
        {
            "title": "Rounding: in `total`",
            "changes": [
                {
                    "verb": "MODIFY",
                    "path": "till/money.py",
                    "does": ["total(cents, *, step: int = 1) -> int", "- half goes up", "yes"],
                },
                {
                    "verb": "CREATE",
                    "path": "tests/test_rounding.py",
                    "does": ["The test of the specification: as it stands"],
                },
            ],
        }
    ],
    "patterns": [{"language": "Python", "code": "x = 1\n```\ny = 2"}],
    "levels": {
        "syntax": [{"run": "python3 -m compileall -q till"}],
        "unit": [
            {"run": "python3 -m unittest tests.test_rounding"},
            {"run": "python3 -m unittest tests.test_money", "expected": "exit status 0"},
        ],
        "integration": [
            {
                "run": "python3 -c 'from till.money import total; print(total([1, 2], step=5))'",
                "expected": 'contains "5"',
            }
        ],
    },
    "checklist": ["README says what `step` does"],
    "anti_patterns": ["Don't use floats for money"],
    "rationale": {
        name: {"points": 2, "why": "read"}
        for name in ("documentation", "patterns", "gotchas", "tests", "automation")
    },
}


GREET_DRAFT: dict[str, Any] = {
    **DRAFT,
    "title": "A greeting",
    "goal": "A module that greets.",
    "what": "`greet(name)` returns a greeting.",
    "need": "There is none.",
    "criteria": ["`greet('Ada')` returns `Hello, Ada!`"],
    "sources": [{"kind": "docfile", "target": "README.md", "why": "What the project is"}],
    "tests": [
        {
            "kind": "unit",
            "path": "tests/test_greet.py",
            "language": "python",
            "code": "from greet import greet\n\nassert greet('Ada') == 'Hello, Ada!'\n",
        }
    ],
    "tasks": [
        {
            "title": "The greeting",
            "changes": [
                {"verb": "CREATE", "path": "greet.py", "does": ["greet(name: str) -> str"]}
            ],
        }
    ],
    "levels": {"unit": [{"run": "python3 tests/test_greet.py"}]},
}


def drafter(*answers: dict[str, Any]) -> Callable[[Request], Answer]:
    """Return a script: reads and looks around once, then hands in one answer after the other."""
    left: Sequence[dict[str, Any]] = list(answers) or [DRAFT, {}]
    turns = iter(left)

    def answer(request: Request) -> Answer:
        if "submit_draft" not in request.tools:
            return Answer(text="Nobody asked for that.")
        if "tool" not in request.last and "function_call_output" not in request.last:
            return Answer(
                calls=(
                    ("read", {"paths": ["till/money.py", "tests/test_money.py"]}),
                    ("run", {"command": "python3 -m unittest; touch here; ls"}),
                )
            )
        return Answer(calls=(("submit_draft", next(turns)),))

    return answer
