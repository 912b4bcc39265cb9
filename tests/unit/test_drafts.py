"""A draft becomes a document in the template's form, whatever the model's words hold."""

import copy
from pathlib import Path
from typing import Any

import pytest

from agent.drafter import Byline, Draft, written
from agent.drafter.rules import differences, unfit
from agent.prp import Prp, parse_prp
from agent.prp.fmt import format_prp
from agent.prp.headings import normalise
from agent.prp.lines import Role, heading, scan
from agent.prp.lint import lint
from tests.support.drafts import DRAFT, FILES

ROOT = Path(__file__).parents[2]
BYLINE = Byline(day="2026-11-24", author="prp draft, x", files=tuple(FILES))


def text_of(**changed: Any) -> tuple[Draft, str, Prp]:
    """Return a draft with some parts changed, its document, and what is read in it."""
    draft = Draft.model_validate({**copy.deepcopy(DRAFT), **changed})
    text = written(draft, BYLINE)
    return draft, text, parse_prp(text, path=Path("PRPs/x.md"))


def headings(text: str) -> list[str]:
    """Return the words of all headings."""
    lines, _ = scan(text)
    return [normalise(heading(line)[1]) for line in lines if line.role is Role.HEADING]


class TestWritten:
    """The document of a draft."""

    def test_every_part_of_the_template_is_there(self) -> None:
        """In its order, with its words."""
        template = headings((ROOT / "PRPs/templates/base.md").read_text())[1:]
        ours = headings(text_of()[1])[1:]
        assert [name.split(":")[0] for name in ours] == [name.split(":")[0] for name in template]

    def test_what_was_meant_is_read(self) -> None:
        """Also where the model's words hold headings, marks, colons and quotes."""
        draft, text, prp = text_of()
        assert list(differences(draft, prp)) == []
        assert [f for f in lint(prp).findings if f.code not in ("R02", "R03")] == []
        assert [check.command for check in prp.checks] == [
            command["run"] for level in DRAFT["levels"].values() for command in level
        ]
        assert [str(path) for path in prp.desired_files] == ["tests/test_rounding.py"]
        assert prp.references[0].gotcha == "Cents are whole numbers # always"
        assert prp.test_specs[0].path == "tests/test_rounding.py"
        assert "not a heading" not in headings(text)

    def test_the_formatter_changes_nothing(self) -> None:
        """It is written in the template's form."""
        text = text_of()[1]
        assert format_prp(text) == text

    def test_open_questions_are_shown_by_lint(self) -> None:
        """With what the draft assumes meanwhile."""
        asked = [{"question": "To five or to ten?", "assumed": "five."}]
        _, text, prp = text_of(questions=asked)
        (found,) = [f for f in lint(prp).findings if f.code == "R23"]
        assert text.split("\n")[found.line - 1] == "- To five or to ten? Assumed: five."

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            pytest.param({"criteria": ["a", "b"]}, [], id="plain criteria"),
            pytest.param(
                {"levels": {"unit": [{"run": "# nothing"}]}}, ["as one check"], id="a comment"
            ),
            pytest.param({"levels": {"unit": [{"run": "cd x"}]}}, ["as one check"], id="only cd"),
            pytest.param({"levels": {}}, ["no command"], id="no command"),
        ],
    )
    def test_what_is_read_otherwise_is_said(self, changed: dict[str, Any], said: list[str]) -> None:
        """So that the model writes it in another way."""
        draft, _, prp = text_of(**changed)
        reasons = list(differences(draft, prp))
        assert len(reasons) == len(said), reasons
        assert all(words in reason for words, reason in zip(said, reasons, strict=True))


class TestUnfit:
    """What can't be meant, given the files."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (("CREATE", "till/money.py"), "is there: MODIFY it"),
            (("MODIFY", "till/cash.py"), "there is no till/cash.py"),
            (("DELETE", "till/cash.py"), "there is no till/cash.py"),
        ],
    )
    def test_tasks_fit_the_repository(self, change: tuple[str, str], said: str) -> None:
        """What is there can't be created, what is not can't be changed."""
        verb, path = change
        tasks = [{"title": "x", "changes": [{"verb": verb, "path": path, "does": ["y"]}]}]
        draft, _, _ = text_of(tasks=tasks)
        assert said in next(unfit(draft, FILES))

    def test_given_tests_stay(self) -> None:
        """New tests go into a new file."""
        tests = [{**DRAFT["tests"][0], "path": "tests/test_money.py"}]
        draft, _, _ = text_of(tests=tests)
        assert "there already" in next(unfit(draft, FILES))


def test_a_further_answer_needs_only_what_changes() -> None:
    """The rest stays; a part that was never written is named."""
    whole = Draft.model_validate(DRAFT)
    later = whole.renewed(Draft.model_validate({"goal": "Another."}))
    assert later.goal == "Another."
    assert later.criteria == whole.criteria
    assert Draft.model_validate({"title": "x"}).missing()[0] == "The part `kind` is missing."
    assert whole.missing() == []
