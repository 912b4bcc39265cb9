"""The coder's tools on a real worktree: what they answer is all that the model knows."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from agent.coder import Hands
from agent.coder.hands import Edit
from agent.journal import Event
from agent.llm.conversation import AgentFailed
from agent.prp import parse_prp
from agent.verifier.contract import freeze
from agent.verifier.watch import Watch
from agent.workspace import Reading
from tests.support.place import a_place


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[tuple[Hands, Path, list[Event]]]:
    """Hands on a worktree in which one test is frozen."""
    with a_place(tmp_path, src__a="x = 1\n", tests__test_old="assert True\n") as place:
        (tmp_path / "logs").mkdir()
        events: list[Event] = []
        hands = Hands(
            place.tree.path,
            sandbox=place.sandbox,
            toolchain=place.toolchain,
            logs=tmp_path / "logs",
            record=events.append,
            forbids=lambda path: "it is frozen" if path == "tests/test_old" else "",
            protect=["tests/test_old"],
        )
        yield hands, place.tree.path, events


Tools = tuple[Hands, Path, list[Event]]


def test_a_frozen_file_can_be_changed_by_no_tool(tree: Tools) -> None:
    """Neither by write and edit nor by a command."""
    hands, root, _ = tree
    edit = Edit(path="tests/test_old", old="True", new="1")
    assert "it is frozen" in asyncio.run(hands.write("tests/test_old", "pass\n"))
    assert "it is frozen" in asyncio.run(hands.edit([edit]))
    assert "exit status 0" not in asyncio.run(hands.run("echo pass > tests/test_old"))
    assert (root / "tests" / "test_old").read_text() == "assert True\n"


def test_paths_in_output_are_those_of_the_tools(tree: Tools) -> None:
    """A traceback names a file as `read` and `edit` do, not by where the worktree lies."""
    hands, root, _ = tree
    answer = asyncio.run(hands.run('echo "$PWD/src/a:1"; cat "$PWD/none"'))
    assert "\nsrc/a:1\n" in answer
    assert str(root) not in answer


def test_several_edits_stand_each_for_itself(tree: Tools) -> None:
    """One that fits is made although another does not."""
    hands, root, _ = tree
    answer = asyncio.run(
        hands.edit(
            [Edit(path="src/a", old="x = 1", new="x = 2"), Edit(path="no", old="a", new="b")]
        )
    )
    assert (root / "src" / "a").read_text() == "x = 2\n"
    first, second = answer.splitlines()
    assert "edited at line 1" in first
    assert "there is no such file" in second


def test_a_syntax_error_is_not_written(tree: Tools) -> None:
    """The model hears where it is."""
    hands, root, _ = tree
    answer = asyncio.run(hands.write("b.py", "def f(:\n"))
    assert "line 1" in answer
    assert not (root / "b.py").exists()


def test_a_failed_edit_keeps_the_task_open_once(tree: Tools) -> None:
    """Finishing in the same turn is not what the model meant."""
    hands, _, _ = tree
    asyncio.run(hands.edit([Edit(path="src/a", old="nothing like it", new="x")]))
    assert hands.loose_ends()
    assert not hands.loose_ends()


def test_a_failed_edit_stays_open_until_its_own_file_is_changed(tree: Tools) -> None:
    """Another file's edit that fits does not hide it; one of the same file does."""
    hands, _, _ = tree
    miss = Edit(path="src/a", old="nothing like it", new="x")
    # Given a miss, and then an edit of another file
    asyncio.run(hands.edit([miss]))
    asyncio.run(hands.write("b.txt", "b\n"))
    # Then the end is refused, and the file named
    (end,) = hands.loose_ends()
    assert "src/a" in end
    # But given that the file is changed after all
    asyncio.run(hands.edit([miss]))
    asyncio.run(hands.edit([Edit(path="./src/a", old="x = 1", new="x = 2")]))
    assert not hands.loose_ends()
    # And given a path that was a slip, then it is forgotten with the next change
    for slip in ("srcs/a", "a" * 5_000):
        asyncio.run(hands.edit([Edit(path=slip, old="x = 2", new="x = 3")]))
    asyncio.run(hands.edit([Edit(path="src/a", old="x = 2", new="x = 3")]))
    assert not hands.loose_ends()


def test_long_output_is_cut_and_can_be_read(tree: Tools) -> None:
    """The cut names the missing lines and how to get them."""
    hands, root, events = tree
    answer = asyncio.run(hands.run("seq 1 5000"))
    assert "of 5000 left out; read log:1:" in answer
    reading = Reading(root, role="coder", record=events.append, logs=root.parent / "logs")
    shown = asyncio.run(reading.read(["log:1:2500-2502"]))
    assert shown.splitlines() == ["=== log:1 (lines 2500-2502 of 5000)", "2500", "2501", "2502"]


def test_F50_a_call_that_leads_nowhere_is_stopped(tree: Tools) -> None:
    """First with a word, then for good."""
    hands, _, _ = tree
    edit = Edit(path="src/a", old="nothing like it", new="x")
    answers = [asyncio.run(hands.edit([edit])) for _ in range(5)]
    assert "had this very answer" not in answers[1]
    assert "had this very answer" in answers[2]
    with pytest.raises(AgentFailed, match="6 times"):
        asyncio.run(hands.edit([edit]))


def test_every_use_is_in_the_journal(tree: Tools) -> None:
    """With what it was asked for and what came of it."""
    hands, _, events = tree
    asyncio.run(hands.run("false"))
    started, used = events
    assert getattr(started, "command", "") == "false"
    assert getattr(used, "tool", "") == "run"
    assert getattr(used, "failed", False)


def test_of_many_frozen_files_the_most_deciding_are_protected_and_the_rest_is_put_back(
    tmp_path: Path,
) -> None:
    """Given 40 tests and their configuration, then what a command changes is undone."""
    files = {f"tests__test_{n:02}.py": f"assert {n}\n" for n in range(40)}
    with a_place(tmp_path, **files, **{"pyproject.toml": "[project]\n"}) as place:
        root = place.tree.path
        contract = freeze(parse_prp("# A\n", path=Path("a.md")), files=place.tree.blobs())
        assert contract.protected[0] == "pyproject.toml"
        assert len(contract.protected) < len(contract.files) == 41
        (tmp_path / "logs").mkdir()
        hands = Hands(
            root,
            sandbox=place.sandbox,
            toolchain=place.toolchain,
            logs=tmp_path / "logs",
            record=lambda _: None,
            forbids=contract.forbids,
            protect=contract.protected,
            put_back=partial(Watch.over_frozen(root, contract).put_back, root),
        )
        command = "echo pass > tests/test_39.py && rm tests/test_38.py && echo > tests/test_new.py"
        answer = asyncio.run(hands.run(command))
        assert "exit status 0" in answer
        for number in (38, 39):
            assert f"tests/test_{number}.py is frozen" in answer
            assert (root / f"tests/test_{number}.py").read_text() == f"assert {number}\n"
        assert (root / "tests/test_new.py").is_file()
        assert "put back" not in asyncio.run(hands.run("cat tests/test_39.py"))
        assert "exit status 0" not in asyncio.run(hands.run("echo > pyproject.toml"))
