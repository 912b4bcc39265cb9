"""What a command costs in each sandbox, over the same command without one.

    python bench/sandbox.py [TIMES]

Prints the median and the fastest of TIMES runs (30 by default), in milliseconds. On a machine with
other work the median says more about that work.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from agent.hosts import parse_rule
from agent.workspace import Sandbox, Toolchain, run
from agent.workspace.sandbox import Unconfined
from agent.workspace.sandbox.find import SANDBOXES, Passed, try_sandboxes
from agent.workspace.sandbox.landlock import Landlock
from agent.workspace.sandbox.proxy import NetworkPolicy, open_proxy
from tests.support.place import Place, a_place


async def _measured(
    tree: Path, sandbox: Sandbox, toolchain: Toolchain, times: int
) -> tuple[float, float]:
    """Return median and fastest time of one `true`."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        done = await run("true", confinement=toolchain.confine(tree), sandbox=sandbox)
        taken.append(time.perf_counter() - started)
        if done.status:
            raise SystemExit(f"{sandbox.name}: {done.output}")
    return statistics.median(taken), min(taken)


def _sandboxes(state: Path) -> Iterator[tuple[str, Sandbox]]:
    for name in SANDBOXES:
        found = next(try_sandboxes(name, state=state))
        if isinstance(found, Passed):
            print(f"{name:28} does not work here: {found.problem}")
        else:
            yield name, found
            if name == "landlock":
                yield "landlock, no namespaces", Landlock(state=state, namespaces=False)


async def _bench(place: Place, state: Path, times: int) -> None:
    tree, toolchain = place.tree.path, place.toolchain
    plain = await _measured(tree, Unconfined(), toolchain, times)
    print(f"{'':28} {'median':>8} {'fastest':>8} {'more':>8}")
    _say("plain bash", plain, plain)
    policy = NetworkPolicy(hosts=(parse_rule("api.example.com"),))
    for name, sandbox in _sandboxes(state):
        _say(name, await _measured(tree, sandbox, toolchain, times), plain)
        if name == "bubblewrap":
            async with open_proxy(policy, stage="run", record=lambda _: None) as path:
                reaching = replace(toolchain, network=path)
                _say(f"{name}, proxy", await _measured(tree, sandbox, reaching, times), plain)


def _say(name: str, found: tuple[float, float], plain: tuple[float, float]) -> None:
    median, fastest = (1000 * value for value in found)
    more = median - 1000 * plain[0]
    print(f"{name:28} {median:8.1f} {fastest:8.1f} {more:8.1f}")


def main() -> None:
    times = int(sys.argv[1]) if sys.argv[1:] else 30
    with tempfile.TemporaryDirectory(prefix="prp-bench-") as folder, a_place(Path(folder)) as place:
        print(
            f"one `true` in milliseconds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        asyncio.run(_bench(place, Path(folder) / "state", times))


if __name__ == "__main__":
    main()
