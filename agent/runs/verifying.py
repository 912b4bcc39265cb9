"""The verdict on any branch, whoever made it: checks, evidence and report, without a coder."""

import dataclasses
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

from agent.errors import EnvironmentProblem, Exit, PrpError
from agent.execute import Ending
from agent.journal import ContractFrozen, Journal, Noted, Record, RunEnded
from agent.prp import Prp, read_prp
from agent.prp.lint import find_coverage
from agent.runs.alive import holding
from agent.runs.beginning import masked, office_of, started_as, warn
from agent.runs.desk import Desk, Order, lay_out
from agent.runs.ending import Done
from agent.runs.folder import RunFolder, new_run_folder
from agent.runs.lost import Paid
from agent.runs.opening import opened
from agent.runs.reporting import reported
from agent.runs.signals import with_signals
from agent.verifier import Proof, Verdict, freeze
from agent.workspace import Repository, clip

_SHOWN_DIFF = 40_000


def verify_order(order: Order, *, branch: str, listen: Record) -> Done:
    """Say whether a branch does what a PRP asks for; nothing in the repository changes.

    Args:
        order: The PRP and the settings. Its base is what the branch is held against; `HEAD` means
            the commit that the branch and the checkout both come from.
        branch: A branch, a tag or a hash.
        listen: Is told of every event.

    Raises:
        PrpError: The order can't be begun, or the branch holds nothing beyond its base.

    """
    read_prp(order.prp)  # a wrong path is told before anything of branches
    repository = Repository.open((order.folder or Path.cwd()).resolve())
    commit = repository.resolve(branch)
    base = repository.resolve(order.base)
    if order.base == "HEAD":
        base = _start_of(repository, commit)
    if base in ("", commit):
        nothing = "holds nothing that its base does not hold"
        raise EnvironmentProblem(
            f"{branch} {nothing if base else 'has no commit in common with the checkout'}",
            hint="Name the commit that the work started from: --base REF.",
        )
    desk = lay_out(dataclasses.replace(order, base=base, roles=(), if_named=("verifier",)))

    def end(found: Verdict) -> tuple[Ending, int, str]:
        return _end(found, strict=desk.settings.strict)

    return looked_at(
        desk,
        lambda folder, record: _verdict(desk, order, folder, commit, record),
        branch=branch,
        commit=commit,
        end=end,
        listen=listen,
    )


def looked_at(
    desk: Desk,
    look: Callable[[RunFolder, Record], Coroutine[Any, Any, Verdict]],
    *,
    branch: str,
    commit: str,
    end: Callable[[Verdict], tuple[Ending, int, str]],
    listen: Record,
    against: str = "",
) -> Done:
    """Look at a commit in a run of its own, which nothing is carried out in.

    Args:
        desk: The checked order.
        look: Comes to the verdict, with the run's folder and what is to be told of its events.
        branch: What the person calls the commit.
        commit: Its hash.
        end: Says what the verdict means: how it ends, the exit status, and why.
        listen: Is told of every event.
        against: Names the evidence that it is held against, where that is an earlier run's.

    """
    folder = new_run_folder(desk.settings.state_dir, desk.prp.slug)
    with holding(folder), Journal(folder.journal) as journal:
        record = paid = Paid(masked(desk, journal.record, listen))
        begun = time.monotonic()
        record(dataclasses.replace(started_as(desk, folder, branch), against=against))
        warn(desk, record)
        what, hint = "prp drift" if against else "prp verify", ""
        clearing = desk.repository.clearing.meanwhile(
            folder.trash,
            left=folder.left_trash(),
            notice=lambda text: record(Noted(text=text, warning=True)),
        )
        try:
            with clearing:
                found = with_signals(lambda: look(folder, record))
        except PrpError as error:
            ending, status, reason = Ending.FAILED, int(error.exit_status), str(error)
            hint = f"{error.hint} {paid.lost(what)}".strip()
        else:
            ending, status, reason = _stopped(found) if isinstance(found, Exit) else end(found)
            hint = paid.lost(what) if isinstance(found, Exit) else ""
        record(
            RunEnded(
                outcome=ending,
                exit_status=status,
                reason=reason,
                hint=hint,
                branch=branch,
                commit=commit,
                seconds=round(time.monotonic() - begun, 3),
            )
        )
    return Done(story=reported(folder), folder=folder, exit_status=status)


# Where work usually starts, the first that exists and is not the work itself.
_TRUNKS = ("HEAD", "origin/HEAD", "main", "master", "origin/main", "origin/master")


def _start_of(repository: Repository, commit: str) -> str:
    """Return where a commit left the checkout's branch, or the trunk where it is checked out."""
    found = ""
    for trunk in _TRUNKS:
        try:
            there = repository.resolve(trunk)
        except PrpError:
            continue
        found = repository.merge_base(there, commit)
        if found not in ("", commit):
            break
    return found


async def _verdict(
    desk: Desk, order: Order, folder: RunFolder, commit: str, record: Record
) -> Verdict:
    repository = desk.repository
    async with (
        opened(desk, commit=commit, record=record) as equipped,
        aclosing(office_of(equipped, order, folder, record)) as office,
        office.meter.within_time(),
    ):
        if "verifier" in desk.choices:
            await office.prepare()
        contract = freeze(
            desk.prp,
            files=repository.blobs(desk.base),
        )
        checks = tuple(check.id for check in contract.checks)
        record(ContractFrozen(files=dict(contract.files), checks=checks))
        baseline = await office.measure(contract, desk.base)
        return await office.verify(
            contract,
            guessed_proofs(desk.prp),
            baseline,
            commit=commit,
            attempt=1,
            diff=clip(repository.diff(desk.base, commit), limit=_SHOWN_DIFF),
            touched={file.path for file in repository.changed(desk.base, commit)},
        )


def guessed_proofs(prp: Prp) -> list[Proof]:
    """Return which checks show which criterion, as their words tell: nobody has planned it."""
    coverage = find_coverage(prp)
    return [
        Proof(
            criterion=name,
            checks=checks,
            how="by the words of criterion and check",
            is_guess=True,
        )
        for name, checks in coverage.criteria.items()
        if checks
    ]


def _stopped(signal: Exit) -> tuple[Ending, int, str]:
    name = "SIGINT" if signal is Exit.INTERRUPTED else "SIGTERM"
    return Ending.CANCELLED, int(signal), f"cancelled by {name}"


def _end(found: Verdict, *, strict: bool) -> tuple[Ending, int, str]:
    if found.holds(strict=strict):
        return Ending.PROVEN, Exit.PROVEN, f"every criterion holds{found.how}"
    if not found.failed:
        return Ending.UNPROVEN, Exit.UNPROVEN, f"no check failed, but {found.missing}"
    return Ending.FAILED, Exit.FAILED, f"{len(found.in_words())} checks or criteria fail"
