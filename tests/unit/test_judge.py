"""What the verifier agent says counts as far as its quotes are found."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from agent.prp import parse_prp
from agent.verifier import CheckResult, CheckState
from agent.verifier.evidence import Facts
from agent.verifier.judge import Judged, judge_criteria

PRP = parse_prp(
    "# PRP: X\n\n## Goal\nx\n\n### Success Criteria\n- [ ] It greets\n\n"
    "## Validation Loop\n### Level 1\n```bash\npytest -q\n```\n",
    path=Path("x.md"),
)
CODE = "def greet(name):\n    return f'Hello, {name}!'\n"
PRINTED = "....\n4 passed in 0.02s\n"


def judged(source: str, text: str) -> tuple[Judged, str]:
    """Return what is kept of a `yes` with one quote, and what the agent was asked."""
    asked: list[str] = []

    def answer(messages: Sequence[ModelMessage], _: AgentInfo) -> ModelResponse:
        asked.extend(str(part.content) for part in messages[0].parts if hasattr(part, "content"))
        quote = {"source": source, "text": text}
        opinion = {"criterion": "C1", "holds": "yes", "reason": "r", "quotes": [quote]}
        return ModelResponse(parts=[ToolCallPart("submit_judgement", {"opinions": [opinion]})])

    (check,) = PRP.checks
    told = asyncio.run(
        judge_criteria(
            PRP.promises,
            model=FunctionModel(answer),
            briefing="b",
            commit="c" * 40,
            facts=Facts(
                results={
                    check.id: CheckResult(
                        check=check, state=CheckState.PASSED, status=0, output=PRINTED
                    )
                },
                baseline={},
                holdout={"C1": ("test_greets_anna",)},
            ),
            objections=(),
            mutants="6 tried, 6 noticed by a test.",
            changes=("M a.py", "A tests/test_a.py"),
            doubts=("empty names were not thought of",),
            diff="+def greet(name):\n+    return f'Hello, {name}!'\n",
            tools=(),
            read={"a.py": CODE}.get,
        )
    )
    return told, "\n".join(asked)


@pytest.mark.parametrize(
    ("source", "text", "place"),
    [
        pytest.param("a.py", "return f'Hello, {name}!'", "a.py:2: ", id="as it stands"),
        pytest.param("a.py", "+def greet(name):\n+    return", "a.py:1: ", id="from the diff"),
        pytest.param("L1.1", "4 passed in 0.02s", "output of L1.1: ", id="of a check"),
        pytest.param("changes", "A tests/test_a.py", "files changed: ", id="of what changed"),
    ],
)
def test_a_quote_that_stands_somewhere_is_found(source: str, text: str, place: str) -> None:
    """Also with the marks of a diff in front of its lines."""
    told, _ = judged(source, text)
    (quote,) = told.judgements["C1"].quotes
    assert quote.startswith(place)


@pytest.mark.parametrize(
    ("source", "text"),
    [("a.py", "return 'Hello'"), ("b.py", "def greet(name):"), ("a.py", "+"), ("L1.1", "5 passed")],
)
def test_a_quote_that_stands_nowhere_is_dropped(source: str, text: str) -> None:
    """And the reason says so."""
    told, _ = judged(source, text)
    assert told.judgements["C1"].quotes == ()
    assert "1 of its quotes could not be found" in told.judgements["C1"].reason


def test_a_quote_of_several_lines_is_kept_whole() -> None:
    """What shows the claim may stand in its second line."""
    told, _ = judged("a.py", CODE)
    (quote,) = told.judgements["C1"].quotes
    assert quote == "a.py:1: def greet(name): ⏎ return f'Hello, {name}!'"


def test_the_last_words_of_a_passed_check_can_be_quoted() -> None:
    """They stand beside its result."""
    _, asked = judged("L1.1", "4 passed in 0.02s")
    assert "printed last: 4 passed in 0.02s" in asked


def test_the_judge_knows_what_others_know() -> None:
    """Which tests from the text the code passes, and where the coder itself is not sure."""
    _, asked = judged("L1.1", "4 passed in 0.02s")
    assert "- C1: test_greets_anna" in asked
    assert "- empty names were not thought of" in asked
