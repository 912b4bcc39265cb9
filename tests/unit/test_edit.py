"""Edits land where they are meant, or nowhere, and say so."""

import pytest

from agent.workspace import apply_edit, clip, syntax_problem

TEXT = "def a():\n    x = 1\n    return x\n\n\ndef b():\n    x = 1\n    return x + 1\n"


class TestApplyEdit:
    """From exact to tolerant."""

    def test_an_exact_match_is_replaced(self) -> None:
        """And the line is named."""
        result = apply_edit(TEXT, "return x + 1", "return x + 2")
        assert result.text is not None
        assert "return x + 2" in result.text
        assert "line 8" in result.message

    def test_a_text_that_occurs_twice_is_refused(self) -> None:
        """With the lines to choose from."""
        result = apply_edit(TEXT, "    x = 1\n", "    x = 2\n")
        assert result.text is None
        assert "2 times, at lines 2, 7" in result.message

    def test_every_place_is_replaced_when_asked(self) -> None:
        """Both."""
        result = apply_edit(TEXT, "x = 1", "x = 2", replace_all=True)
        assert result.text is not None
        assert result.text.count("x = 2") == 2

    def test_wrong_indentation_is_forgiven_and_mended(self) -> None:
        """The new lines get the file's indentation."""
        result = apply_edit(TEXT, "x = 1\nreturn x + 1", "x = 3\nreturn x + 3")
        assert result.text is not None
        assert "    x = 3\n    return x + 3\n" in result.text
        assert "white space" in result.message

    def test_a_close_match_is_reported_as_such(self) -> None:
        """So that nobody takes it for exact."""
        text = "def total(values):\n    return sum(value for value in values)\n"
        result = apply_edit(text, "    return sum(valu for value in values)", "    return 0")
        assert result.text == "def total(values):\n    return 0\n"
        assert "close match" in result.message
        assert result.message.endswith("\n    return sum(value for value in values)")

    def test_an_edit_that_is_made_already_is_recognised(self) -> None:
        """Instead of a second failure."""
        result = apply_edit(TEXT, "return x + 9", "return x + 1")
        assert result.text is None
        assert "already" in result.message

    def test_a_miss_shows_the_nearest_lines(self) -> None:
        """With their numbers."""
        result = apply_edit(TEXT, "def b(y, z, extra):\n    x = y * z\n", "pass")
        assert result.text is None
        assert "Nearest are lines" in result.message


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("a.py", "def f(:\n", "line 1"),
        ("a.json", "{", "line 1"),
        ("a.toml", "x = ", "Invalid value"),
        ("a.py", "x = 1\n", ""),
        ("a.txt", "def f(:", ""),
    ],
)
def test_syntax_is_looked_at(path: str, text: str, words: str) -> None:
    """Before anything is written."""
    assert words in syntax_problem(path, text)
    assert bool(words) == bool(syntax_problem(path, text))


class TestClip:
    """Long output, shortened so that nobody takes it for whole."""

    def test_both_ends_stay_and_the_gap_is_named(self) -> None:
        """Cut at line borders, with the lines to read."""
        output = "\n".join(f"line {n}" for n in range(1, 1001))
        shown = clip(output, limit=200, log="log:4")
        assert shown.startswith("line 1\n")
        assert shown.endswith("line 1000")
        assert "of 1000 left out; read log:4:" in shown

    def test_short_output_stays_as_it_is(self) -> None:
        """To the byte."""
        assert clip("a\nb\n", limit=200) == "a\nb\n"


class TestAgainstWhoeverWantsItToTakeForEver:
    """Whatever is asked for, the answer comes, and the file stays in bounds."""

    def test_a_replacement_that_would_grow_without_bounds_is_refused(self) -> None:
        """Before memory is full, not after."""
        result = apply_edit("a" * 1_000_000, "a", "b" * 1_000_000, replace_all=True)
        assert result.text is None
        assert "5 MiB" in result.message

    @pytest.mark.parametrize("old", ["x\n" * 300_000, "xy" * 1_000_000, "ab\n" * 5_000 + "c"])
    def test_a_huge_text_that_is_nowhere_gets_an_answer(self, old: str) -> None:
        """It says that there is nothing of the kind, or what is near."""
        result = apply_edit("ab\n" * 500_000, old, "new")
        assert result.text is None
        assert result.message.startswith("old is not in the file")

    def test_code_that_is_nested_without_end_has_a_problem(self) -> None:
        """Not we."""
        assert syntax_problem("a.py", "-" * 200_000 + "1")
        assert syntax_problem("a.json", "[" * 200_000)
