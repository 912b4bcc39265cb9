"""Several attempts at the whole: the best one, as the verifier judges, is gone on with."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from agent.coder import Assignment
from agent.journal import (
    AttemptVerified,
    CandidateChosen,
    CheckFinished,
    CriterionJudged,
    Event,
    HoldoutTried,
    MutantsTried,
    Record,
    TaskFinished,
)
from agent.journal.about import about, at_hand
from agent.steps import Json, at_once, step
from agent.verifier import Verdict
from agent.workspace import Worktree
from agent.workspace.beside import Beside

# What a report tells of a run is told again of the candidate that it goes on with.
_TOLD_AGAIN = (
    TaskFinished,
    CheckFinished,
    MutantsTried,
    HoldoutTried,
    CriterionJudged,
    AttemptVerified,
)


@dataclass(kw_only=True)
class Memory:
    """Remembers what was told of each candidate, and what the coder said of the run's own tasks."""

    record: Record
    earlier: Sequence[TaskFinished] = ()
    """What was said of work that a run began afresh goes on with."""
    told: dict[int, list[Event]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, event: Event) -> None:
        """Record an event, and remember it where somebody asks for it later."""
        number = at_hand().get("candidate", 0)
        if isinstance(event, _TOLD_AGAIN if number else TaskFinished):
            self.told[number].append(event)
        self.record(event)

    def doubts(self) -> tuple[str, ...]:
        """Return where the coder says that it deviated, and what it doubts, of all of its tasks."""
        told = self.told[at_hand().get("candidate", 0)]
        done = [*self.earlier, *(event for event in told if isinstance(event, TaskFinished))]
        words = (
            f"{f'Task {event.task}: ' if event.task else ''}{words}"
            for event in done
            for words in (*event.deviations, *event.doubts)
        )
        return tuple(dict.fromkeys(words))

    def last_words(self) -> tuple[str, ...]:
        """Return what the coder says of its last task: what it did, and what it doubts."""
        done = [event for event in self.told[0] if isinstance(event, TaskFinished)]
        last = done[-1:] or self.earlier[-1:]
        return tuple(
            words
            for event in last
            for words in (event.summary, *event.deviations, *event.doubts)
            if words
        )


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Candidates for one attempt, each in a worktree of its own from the same commit."""

    count: int
    jobs: int
    """How many are at work at the same time."""
    carry_out: Callable[[Sequence[Assignment], int, Worktree], Awaitable[object]]
    """Has the whole work done in a worktree."""
    verify: Callable[[Worktree, int], Awaitable[Verdict]]
    beside: Callable[[str, str], Beside]
    memory: Memory
    strict: bool

    async def hold(self, work: Sequence[Assignment], attempt: int, tree: Worktree) -> Verdict:
        """Let all do the whole work, judge each, go on with the best; return its verdict.

        The first that stops on its way stops the run: taken up, all go on where they were.
        """
        numbers = range(1, self.count + 1)
        start = tree.head()
        lanes = {f"candidate {n}": partial(self._try, n, work, attempt, start) for n in numbers}
        came = await at_once(lanes, most=self.jobs)
        places: dict[int, Beside] = {}
        for number, place in zip(numbers, came.values(), strict=True):
            if isinstance(place, Exception):
                raise place
            places[number] = place
        # One after the other: their servers want the same ports, and the tests from the text are
        # written once for all.
        verdicts = {n: await self._judge(n, place, attempt) for n, place in places.items()}
        best = max(numbers, key=lambda n: self._worth(n, verdicts[n], places[n]))
        await self._go_on_with(best, verdicts, places, attempt, tree)
        for event in self.memory.told[best]:
            self.memory(event)
        return verdicts[best]

    async def _try(
        self, number: int, work: Sequence[Assignment], attempt: int, start: str
    ) -> Beside:
        with about(candidate=number):
            place = self.beside(f"candidate-{number}", start)
            await self.carry_out(work, attempt, place)
            return place

    async def _judge(self, number: int, place: Beside, attempt: int) -> Verdict:
        with about(candidate=number):
            await place.require()
            return await self.verify(place, attempt)

    def _worth(self, number: int, verdict: Verdict, place: Beside) -> tuple[object, ...]:
        """Return how good a candidate is; of equals the one that changes less, then the first."""
        return (verdict.holds(strict=self.strict), verdict.score, -len(place.diff()), -number)

    async def _go_on_with(
        self,
        best: int,
        verdicts: dict[int, Verdict],
        places: dict[int, Beside],
        attempt: int,
        tree: Worktree,
    ) -> None:
        chosen = places[best].head()

        async def do() -> Json:
            tree.go_on_from(chosen)
            if tree.follow:
                tree.follow(chosen)
            return {str(n): place.keep() for n, place in places.items() if n != best}

        kept = await step("candidate", do, settles=True)
        tree.at = chosen
        self.memory.record(
            CandidateChosen(
                attempt=attempt,
                chosen=best,
                candidates=tuple(
                    {
                        "candidate": number,
                        "commit": places[number].head(),
                        "kept": kept.get(str(number), ""),
                        "outcome": _in_words(verdict),
                    }
                    for number, verdict in verdicts.items()
                ),
            )
        )
        for place in places.values():
            place.close()


def _in_words(verdict: Verdict) -> str:
    if verdict.holds(strict=False):
        return f"holds{verdict.how}"
    failures = verdict.in_words()
    more = f" and {len(failures) - 1} more" if len(failures) > 1 else ""
    return f"{failures[0]}{more}" if failures else f"nothing fails, but {verdict.missing}"
