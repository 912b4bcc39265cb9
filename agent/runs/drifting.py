"""What of a PRP no longer holds on the current branch, months after it was carried out."""

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from agent.errors import EnvironmentProblem, Exit
from agent.execute import Ending
from agent.journal import ContractFrozen, Noted, Record
from agent.llm.budget import Meter
from agent.prp import read_prp
from agent.runs.desk import Desk, Order, lay_out, name_of
from agent.runs.ending import Done
from agent.runs.folder import RunFolder
from agent.runs.kept import Kept, kept_by, latest_kept
from agent.runs.opening import opened
from agent.runs.verifying import guessed_proofs, looked_at
from agent.settings import load_settings
from agent.verifier import CheckResult, Contract, Room, Status, Verdict, clean_room, freeze, measure
from agent.verifier.changes import edits_between
from agent.verifier.drift import Later, still_holds
from agent.verifier.evidence import Facts, decide
from agent.verifier.holdout_room import outcome_of
from agent.verifier.objections import Objection, Weight
from agent.verifier.scrutiny import about_given_tests, steadied
from agent.verifier.verify import finished_event, tell_verdict
from agent.workspace import FileProblem, Repository
from agent.workspace.files import every_file, read_text

_STAGE = "attempt 1"
_ALONE = "the PRP alone"


def drift_order(order: Order, *, branch: str, run: str, listen: Record) -> Done:
    """Say what of a PRP no longer holds; no model is asked, nothing in the repository changes.

    Args:
        order: The PRP and the settings.
        branch: A branch, a tag or a hash.
        run: Names the run whose evidence counts; empty for the last that proved the document,
            `none` for no evidence but what the document says.
        listen: Is told of every event.

    Raises:
        PrpError: The order can't be begun, or the run that was named shows nothing.

    """
    prp = read_prp(order.prp)
    repository = Repository.open((order.folder or Path.cwd()).resolve())
    commit = repository.resolve(branch)
    settings = load_settings(order.flags, root=repository.root, tracked=repository.is_tracked)
    if run == "none":
        kept = None
    elif run:
        kept = kept_by(settings.state_dir, run)
    else:
        name = name_of(order.prp, repository.root)
        kept = latest_kept(settings.state_dir, repository, prp, name)
    then = _known(repository, kept.commit) if kept else ""
    desk = lay_out(
        dataclasses.replace(
            order,
            base=then or commit,
            roles=(),
            text_from=kept.document if kept else None,
            need_references=False,
        )
    )
    look = _Look(
        desk=desk, kept=kept, then=then, commit=commit, is_same=kept is None or kept.is_of(prp)
    )
    return looked_at(
        desk,
        look.verdict,
        branch=branch,
        commit=commit,
        end=partial(_end, kept, strict=desk.settings.strict),
        listen=listen,
        against=kept.folder.id if kept else _ALONE,
    )


def _known(repository: Repository, commit: str) -> str:
    """Return a commit of an earlier run where the repository still has it."""
    try:
        return repository.resolve(commit)
    except EnvironmentProblem:
        return ""


@dataclass(frozen=True, kw_only=True)
class _Look:
    """One look at a commit, with what was shown of an earlier one."""

    desk: Desk
    kept: Kept | None
    then: str
    """The commit of the earlier run; empty where it is unknown."""
    commit: str
    is_same: bool
    """Whether the document says what it said then."""

    async def verdict(self, folder: RunFolder, record: Record) -> Verdict:
        """Return what still holds."""
        desk = self.desk
        meter = Meter(desk.budget, prices=desk.settings.prices)
        async with (
            opened(desk, commit=self.commit, record=record) as equipped,
            meter.within_time(),
        ):
            rooms = _Rooms(desk=equipped, folder=folder)
            self._introduce(record)
            # People's tests and configuration count as they are on each commit.
            contract = freeze(desk.prp, files={})
            record(ContractFrozen(files={}, checks=tuple(check.id for check in contract.checks)))
            async with rooms.open(contract, self.commit) as room:
                found = await self._found(contract, room, rooms, record)
        tell_verdict(found, record)
        return found

    def _introduce(self, record: Record) -> None:
        if self.kept is None:
            text = "no run has shown anything of it: failures are certain, what passes is unproven"
            record(Noted(text=text))
            return
        record(Noted(text=f"held against run {self.kept.folder.id}, shown {self.kept.since}"))
        if not self.is_same:
            words = "has changed since; the words that the run had count"
            record(Noted(text=f"{self.desk.prp_name} {words}", warning=True))
        if not self.then:
            words = "is not in this repository any more, so its tests can't be compared"
            record(Noted(text=f"commit {self.kept.commit[:12]} {words}", warning=True))

    async def _found(
        self, contract: Contract, room: Room, rooms: "_Rooms", record: Record
    ) -> Verdict:
        results = await measure(contract, room, stage=_STAGE, record=record)
        results = await steadied(
            results, room, lambda r: record(finished_event(r, _STAGE, room)), only_failed=True
        )
        by_id = {result.check.id: result for result in results}
        if self.kept is None:
            facts = Facts(results=by_id, baseline={})
            proofs = {proof.criterion: proof for proof in guessed_proofs(contract.prp)}
            criteria = [decide(c, proofs.get(c.id), facts) for c in contract.prp.promises]
            return Verdict(attempt=1, commit=self.commit, facts=facts, criteria=tuple(criteria))
        return await self._against(self.kept, contract, room, rooms, by_id, record)

    async def _against(
        self,
        kept: Kept,
        contract: Contract,
        room: Room,
        rooms: "_Rooms",
        results: Mapping[str, CheckResult],
        record: Record,
    ) -> Verdict:
        tests = await _tests_from_text(kept, room)
        before = await self._there(kept, contract, rooms, results, tests, record)
        later = Later(
            since=kept.since,
            results=results,
            not_passed_then={n for n, r in results.items() if not _passed_then(kept, r)},
            fails_there_too=before.failing,
            tests=tests,
            read=partial(_text_of, room),
        )
        shown = kept.shown(contract.prp)
        criteria = [
            still_holds(c, shown[c.id], later) for c in contract.prp.promises if c.id in shown
        ]
        own = {name: result for name, result in results.items() if not _is_excused(result, later)}
        return Verdict(
            attempt=1,
            commit=self.commit,
            facts=Facts(results=own, baseline={}),
            criteria=tuple(criteria),
            objections=(
                *_about_lost_tests(kept, results, before.results),
                *await self._about_edited_tests(contract, room, list(results.values())),
            ),
        )

    async def _there(
        self,
        kept: Kept,
        contract: Contract,
        rooms: "_Rooms",
        results: Mapping[str, CheckResult],
        tests: Mapping[str, bool],
        record: Record,
    ) -> "_There":
        """Run on the earlier commit what says less now, to tell the code from what it needs."""
        asked = [
            r.check
            for r in results.values()
            if (r.failed and _passed_then(kept, r)) or _ran_more(kept, r)
        ]
        broken = not all(tests.values())
        if not self.then or not (asked or broken):
            return _There()
        async with rooms.open(contract, self.then) as room:
            some = dataclasses.replace(contract, checks=tuple(asked))
            found = await measure(some, room, stage="baseline", record=record)
            there = await _tests_from_text(kept, room) if broken else {}
        failing = {result.check.id for result in found if result.failed}
        failing |= {name for name, passes in there.items() if not passes}
        return _There(failing=failing, results={result.check.id: result for result in found})

    async def _about_edited_tests(
        self, contract: Contract, room: Room, results: Sequence[CheckResult]
    ) -> list[Objection]:
        """Weigh what became of the tests that the run had written or changed."""
        if not self.then or self.kept is None:
            return []
        repository = self.desk.repository
        own = {
            file.path
            for file in repository.changed(self.kept.story.started["base"], self.then)
            if contract.is_test(file.path)
        }
        edits = [e for e in edits_between(repository, self.then, self.commit) if e.path in own]
        files = set(every_file(room.path))
        found = await about_given_tests(contract, room, edits, results, files)
        return [_for_a_person(objection) for objection in found]


@dataclass(frozen=True, kw_only=True)
class _There:
    """What came of a part of the evidence on the run's own commit, run today."""

    failing: frozenset[str] | set[str] = frozenset()
    results: Mapping[str, CheckResult] = dataclasses.field(default_factory=dict)


@dataclass(kw_only=True)
class _Rooms:
    """Opens clean rooms in which every file is as its commit has it."""

    desk: Desk
    folder: RunFolder

    def __post_init__(self) -> None:
        self._numbers = count(1)

    @asynccontextmanager
    async def open(self, contract: Contract, commit: str) -> AsyncIterator[Room]:
        """Open a clean room with a commit in it."""
        made = clean_room(
            self.desk.repository,
            commit,
            contract,
            base=commit,
            folder=self.folder.path / f"room-{next(self._numbers)}",
            sandbox=self.desk.sandbox,
            toolchain=await self.desk.toolchain_for(commit),
            check_timeout=self.desk.settings.check_timeout,
        )
        async with made as room:
            yield room


async def _tests_from_text(kept: Kept, room: Room) -> Mapping[str, bool]:
    given = kept.tests_from_text()
    if not given.tests:
        return {}
    try:
        passing, _ = await outcome_of(given, room)
    except FileProblem:
        return {}  # something else lies where they would
    return passing


def _passed_then(kept: Kept, result: CheckResult) -> bool:
    """Return whether a check passed when the run ended; without a word it counts as if it had."""
    event = kept.result_of(result.check)
    return event is None or event["state"] == "passed"


def _ran_more(kept: Kept, result: CheckResult) -> bool:
    event = kept.result_of(result.check) or {}
    counts = event.get("tests") or {}
    ran = counts.get("passed", 0) + counts.get("failed", 0)
    now = result.tests.ran if result.tests else 0
    return bool(result.passed and now < ran)


def _is_excused(result: CheckResult, later: Later) -> bool:
    return result.failed and not later.broke(result)


def _text_of(room: Room, path: str) -> str | None:
    try:
        return read_text(room.path, path)
    except FileProblem:
        return None


def _about_lost_tests(
    kept: Kept, results: Mapping[str, CheckResult], there: Mapping[str, CheckResult]
) -> list[Objection]:
    """Name tests that ran when the run ended and don't run now."""
    found = []
    for name, result in results.items():
        if not _ran_more(kept, result):
            continue
        before = there.get(name)
        lost = before.tests.lost(result.tests) if before and before.tests and result.tests else ()
        named = f": {', '.join(lost[:3])}{' and more' if len(lost) > 3 else ''}" if lost else ""
        event = kept.result_of(result.check) or {}
        ran = event["tests"]["passed"] + event["tests"]["failed"]
        now = result.tests.ran if result.tests else 0
        what = f"it ran {ran} tests {kept.since} and runs {now} now{named}"
        found.append(Objection(weight=Weight.ASKED, place=name, what=what))
    return found


def _for_a_person(objection: Objection) -> Objection:
    """Return what a person may have meant to do in the meantime as a question."""
    weight = Weight.ASKED if objection.weight is Weight.REFUSED else objection.weight
    return dataclasses.replace(objection, weight=weight, what=f"since then, {objection.what}")


_FINE = (Status.PROVEN, Status.JUDGED, Status.PRE_EXISTING)


def _end(kept: Kept | None, found: Verdict, *, strict: bool) -> tuple[Ending, int, str]:
    since = f"shown {kept.since}" if kept else "that a check shows"
    gone = [c for c in found.criteria if c.status is Status.FAILED]
    if gone or found.failures:
        lost = f"{len(gone)} of {len(found.criteria)} criteria no longer hold"
        failing = ", ".join(result.check.id for result in found.failures)
        said = [*([lost] if gone else []), *([f"failing: {failing}"] if failing else [])]
        return Ending.FAILED, Exit.FAILED, "; ".join(said)
    if found.holds(strict=strict):
        return Ending.PROVEN, Exit.PROVEN, f"everything {since} still holds{found.how}"
    return Ending.UNPROVEN, Exit.UNPROVEN, f"no check fails, but {_open(found)}"


def _open(found: Verdict) -> str:
    left = sum(c.status not in _FINE for c in found.criteria)
    asked = [f"a person has to say: {o}" for o in found.objections_of(Weight.ASKED)]
    return "; ".join([*([f"{left} criteria can't be shown"] if left else []), *asked[:3]]) or (
        found.missing
    )
