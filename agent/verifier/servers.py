"""Servers around a check: one script starts them, waits, runs the probe and says what came of it.

Everything happens in one call of the sandbox: its network is its own, and what was started in it
ends with it.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

from agent.prp import Check, CheckKind, Server
from agent.prp.serving import is_probe, is_server, split_background

PATIENCE = 30.0
"""Seconds until a server must be up."""
_SETTLING = 1
"""Seconds that a server alone must stay up: some open their port before they load the program."""
_LONGEST_LOG = 8_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a check's servers, read from the output of its script."""

    output: str
    """What the probe itself printed."""
    logs: tuple[str, ...] = ()
    """The last lines that each server printed, in the order of starting."""
    is_up: bool = True
    problem: str = ""
    """Why it is not up, one sentence without its full stop."""
    ended: int | None = None
    """Exit status of the server that ended before it was up; None where none did."""
    said: str = ""
    """What that server printed."""
    is_unknown: bool = False
    """Whether it runs on, but nothing tells whether it is up: no port, no word."""
    http: str = ""
    """Status of the last answer that curl got; empty where nothing asked by curl."""


def needs_script(check: Check) -> bool:
    """Return whether a check is more than its command: servers around it, or curl's answer."""
    return bool(check.servers) or check.kind is CheckKind.SERVER or _asks_by_curl(check)


def script_for(check: Check, command: str, *, token: str, patience: float = PATIENCE) -> str:
    """Return the bash script of a check with its servers.

    Args:
        check: Names servers and set-up.
        command: What to run of it; nothing is run behind a server's own check.
        token: A word that nobody else prints; the lines of the report begin with it.
        patience: Seconds that servers have to come up.

    """
    own = _own_server(check)
    servers = _servers(check)
    numbers = " ".join(map(str, range(1, len(servers) + 1)))
    steps = _interleaved(check, servers)
    if own:
        wait = f"__prp_comes_up {len(servers)} {_SETTLING}"
        probe = f"{wait} && __prp_status=0 || __prp_status=1"
    else:
        asked = _ports_asked(check, command) if is_probe(check) else ()
        wait = f"__prp_reached {shlex.quote(' '.join(asked))}" if is_probe(check) else ":"
        run = f"( set $__prp_e; eval {shlex.quote(command)} ); __prp_status=$?"
        probe = f"set +e; if {wait}; then {run}; else __prp_status=1; fi" if servers else run
    return "\n".join(
        (
            f"__prp_token={token} __prp_patience={max(1, round(patience))}",
            _helpers(),
            *steps,
            "case $- in *e*) __prp_e=-e;; *) __prp_e=+e;; esac",
            probe,
            f"__prp_report {_LONGEST_LOG} {numbers}".rstrip(),
            "exit $__prp_status",
        )
    )


def _servers(check: Check) -> list[Server]:
    """Return every server of a check in the order of starting, its own last."""
    own = _own_server(check)
    return [*check.servers, own] if own else list(check.servers)


def _own_server(check: Check) -> Server | None:
    if not is_server(check):
        return None
    return Server(command=check.command, line=check.line, setup=check.setup)


def _interleaved(check: Check, servers: Sequence[Server]) -> list[str]:
    """Return set-up and starts in the document's order, as one shell would have come by them.

    A server of another fence, or of another terminal, brings its own set-up.
    """
    steps: list[str] = []
    done = 0
    for number, server in enumerate(servers, start=1):
        started = split_background(server.command)[0]
        size = len(server.setup)
        if size >= done and check.setup[:size] == server.setup:
            steps += check.setup[done:size]
            done = size
        else:
            started = "\n".join([*server.setup, started])
        if number > 1:
            # Later ones may need earlier ones; whether those are up is told when they are asked.
            steps.append(f"__prp_settled {number - 1}")
        port = port_of(server)
        steps.append(f"__prp_start {number} {shlex.quote(port)} {shlex.quote(started)}")
    if servers and not is_probe(check) and not is_server(check):
        steps.append(f"__prp_settled {len(servers)}")
    return [*steps, *check.setup[done:]]


_PORT = re.compile(
    r"(?:--?(?:port|http-port|server\.port|listen)[=\s]+(?:[\w.]+:)?|"
    r"(?:^|\s)-p[=\s]?|\bPORT=[\"']?|(?<=:)|\bhttp\.server\s+|\brunserver\s+(?:[\d.]+:)?|"
    r"\b(?:-b|-S|--bind|--listen)\s+[\w.]+:)(?P<port>\d{2,5})(?![\w.:-])"
)


def port_of(server: Server) -> str:
    """Return the port that a server's words tell: `--port 8000`, `-p 3000`, `PORT=`, `:8000`."""
    for words in (server.command, *reversed(server.setup)):
        found = _PORT.search(words)
        if found and (words is server.command or words.lstrip().startswith(("export", "PORT"))):
            return found["port"]
    return ""


_ASKED = re.compile(
    r"(?:(?P<scheme>https?|wss?)://)?(?<![\w.-])(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
    r"(?::(?P<port>\d{2,5}))?(?![\w.])|(?<=\s):(?P<short>\d{2,5})(?=[/\s]|$)"
)
_BEHIND_HOST = re.compile(r"\b(?:nc|ncat)\b.*?\b(?:localhost|127\.0\.0\.1)\s+(?P<port>\d{2,5})\b")


def _ports_asked(check: Check, command: str) -> tuple[str, ...]:
    """Return the ports of this machine that a probe asks; none where its words don't tell."""
    if found := _BEHIND_HOST.search(command):
        return (found["port"],)
    said = "\n".join([*check.setup, command]) if "$" in command else command
    ports = []
    for found in _ASKED.finditer(said):
        known = found["port"] or found["short"]
        usual = {"http": "80", "ws": "80", "https": "443", "wss": "443"}
        if known or found["scheme"]:
            ports.append(known or usual[found["scheme"]])
    return tuple(dict.fromkeys(ports))


_CURL = re.compile(r"\bcurl\s")


def _asks_by_curl(check: Check) -> bool:
    return _CURL.search(check.command) is not None and is_probe(check)


def read_report(output: str, check: Check, *, token: str) -> Report:
    """Return what a script printed, taken apart.

    Args:
        output: Of the script, any length.
        check: Whose script it was.
        token: As it was given to the script.

    """
    servers = _servers(check)
    http = re.findall(rf"^{token} http (\d+)$", output, re.MULTILINE)
    plain = re.sub(rf"\n?^{token} http \d+\n?", "", output, flags=re.MULTILINE)
    marks = list(re.finditer(rf"\n?^{token} (?P<words>.*)\n?", plain, re.MULTILINE))
    probe = plain[: marks[0].start()] if marks else plain
    logs = tuple(
        plain[mark.end() : after.start()].strip("\n")
        for mark, after in pairwise(marks)
        if mark["words"].startswith("log")
    )
    state, *numbers = marks[-1]["words"].split() if marks else ["cut"]
    return Report(
        output=probe,
        logs=logs,
        is_up=state == "up",
        problem=_problem(state, numbers, servers),
        ended=int(numbers[1]) if state == "ended" else None,
        said=logs[int(numbers[0]) - 1] if state == "ended" else "",
        is_unknown=state == "late" and numbers[1] == "0",
        http=http[-1] if http else "",
    )


def _problem(state: str, numbers: Sequence[str], servers: Sequence[Server]) -> str:
    if state == "ended":
        which = servers[int(numbers[0]) - 1]
        return f"`{_short(which)}` ended with status {numbers[1]} before it was up"
    if state == "late":
        seconds, wanted, found = numbers[0], numbers[1], numbers[2:]
        what = "no port was opened" if wanted == "0" else f"nothing listens on port {wanted}"
        instead = f"; something listens on {', '.join(found)}" if found else ""
        return f"{what} within {seconds} s{instead}"
    return "its shell ended before it was run" if state == "cut" else ""


def with_logs(report: Report, check: Check) -> str:
    """Return a probe's output with what its servers printed below it."""
    named = zip(_servers(check), report.logs, strict=False)
    shown = [f"[output of `{_short(server)}`]\n{log}" for server, log in named if log]
    return "\n".join(part for part in (report.output.rstrip("\n"), *shown) if part)


def _short(server: Server) -> str:
    return split_background(server.command)[0].splitlines()[0]


_STAYS = re.compile(
    r"\b(?:uvicorn|gunicorn|hypercorn|daphne|http\.server|http-server|flask|runserver|streamlit|"
    r"vite|next|nuxt|astro|ng|nodemon)\b|\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?"
    r"(?:dev|serve|preview|storybook)\b"
)


def may_end(check: Check) -> bool:
    """Return whether a command that looks like a server may also be a program with an end.

    `npm run start:example` and `dotnet run` are known only once they are started.
    """
    server = Server(command=check.command, line=check.line, setup=check.setup)
    return not port_of(server) and _STAYS.search(check.command) is None


@cache
def _helpers() -> str:
    return resources.files("agent.verifier").joinpath("servers.sh").read_text(encoding="utf-8")
