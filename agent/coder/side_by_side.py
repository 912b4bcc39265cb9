"""Carries out the work of an attempt: what does not rest on each other at the same time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from agent.coder.assignments import Assignment, after_others, beside, once_more
from agent.coder.code import Change
from agent.coder.rounds import rounds
from agent.journal import Record, TaskClashed, TaskFinished, TaskStarted, TaskWaits
from agent.journal.about import about
from agent.llm.conversation import Talk
from agent.steps import Json, meanwhile, step, to_its_end, under_way
from agent.workspace import Worktree, clip
from agent.workspace.beside import Beside, take_in

_SHOWN_DIFF = 20_000


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What came of one assignment that was carried out beside others."""

    tree: Beside
    change: Change


@dataclass(frozen=True, kw_only=True)
class Team:
    """Coders, one or several, on the work of one attempt."""

    code: Callable[[Assignment, Worktree, Talk | None], Awaitable[Change]]
    """Carries out one assignment in a worktree, in a conversation that may have begun before."""
    beside: Callable[[str, str], Beside]
    """Opens a worktree of the name beside the run's own, at a commit."""
    record: Record
    jobs: int
    """How many assignments are carried out at the same time."""
    done: list[str] = field(default_factory=list)
    """What was carried out so far, in words: for conversations that did not see it."""

    async def carry_out(
        self,
        work: Sequence[Assignment],
        attempt: int,
        tree: Worktree,
        talk: Talk | None = None,
    ) -> Talk | None:
        """Have all of it done, and commit each assignment for itself.

        Args:
            work: In its order.
            attempt: The attempt that it belongs to.
            tree: Where the commits go.
            talk: A conversation to go on with.

        Returns:
            The last conversation, to go on with; None where the next should start afresh.

        Raises:
            PrpError: One was stopped on its way. What was finished before it, in the order of the
                work, is committed.

        """
        for together in await self._rounds(work):
            if len(together) > 1:
                await self._together(together, attempt, tree)
                talk = None
            else:
                talk = await self._alone(together[0], attempt, tree, talk)
        return talk

    async def _rounds(self, work: Sequence[Assignment]) -> Sequence[Sequence[Assignment]]:
        found, in_order = rounds(work), [(one,) for one in work]
        if len(found) == len(work):
            return in_order

        async def choose() -> Json:
            return self.jobs > 1

        # A step: a run that is taken up with another number of jobs must not go another way.
        return found if await step("side by side", choose) else in_order

    async def _alone(
        self, one: Assignment, attempt: int, tree: Worktree, talk: Talk | None
    ) -> Talk | None:
        self.record(TaskStarted(attempt=attempt, task=one.number, title=one.title))
        change = await self.code(one if talk else after_others(one, self.done), tree, talk)
        before = tree.head()
        commit = await tree.commit_once(_message(one), body=change.summary)
        await self._finished(one, attempt, tree, change, before=before, commit=commit)
        return change.talk

    async def _together(self, work: Sequence[Assignment], attempt: int, tree: Worktree) -> None:
        """Carry out in worktrees of their own; put together in the order of the work.

        Each is joined as soon as all before it are, while others still go on.
        """
        start, as_committed = tree.head(), False
        lanes = {
            f"task {one.number}": partial(
                self._in_lane, beside(after_others(one, self.done), work), attempt, start
            )
            for one in work
        }
        async with under_way(lanes, most=self.jobs) as came_of, meanwhile() as begin:
            for name, one in zip(lanes, work, strict=True):
                part = await came_of(name)
                if isinstance(part, Exception):
                    raise part
                with about(task=one.number):
                    as_committed = await self._join(
                        one, part, attempt, tree, since=start, as_committed=as_committed
                    )
                begin(part.tree.close)

    async def _in_lane(self, one: Assignment, attempt: int, start: str) -> _Part:
        with about(task=one.number):
            self.record(TaskStarted(attempt=attempt, task=one.number, title=one.title))
            tree = self.beside(f"task-{one.number}", start)
            change = await self.code(one, tree, None)
            await tree.commit_once(_message(one), body=change.summary)
            self.record(TaskWaits(attempt=attempt, task=one.number, summary=change.summary))
            return _Part(tree=tree, change=change)

    async def _join(
        self,
        one: Assignment,
        part: _Part,
        attempt: int,
        tree: Worktree,
        *,
        since: str,
        as_committed: bool,
    ) -> bool:
        """Join a part; return whether the files are known to be those of the commit."""
        message, body = _message(one), part.change.summary
        is_new = False

        def join(made: str) -> Json:
            joined, clashing = take_in(tree, since, made, as_committed=as_committed)
            if clashing:
                changes = clip(tree.repository.diff(since, made), limit=_SHOWN_DIFF)
                return {"commit": None, "clashing": clashing, "changes": changes}
            commit = tree.commit_tree(joined, message, body=body)
            if commit and tree.follow:
                tree.follow(commit)
            return {"commit": commit, "clashing": (), "changes": ""}

        async def do() -> Json:
            nonlocal is_new
            is_new = True
            await part.tree.require()
            made = part.tree.head()
            return await to_its_end(lambda: join(made))

        before = tree.head()
        told = await step("join", do, settles=True)
        if told["clashing"]:
            files = tuple(told["clashing"])
            self.record(TaskClashed(attempt=attempt, task=one.number, files=files))
            again = once_more(one, clashing=files, changes=told["changes"])
            await self._alone(again, attempt, tree, None)
            return False
        tree.at = told["commit"] or tree.at
        await self._finished(one, attempt, tree, part.change, before=before, commit=told["commit"])
        return is_new

    async def _finished(
        self,
        one: Assignment,
        attempt: int,
        tree: Worktree,
        change: Change,
        *,
        before: str,
        commit: str | None,
    ) -> None:
        changed = await to_its_end(lambda: tree.changed(before)) if commit else ()
        files = tuple(file.path for file in changed)
        self.done.append(_in_words(one, files, change))
        self.record(
            TaskFinished(
                attempt=attempt,
                task=one.number,
                commit=commit,
                files=files,
                summary=change.summary,
                deviations=change.deviations,
                doubts=change.doubts,
            )
        )


def _in_words(one: Assignment, files: Sequence[str], change: Change) -> str:
    """Return what came of an assignment, for whoever goes on with it."""
    told = [f"- {_message(one)} ({', '.join(files) or 'no file changed'}): {change.summary}"]
    told += [f"  - not as it was asked: {words}" for words in change.deviations]
    told += [f"  - in doubt: {words}" for words in change.doubts]
    return "\n".join(told)


def _message(one: Assignment) -> str:
    return f"Task {one.number}: {one.title}" if one.number else one.title
