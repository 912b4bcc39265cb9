"""Coders side by side, made of plain functions, on real worktrees."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.coder import Assignment, Change, Team
from agent.errors import ProviderUnavailable
from agent.journal import Event, TaskClashed, TaskFinished
from agent.llm.conversation import Talk
from agent.workspace import Repository, Worktree, open_worktree
from agent.workspace.beside import Beside, open_beside
from tests.support.project import Project

_WAIT = 60.0


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Worktree]:
    """A worktree of a repository with two files."""
    project = Project(tmp_path / "project", {"one": "1\n", "two": "a\nb\nc\nd\ne\n"})
    repository = Repository.open(project.root)
    base = repository.resolve("HEAD")
    with open_worktree(repository, tmp_path / "tree", branch="prp/x", base=base) as tree:
        yield tree


def work(count: int) -> list[Assignment]:
    """Return so many assignments that have nothing to do with each other, by what is said."""
    return [
        Assignment(number=n, title=f"Part {n}", request="", files=frozenset({f"part_{n}"}))
        for n in range(1, count + 1)
    ]


class Crew:
    """Writes each part; what else it does is its tests' to say."""

    def __init__(self, tree: Worktree, *, jobs: int) -> None:
        self.tree, self.places = tree, dict[int, Worktree]()
        self.events: list[Event] = []
        self.joined = asyncio.Event()
        self._team = Team(code=self._code, beside=self._beside, record=self._told, jobs=jobs)

    async def meanwhile(self, number: int, place: Worktree, /) -> None:
        """Do something more for a task."""

    async def _code(self, one: Assignment, place: Worktree, _talk: Talk | None) -> Change:
        self.places.setdefault(one.number, place)
        (place.path / f"part_{one.number}").write_text(f"{one.number}\n")
        await self.meanwhile(one.number, place)
        return Change(summary="done")

    def _beside(self, name: str, at: str) -> Beside:
        return open_beside(self.tree, self.tree.path.parent / name, at=at)

    def _told(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, TaskFinished):
            self.joined.set()

    def carry_out(self, count: int) -> list[str]:
        """Have so many tasks done; return the subjects of the commits, oldest first."""
        asyncio.run(self._team.carry_out(work(count), 1, self.tree))
        return self.subjects()

    def subjects(self) -> list[str]:
        """Return the subjects of the branch's commits, oldest first."""
        span = f"{self.tree.base}..{self.tree.ref}"
        return self.tree.git.text("log", "--reverse", "--format=%s", span).splitlines()


def test_a_task_is_joined_while_others_still_go_on(tree: Worktree) -> None:
    """Given a second task that ends only after the first is joined, then both are."""

    class Waits(Crew):
        async def meanwhile(self, number: int, _place: Worktree, /) -> None:
            if number == 2:
                await asyncio.wait_for(self.joined.wait(), _WAIT)

    assert Waits(tree, jobs=2).carry_out(2) == ["Task 1: Part 1", "Task 2: Part 2"]
    assert sorted(path.name for path in tree.path.glob("part_*")) == ["part_1", "part_2"]


def test_all_of_a_round_begin_at_the_same_commit(tree: Worktree) -> None:
    """Given a task that begins after another one was joined, then it does not see its work."""

    class Late(Crew):
        async def meanwhile(self, number: int, _place: Worktree, /) -> None:
            if number == 2:
                await asyncio.wait_for(self.joined.wait(), _WAIT)

    crew = Late(tree, jobs=2)
    assert len(crew.carry_out(4)) == 4
    assert {place.start for place in crew.places.values() if isinstance(place, Beside)} == {
        tree.base
    }


def test_what_one_stops_at_does_not_end_the_others(tree: Worktree) -> None:
    """Given a first task that stops while the second goes on, then the second comes to its end."""
    ended: list[int] = []

    class Stops(Crew):
        async def meanwhile(self, number: int, _place: Worktree, /) -> None:
            if number == 1:
                self.joined.set()
                raise ProviderUnavailable("down")
            await asyncio.wait_for(self.joined.wait(), _WAIT)
            await asyncio.sleep(0)
            ended.append(number)

    crew = Stops(tree, jobs=2)
    with pytest.raises(ProviderUnavailable):
        crew.carry_out(2)
    assert ended == [2]
    assert crew.subjects() == []


def test_the_files_are_those_of_the_commit_after_each_join(tree: Worktree) -> None:
    """Given changes to one file that fit, and some that don't, then nothing of them is left over.

    What does not fit is carried out again, in the worktree of the run itself.
    """

    class Shares(Crew):
        async def meanwhile(self, number: int, place: Worktree, /) -> None:
            lines = (place.path / "two").read_text().splitlines()
            lines[{1: 0, 2: 4, 3: 0, 4: 2}[number]] = f"of {number}"
            (place.path / "two").write_text("\n".join([*lines, ""]))

    crew = Shares(tree, jobs=4)
    assert crew.carry_out(4) == [f"Task {n}: Part {n}" for n in (1, 2, 3, 4)]
    assert [e.task for e in crew.events if isinstance(e, TaskClashed)] == [3]
    assert tree.git.text("status", "--porcelain") == ""
    assert (tree.path / "two").read_text() == "of 3\nb\nof 4\nd\nof 2\n"
    assert [e.files for e in crew.events if isinstance(e, TaskFinished)] == [
        (f"part_{n}", "two") for n in (1, 2, 3, 4)
    ]


def test_what_the_folder_held_without_a_commit_is_in_no_join(tree: Worktree) -> None:
    """Given a file that somebody changed in the run's worktree, then the commits don't hold it."""
    (tree.path / "one").write_text("changed\n")
    crew = Crew(tree, jobs=2)
    crew.carry_out(2)
    assert tree.repository.read(tree.head(), "one") == b"1\n"
    assert (tree.path / "one").read_text() == "1\n"
