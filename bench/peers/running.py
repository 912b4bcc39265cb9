"""One run of one harness on a fresh repository, measured from outside."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.peers.adapters import Adapter, Job
from bench.peers.scenarios import SCENARIOS, Edit, Read, Run, Scenario, Write
from bench.peers.watching import Foreign, Proc, Watcher, reap, start, wait_quiet

MOVES = frozenset({"read", "write", "edit", "run", "finish"})
"""Labels of the turns that do the scenario's work; planning and judging are no part of a turn."""
ROOT = Path(__file__).parents[2]


class Model:
    """The scripted server as a process of its own."""

    def __init__(self, ttl: float, peers: Path | None) -> None:
        # One of the peers brings a tokenizer along with its vocabulary; else bytes are counted.
        tokenizers = (
            sorted(peers.glob("venvs/*/lib/*/site-packages/litellm/litellm_core_utils/tokenizers"))
            if peers
            else []
        )
        python = str(tokenizers[0].parents[5] / "bin" / "python") if tokenizers else sys.executable
        cache = {"TIKTOKEN_CACHE_DIR": str(tokenizers[0])} if tokenizers else {}
        self.process = subprocess.Popen(
            [python, "-m", "bench.peers.model_server", "--ttl", str(ttl)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | cache,
        )
        assert self.process.stdout
        self.port = json.loads(self.process.stdout.readline())["port"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        conn.request(method, path, json.dumps(body) if body is not None else None)
        answer = json.loads(conn.getresponse().read())
        conn.close()
        return answer

    def url(self, sid: str) -> str:
        return f"http://127.0.0.1:{self.port}/s/{sid}"

    def stop(self) -> list[str]:
        strays = self.call("POST", "/ctl/stop", {})["strays"]
        self.process.wait(10)
        return strays


def tool_times(scenario: Scenario, repo: Path, env: dict[str, str]) -> list[float]:
    """Seconds each move takes when done directly: the tool's own run time, and the physical limit of a run."""
    out = []
    for move in scenario.moves:
        t = time.perf_counter()
        match move:
            case Read():
                (repo / move.path).read_text()
            case Write():
                (repo / move.path).write_text(move.text)
            case Edit():
                (repo / move.path).write_text(
                    (repo / move.path).read_text().replace(move.old, move.new)
                )
            case Run():
                subprocess.run(move.command, shell=True, cwd=repo, env=env, capture_output=True)
        out.append(time.perf_counter() - t)
    return out


# --------------------------------------------------------------------------- one run


@dataclass
class Lab:
    """What all runs share."""

    model: Model
    work: Path
    pristine: dict[str, Path]
    timeout: float
    keep: bool
    quiet: float
    patience: float
    count: int = 0
    bodies: Path | None = None
    wrap: list[str] = field(default_factory=list)
    homes: Path | None = None
    failures: list[str] = field(default_factory=list)

    def job(self, adapter: Adapter, scenario: Scenario, latency: float) -> tuple[Job, str]:
        """A fresh repository, a copy of the peer's used HOME and an open session."""
        self.count += 1
        sid = f"{adapter.name}{self.count:04d}"
        root = self.work / sid
        repo, home = root / "repo", root / "home"
        shutil.copytree(self.pristine[scenario.name], repo)
        used = self.homes / adapter.name if self.homes else None
        if used and used.exists():
            shutil.copytree(used, home, symlinks=True)
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        job = Job(scenario, repo, home, self.model.url(sid))
        adapter.prepare(job)
        self.model.call(
            "POST",
            "/ctl/sessions",
            {
                "sid": sid,
                "turns": adapter.turns(scenario, repo),
                "latency_ms": latency,
                "tools_required": adapter.tools_required,
                "side_if": adapter.side_if,
                "side_text": adapter.side_text,
                "material": adapter.material(scenario),
            },
        )
        return job, sid

    def seen(self, sid: str) -> dict[str, Any]:
        """Return what the model server saw of a session."""
        answer: dict[str, Any] = self.model.call(
            "GET", f"/ctl/sessions/{sid}" + ("?bodies=1" if self.bodies else "")
        )
        return answer

    def finish(self, adapter: Adapter, job: Job, sid: str, seen: dict[str, Any]) -> None:
        """Forget a session; keep of it what is wanted."""
        if self.bodies:
            self.bodies.mkdir(parents=True, exist_ok=True)
            place = self.bodies / f"{adapter.name}-{job.scenario.name}.json"
            place.write_text(json.dumps(seen, indent=1))
        self.model.call("DELETE", f"/ctl/sessions/{sid}")
        if not self.keep:
            shutil.rmtree(job.repo.parent, ignore_errors=True)


def break_in(lab: Lab, adapter: Adapter) -> None:
    """Make the HOME of someone who has used this harness before: first-run work (databases, downloads) is no news."""
    assert lab.homes
    kept = lab.homes / adapter.name
    if kept.exists():
        return
    for _ in range(adapter.break_ins):
        job, sid = lab.job(adapter, SCENARIOS["A"], 0)
        reap(
            [
                start(
                    adapter.command(job),
                    adapter.full_env(job),
                    job.repo,
                    job.repo.parent / "out.log",
                )
            ],
            lab.timeout,
        )
        lab.model.call("DELETE", f"/ctl/sessions/{sid}")
        shutil.rmtree(job.home / "tmp", ignore_errors=True)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(job.home, kept, symlinks=True)
        shutil.rmtree(job.repo.parent, ignore_errors=True)


def gaps(records: list[dict[str, Any]]) -> list[float]:
    """Seconds between one main answer being sent and the next main request having arrived, side requests cut out."""
    out = []
    main = [r for r in records if r["kind"] == "main" and r["label"] in MOVES]
    for a, b in itertools.pairwise(main):
        busy = sum(
            r["t_sent"] - r["t_arrival"]
            for r in records
            if r["kind"] != "main"
            and a["t_sent"] <= r["t_arrival"]
            and r["t_sent"] <= b["t_arrival"]
        )
        out.append(b["t_arrival"] - a["t_sent"] - busy)
    return out


def one_run(
    lab: Lab, adapter: Adapter, scenario: Scenario, latency: float, copies: int
) -> dict[str, Any]:
    """Run a harness once (or `copies` times at once) and measure it."""
    made = [lab.job(adapter, scenario, latency) for _ in range(copies)]
    jobs = [job for job, _ in made]
    commands = (adapter.fanout(jobs) if copies > 1 else None) or [
        (adapter.command(job), adapter.full_env(job), job.repo) for job in jobs
    ]
    wait_quiet(lab.quiet, lab.patience)
    gauge, watcher = Foreign(), Watcher()
    watcher.start()
    procs = [
        start(lab.wrap + argv, env, cwd, jobs[n].home.parent / "out.log")
        for n, (argv, env, cwd) in enumerate(commands)
    ]
    clean = reap(procs, lab.timeout)
    foreign = gauge.share(sum(p.cpu for p in procs))
    watcher.done.set()
    watcher.join()
    seen = [lab.seen(sid) for _, sid in made]
    problems = [] if clean else ["timeout"]
    problems += [f"exit {p.code}" for p in procs if p.code not in adapter.good_ends]
    for job, result in zip(jobs, seen, strict=True):
        problems += faults(lab, adapter, job, result)
    out = {"peer": adapter.name, "ok": not problems, "problems": problems[:4]}
    out |= {"foreign": round(foreign, 3)} | costs(procs, watcher) | asked(seen, procs)
    if problems:
        tail = procs[0].log.read_bytes()[-1500:].decode(errors="replace")
        lab.failures.append(f"{adapter.name} {scenario.name}: {problems[:4]}\n{tail}")
    for job, sid in made:
        lab.finish(adapter, job, sid, seen[0])
    return out


def faults(lab: Lab, adapter: Adapter, job: Job, result: dict[str, Any]) -> list[str]:
    """Return why a run does not count."""
    problems = []
    if result["cursor"] < result["turns"]:
        problems.append(f"stopped at turn {result['cursor']} of {result['turns']}")
    for r in result["records"]:
        if r["expect_ok"] is False:
            problems.append(f"turn {r['label']}: expectation missed: ...{r['last'][-300:]!r}")
        if r["kind"] in ("retry", "overrun"):
            problems.append(f"{r['kind']} request")
    wanted = job.scenario.final_files(lab.pristine[job.scenario.name])
    changed = (name for name, text in wanted.items() if adapter.result(job, name) != text)
    return [*problems, *(f"{name} is not as scripted" for name in changed)]


def costs(procs: list[Proc], watcher: Watcher) -> dict[str, Any]:
    """Return time and memory."""
    return {
        "wall_s": max(p.t_end for p in procs) - min(p.t_start for p in procs),
        "wait_s": sum(watcher.waits.values()) / 1e9,
        "cpu_s": sum(p.cpu for p in procs),
        "peak_rss_mb": watcher.peak_rss / 2**20,
        "peak_pss_mb": watcher.peak_pss / 2**20,
        "procs": watcher.peak_procs,
    }


def asked(seen: list[dict[str, Any]], procs: list[Proc]) -> dict[str, Any]:
    """Return what the model was asked, and when."""
    records = [r for s in seen for r in s["records"]]
    first = seen[0]["records"]
    starts = procs * (len(seen) // len(procs))
    out: dict[str, Any] = {
        "requests": len(records),
        "turns": sum(s["cursor"] for s in seen),
        "side": sum(r["kind"] == "side" for r in records),
        "tokenizer": seen[0]["tokenizer"],
        "model_s": max(sum(r["t_sent"] - r["t_arrival"] for r in s["records"]) for s in seen),
        "other": sorted({o for s in seen for o in s["other"]}),
    }
    out |= {name: sum(r[name] for r in records) for name in ("tokens", "shared_tokens", "bytes")}
    begun = [
        (min(r["t_arrival"] for r in s["records"]) - p.t_start) * 1000
        for s, p in zip(seen, starts, strict=True)
        if s["records"]
    ]
    out["first_ms"] = statistics.median(begun) if begun else None
    main = [r for r in first if r["kind"] == "main"]
    if not main:
        return out
    coder = [r for r in main if r["label"] in MOVES] or main
    return out | {
        "coder_tokens": coder[0]["tokens"],
        "own_tokens": coder[0]["tokens"] - seen[0]["material_tokens"],
        "first_tokens": main[0]["tokens"],
        "first_bytes": main[0]["bytes"],
        "tools": main[0]["tools"],
        "last_tokens": main[-1]["tokens"],
        "first_main_ms": (main[0]["t_arrival"] - procs[0].t_start) * 1000,
        "end_ms": (procs[0].t_end - first[-1]["t_sent"]) * 1000,
        "gaps_ms": [g * 1000 for g in gaps(first)],
    }
