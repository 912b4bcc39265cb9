"""Servers of a fence: which checks ask them, and what only waits for them or stops them."""

import re
from collections.abc import Iterable, Sequence

from agent.prp.changed import changed
from agent.prp.kinds import kinds_of
from agent.prp.model import Check, CheckKind, Server
from agent.prp.signs import has_any

_HERE = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|(?<![^\s\"'])::1)"
_IS_HERE = re.compile(rf"(?<![\w.-]){_HERE}(?![\w.-]*\w)|(?<=\s):\d{{2,5}}(?=[/\s]|$)")
_CLIENTS = (
    "curl wget http https xh nc ncat wscat websocat ab wrk hey oha k6 grpcurl autocannon siege "
    "newman lighthouse"
).split()
_CLIENT = re.compile(
    r"(?:^|[;&|(){}`!\n]\s*|(?<!\S)(?:time|if|while|until|do|then|else|npx|env)\s+|"
    r"(?<!\S)timeout\s+(?:-\S+\s+)*\S+\s+|(?<!\S)\w+=\S*\s+)"
    rf"(?:[\w./-]*/)?(?:{'|'.join(_CLIENTS)})(?=\s)"
)


def names_this_machine(command: str) -> bool:
    """Return whether a command speaks of an address of the machine that it runs on."""
    # Most commands hold none of these; looking for them is cheaper than the expression.
    if not has_any(command, _SIGNS):
        return False
    return _IS_HERE.search(command[:_MOST]) is not None


_SIGNS = ("localhost", "127.0.0.1", "0.0.0.0", "::1", " :")  # noqa: S104 - looked for, not bound


def is_probe(check: Check) -> bool:
    """Return whether a check asks a server of this machine: `curl localhost:8000/health`."""
    command = check.command[:_MOST]
    said = "\n".join([command, *check.setup]) if "$" in command else command
    return names_this_machine(said) and _CLIENT.search(command) is not None


# What is longer is never run; some patterns take time that grows with the square of a text.
_MOST = 4_000

_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_BACKGROUND = re.compile(r"(?<![&>|<])&(?![&>])")
_ASIDE = re.compile(
    r"\s*(?:\w+=\"?\$!\"?|sleep\s+[\d.]+[smh]?|wait(?:\s+\S+)?|disown|echo\b[^;&|]*)\s*$"
)


def split_background(command: str) -> tuple[str, str]:
    """Return what a command starts in the background, and what it does afterwards.

    Returns:
        `("uvicorn app:app", "PID=$!")` for `uvicorn app:app & PID=$!`; the whole command and
        nothing where no `&` stands outside of its quotes.

    """
    bare = _without_parentheses(command.strip())
    blank = _QUOTED.sub(lambda found: "x" * len(found[0]), bare)
    marks = list(_BACKGROUND.finditer(blank))
    if not marks:
        return bare, ""
    last = marks[-1]
    return bare[: last.start()].rstrip(), bare[last.end() :].strip()


def _without_parentheses(command: str) -> str:
    """Return what a subshell around the whole command holds: `(cd api && ./serve &)`."""
    inside = command[1:-1].strip()
    is_around = command.startswith("(") and command.endswith(")") and "(" not in inside
    return inside if is_around and ")" not in inside and inside.endswith("&") else command


def runs_in_background(command: str) -> bool:
    """Return whether the shell goes on while a server runs."""
    return split_background(command)[0] != _without_parentheses(command.strip())


# Every check is asked several times; to name a member of an Enum costs more than to compare it.
_SERVER = CheckKind.SERVER


def is_server(check: Check) -> bool:
    """Return whether a check only starts a server; a script that also asks it is none."""
    if _SERVER not in check.kinds:
        return False
    _, rest = split_background(check.command)
    steps = [step for step in re.split(r"[;\n]|&&", rest) if step.strip()]
    aside = all(_ASIDE.match(step) for step in steps)
    return aside or CheckKind.SERVER in kinds_of(rest)


def noted_by(check: Check) -> list[str]:
    """Return the assignments behind a server's `&`: `PID=$!`."""
    if not is_server(check):
        return []
    return [noted[0] for noted in _NOTED.finditer(split_background(check.command)[1])]


_NOTED = re.compile(r"(\w+)=\"?\$!\"?")


_OWN = r"(?:\"?\$\{?\w*(?:PID|pid)\w*\}?\"?|\"?\$!\"?|%\d+|\"?\$\(jobs\s+-p\)\"?)"
_TIDIES = re.compile(
    rf"(?:sleep\s+[\d.]+[smh]?|wait(?:\s+{_OWN})*|disown(?:\s+\S+)?|"
    rf"kill\s+(?:-\w+\s+)?{_OWN}(?:\s+{_OWN})*(?:\s+2>\s*/dev/null)?(?:\s*\|\|\s*(?:true|:))?|"
    rf"trap\s+(?P<mark>['\"])kill\s+(?:-\w+\s+)?{_OWN}(?P=mark)\s+EXIT)"
    r"(?:\s*(?:;|&&)\s*|\s*$)"
)


def only_tidies(command: str) -> bool:
    """Return whether a command only waits for a server of its fence, or ends one."""
    place = 0
    while place < len(command):
        found = _TIDIES.match(command, place)
        if found is None:
            return False
        place = found.end()
    return True


_DOCKER_UP = re.compile(
    r"\b(?:docker|podman|docker-compose)\b[^\n]*\s(?:up|run|start)\b|\b(?:kubectl|minikube|supabase)\b"
)


def _brings_containers_up(command: str) -> bool:
    # Looking for the names is cheaper than the expression.
    return has_any(command, _ENGINES) and bool(_DOCKER_UP.search(command[:_MOST]))


_ENGINES = ("docker", "podman", "kubectl", "minikube", "supabase")


class Servers:
    """What was started so far in a fence, or in a level."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.servers: list[Server] = []
        self._in_background = False
        self._lacks = False

    def are_tidied_by(self, command: str, setup: Sequence[str]) -> bool:
        """Return whether a command only waits for what was started above it, or ends it.

        What the set-up notes of a server (`SRV=$!`) is its own, whatever its name.
        """
        if not (self.servers or self._lacks):
            return False
        if "$" in command and not only_tidies(command):
            names = [found[1] for each in setup if (found := _NOTED.fullmatch(each.strip()))]
            command = (
                re.sub(rf"\$\{{?({'|'.join(names)})\b\}}?", "$PID", command) if names else command
            )
        return only_tidies(command)

    def setup_for(self, setup: list[str], command: str) -> list[str]:
        """Return the set-up that holds for a command: a server in front keeps its terminal.

        What goes to a folder behind it does so in a terminal of its own.
        """
        if not self.servers or self._in_background or not _MOVES.match(command):
            return setup
        return [each for each in setup if not _GOES_AWAY.match(each)]

    def take(self, check: Check) -> Check:
        """Return a check with the servers that must be up before it, and remember its own.

        What needs a server that can't be started here (a container's, one with a secret) needs
        the network.
        """
        if is_server(check):
            return self._started(check)
        if self._lacks and is_probe(check):
            return _needing_network(check)
        if self.servers and self._asked_by(check):
            return changed(check, servers=tuple(self.servers))
        self._lacks = self._lacks or _brings_containers_up(check.command)
        return check

    def _asked_by(self, check: Check) -> bool:
        return self._in_background or names_this_machine(check.command) or is_probe(check)

    def _started(self, check: Check) -> Check:
        if self._lacks:
            return _needing_network(check)
        if check.kind is not CheckKind.SERVER:
            self._lacks = True
            return check
        taken = changed(check, servers=tuple(self.servers))
        if len(self.servers) < _MOST_SERVERS:
            self.servers.append(Server(command=check.command, line=check.line, setup=check.setup))
        self._in_background = runs_in_background(check.command)
        return taken


# Each is waited for; nobody means more than these to be up at once.
_MOST_SERVERS = 8


def with_servers(checks: Iterable[Check]) -> list[Check]:
    """Give the probes of a level that stand in a fence without servers those above them.

    A probe that no server stands above asks something that nothing here starts.
    """
    levels: dict[int, Servers] = {}
    given = []
    for check in checks:
        taken = levels.setdefault(check.level, Servers()).take(check)
        is_alone = not check.servers and CheckKind.SERVER not in check.kinds
        if is_alone and is_probe(check):
            given.append(taken if taken.servers else _needing_network(taken))
        else:
            given.append(check)
    return given


def with_servers_above(loose: Sequence[Check], others: Iterable[Check]) -> list[Check]:
    """Give the probes that stand outside of every level the servers above them in the document.

    Args:
        loose: Checks outside of every level.
        others: Those of the levels.

    """
    if not any(is_probe(check) for check in loose):
        return list(loose)
    ours = set(map(id, loose))
    in_order = sorted([*others, *loose], key=lambda check: check.line)
    level = loose[0].level
    given = with_servers(
        changed(check, level=level) if id(check) not in ours else check for check in in_order
    )
    return [taken for taken, check in zip(given, in_order, strict=True) if id(check) in ours]


def _needing_network(check: Check) -> Check:
    kinds = {*check.kinds, CheckKind.NETWORK} - {CheckKind.RUN}
    return changed(check, kinds=tuple(sorted(kinds, key=list(CheckKind).index)), servers=())


_MOVES = re.compile(r"\s*(?:cd|pushd)\s+(?![/~$\"'.-])")
_GOES_AWAY = re.compile(r"\s*(?:\{ )?(?:cd|pushd)\b")
