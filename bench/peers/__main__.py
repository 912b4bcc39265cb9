"""Measure coding harnesses against a scripted model server.

    PYTHONPATH=. python -m bench.peers --peers prp,pai,mini --scenario A --runs 5

Scenarios: A small feature (8 turns), B long (40 turns, 2,000 files), C eight times A
at once, N twelve no-op tool turns. See bench/README.md for the measures.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.peers.adapters import ADAPTERS, Adapter, Job, Paths
from bench.peers.running import Lab, Model, break_in, one_run, tool_times
from bench.peers.scenarios import SCENARIOS
from bench.peers.summary import summarise, table
from bench.peers.watching import NOT_WATCHED, wait_quiet

PR_SET_CHILD_SUBREAPER = 36
FANOUT = 8


def main() -> int:
    """Measure, print the table, and keep the results where that is wanted."""
    args = parsed()
    if args.show:
        show(args.show)
        return 0
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    cpus = {int(c) for c in args.cpus.split(",")} if args.cpus else os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    peers = args.peers_root.resolve() if args.peers_root else None
    paths = Paths(peers or Path("/nonexistent"), Path(__file__).resolve().parent)
    adapters = present(args, paths)
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=args.work))
    model = Model(ttl=3600, peers=args.peers_root)
    NOT_WATCHED.add(model.process.pid)
    lab = a_lab(args, model, work, (peers or work) / "homes")
    try:
        runs, tools = rounds(args, lab, adapters, paths)
    finally:
        strays = model.stop()
        if not args.keep:
            shutil.rmtree(work, ignore_errors=True)
    summary = {name: summarise(rs, tools, args.runs) for name, rs in runs.items() if rs}
    for adapter in adapters:
        if adapter.name in summary:
            summary[adapter.name]["version"] = adapter.version()
    entry = an_entry(args, len(cpus), tools, runs, summary)
    show_entry(f"{args.scenario}@{args.latency_ms:g}ms", entry)
    for text in dict.fromkeys(lab.failures[:6]):
        print("\nFAILED " + text, file=sys.stderr)
    if strays:
        print("requests to no session:", strays[:10], file=sys.stderr)
    if args.out:
        old = json.loads(args.out.read_text()) if args.out.exists() else {}
        old[f"{args.scenario}@{args.latency_ms:g}ms"] = entry
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(old, indent=1) + "\n")
    return 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Bench coding-agent harnesses against a scripted model"
    )
    parser.add_argument("--peers", default="bare,pai", help="comma list of " + ",".join(ADAPTERS))
    parser.add_argument("--scenario", default="A", choices=sorted(SCENARIOS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--tries", type=int, default=0, help="most rounds, to get --runs quiet ones (default: runs)"
    )
    parser.add_argument(
        "--quiet",
        type=float,
        default=0.1,
        help="share of the machine others may use in a quiet run",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=20,
        help="seconds to wait for a quiet machine before a run",
    )
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument(
        "--peers-root",
        type=Path,
        default=os.environ.get("BENCH_PEERS"),
        help="folder with venvs/ and npm/ (or BENCH_PEERS)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=None,
        help="folder for repositories and homes (default: a temporary one)",
    )
    parser.add_argument("--cpus", default="", help="pin everything to these CPUs, e.g. 0,1")
    parser.add_argument("--timeout", type=float, default=180)
    parser.add_argument(
        "--bodies", type=Path, default=None, help="write the recorded requests of the last run here"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="an empty HOME for every run instead of a used one"
    )
    parser.add_argument(
        "--wrap",
        default="",
        help="prefix of every harness command, e.g. 'strace -f -o FILE'; not for timing",
    )
    parser.add_argument("--keep", action="store_true", help="keep repositories, homes and logs")
    parser.add_argument(
        "--out", type=Path, default=None, help="results.json; an existing file is extended"
    )
    parser.add_argument(
        "--show", type=Path, default=None, help="only print the tables of a results file"
    )
    return parser.parse_args()


def show(results: Path) -> None:
    for name, entry in json.loads(results.read_text()).items():
        show_entry(name, entry)


def show_entry(name: str, entry: dict[str, Any]) -> None:
    print(
        f"\n{name}: {entry['runs']} interleaved runs, {entry['when']}, "
        f"{entry['machine']['cpus']} CPUs, tools alone {sum(entry['tool_s_by_move']):.3f} s per "
        f"copy, tokens: {entry['tokenizer']}\n"
    )
    print(table(entry["summary"]))


def present(args: argparse.Namespace, paths: Paths) -> list[Adapter]:
    """Return the harnesses that are installed and know the scenario; say which are left out."""
    adapters: list[Adapter] = []
    for name in args.peers.split(","):
        adapter = ADAPTERS[name](paths)
        if args.scenario not in adapter.scenarios:
            print(f"{name}: has no scenario {args.scenario}, left out", file=sys.stderr)
        elif not adapter.program().exists():
            print(f"{name}: {adapter.program()} is not there, left out", file=sys.stderr)
        else:
            adapters.append(adapter)
    return adapters


def a_lab(args: argparse.Namespace, model: Model, work: Path, homes: Path) -> Lab:
    pristine = work / "pristine"
    pristine.mkdir()
    for name in {"A", args.scenario}:
        SCENARIOS[name].build(pristine / name)
    return Lab(
        model,
        work,
        {name: pristine / name for name in ("A", args.scenario)},
        args.timeout,
        args.keep,
        args.quiet,
        args.patience,
        bodies=args.bodies,
        wrap=shlex.split(args.wrap),
        homes=None if args.fresh else homes,
    )


def rounds(
    args: argparse.Namespace, lab: Lab, adapters: list[Adapter], paths: Paths
) -> tuple[dict[str, list[dict[str, Any]]], list[list[float]]]:
    """Run all harnesses in turn, round by round; return the runs and what the tools alone take."""
    runs: dict[str, list[dict[str, Any]]] = {adapter.name: [] for adapter in adapters}
    tools: list[list[float]] = []
    tries = max(args.runs, args.tries)
    for adapter in adapters if lab.homes else []:
        break_in(lab, adapter)
    for n in range(tries):
        todo = [a for a in adapters if n < args.runs or wants_more(runs[a.name], args)]
        if not todo:
            break
        tools.append(alone(args, lab, paths, n))
        for adapter in todo:
            copies = FANOUT if args.scenario == "C" else 1
            scenario = SCENARIOS[args.scenario]
            result = one_run(lab, adapter, scenario, args.latency_ms, copies)
            runs[adapter.name].append(result)
            how = "ok" if result["ok"] else result["problems"]
            print(
                f"{n + 1}/{tries} {adapter.name:10} {result['wall_s']:7.2f} s, "
                f"foreign {result['foreign']:.0%} {how}",
                file=sys.stderr,
                flush=True,
            )
    return runs, tools


def wants_more(results: list[dict[str, Any]], args: argparse.Namespace) -> bool:
    """Return whether there are too few good runs on a quiet machine yet."""
    return sum(r["ok"] and r["foreign"] <= args.quiet for r in results) < args.runs


def alone(args: argparse.Namespace, lab: Lab, paths: Paths, number: int) -> list[float]:
    """Return the seconds of each move without a harness."""
    scenario = SCENARIOS[args.scenario]
    direct = lab.work / f"direct{number}"
    shutil.copytree(lab.pristine[scenario.name], direct)
    env = Adapter(paths).full_env(Job(scenario, direct, lab.work, "")) | {"TMPDIR": str(lab.work)}
    wait_quiet(args.quiet, args.patience)
    times = tool_times(scenario, direct, env)
    shutil.rmtree(direct)
    return times


def an_entry(
    args: argparse.Namespace,
    cpus: int,
    tools: list[list[float]],
    runs: dict[str, list[dict[str, Any]]],
    summary: dict[str, Any],
) -> dict[str, Any]:
    """Return what is kept of a measurement, the machine and the date with it."""
    return {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cpus": cpus,
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "runs": args.runs,
        "quiet": args.quiet,
        "latency_ms": args.latency_ms,
        "tokenizer": next((r["tokenizer"] for rs in runs.values() for r in rs), ""),
        "tool_s_by_move": [round(min(times), 4) for times in zip(*tools, strict=True)],
        "summary": summary,
    }


if __name__ == "__main__":
    raise SystemExit(main())
