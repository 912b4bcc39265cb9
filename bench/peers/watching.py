"""Watches processes: what they cost in time and memory, and how busy others keep the machine."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
NOT_WATCHED: set[int] = set()
"""The scripted server's process: no harness."""


def children(pid: int) -> list[int]:
    try:
        return [
            int(c)
            for task in os.listdir(f"/proc/{pid}/task")
            for c in Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return []


def tree(roots: Iterable[int]) -> set[int]:
    seen: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in seen:
            seen.add(pid)
            todo += children(pid)
    return seen


def rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0


def waited(pid: int) -> dict[int, int]:
    """Nanoseconds each thread of a process has been runnable without a CPU."""
    try:
        return {
            int(t): int(Path(f"/proc/{pid}/task/{t}/schedstat").read_text().split()[1])
            for t in os.listdir(f"/proc/{pid}/task")
        }
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return {}


class Watcher(threading.Thread):
    """Samples all our descendants but the model server, until stopped.

    Daemons that a harness detaches are ours too (we are the subreaper). PSS counts
    shared pages once but is dear to read: sampled rarely. `wait` is the time that
    threads waited for a CPU, which is how much a busy machine slowed the run
    (threads that wait at the same time count each).
    """

    def __init__(self, period: float = 0.05, pss_every: int = 10) -> None:
        super().__init__(daemon=True)
        self.waits: dict[int, int] = {}
        self.period, self.pss_every = period, pss_every
        self.peak_rss = self.peak_pss = self.peak_procs = 0
        self.done = threading.Event()

    def run(self) -> None:
        n = 0
        while not self.done.wait(self.period):
            pids = tree(pid for pid in children(os.getpid()) if pid not in NOT_WATCHED)
            self.peak_rss = max(self.peak_rss, sum(map(rss, pids)))
            for pid in pids:
                self.waits |= waited(pid)
            self.peak_procs = max(self.peak_procs, len(pids))
            if n % self.pss_every == self.pss_every - 1:
                self.peak_pss = max(self.peak_pss, sum(map(pss, pids)))
            n += 1


@dataclass
class Proc:
    """A started harness process and what it cost."""

    popen: subprocess.Popen[bytes]
    log: Path
    t_start: float
    t_end: float = 0.0
    code: int | None = None
    cpu: float = 0.0


def start(argv: list[str], env: dict[str, str], cwd: Path, log: Path) -> Proc:
    with log.open("wb") as out:
        t = time.monotonic()
        popen = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Proc(popen, log, t)


def reap(procs: list[Proc], timeout: float) -> bool:
    """Wait for all; True if none had to be stopped. CPU comes from wait4 and so includes waited-for descendants."""
    waiting = {p.popen.pid: p for p in procs}
    extra = 0.0
    deadline = time.monotonic() + timeout
    clean = True
    while waiting:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid in waiting:
            proc = waiting.pop(pid)
            proc.t_end = time.monotonic()
            proc.code = proc.popen.returncode = os.waitstatus_to_exitcode(status)
            proc.cpu = usage.ru_utime + usage.ru_stime
        elif pid:
            extra += usage.ru_utime + usage.ru_stime
        elif time.monotonic() > deadline:
            clean = False
            for proc in waiting.values():
                os.killpg(proc.popen.pid, signal.SIGKILL)
            deadline += 10
        else:
            time.sleep(0.001)
    extra += end_orphans()
    procs[0].cpu += extra
    return clean


def end_orphans() -> float:
    """Stop and reap what the harness left behind (we are the subreaper); returns its CPU seconds."""
    cpu = 0.0
    for _ in range(200):
        left = [pid for pid in children(os.getpid()) if pid not in NOT_WATCHED]
        if not left:
            break
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            got, _, usage = os.wait4(pid, 0)
            if got:
                cpu += usage.ru_utime + usage.ru_stime
    return cpu


TICK = os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU seconds used on the whole machine so far (user, nice, system, irq, softirq; steal too)."""
    v = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / TICK


def used_seconds(pid: int) -> float:
    """CPU seconds one process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Foreign:
    """Share of the machine that others use: their CPU seconds over wall time x CPUs."""

    def __init__(self) -> None:
        self.t, self.busy, self.own = time.monotonic(), busy_seconds(), self.ours()

    @staticmethod
    def ours() -> float:
        return used_seconds(os.getpid()) + (sum(map(used_seconds, NOT_WATCHED)))

    def share(self, harness_cpu: float = 0.0) -> float:
        others = busy_seconds() - self.busy - (self.ours() - self.own) - harness_cpu
        return max(0.0, others) / ((time.monotonic() - self.t) * (os.cpu_count() or 1))


def wait_quiet(limit: float, patience: float) -> None:
    """Return once others use less than `limit` of the machine, or after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        gauge = Foreign()
        time.sleep(0.25)
        if gauge.share() < limit:
            return
