"""External coding agents: which program, and what of the person's it gets.

An agent that brings its own model needs its own network and its own login. It runs in the sandbox
like every command: no home but one with copies of the files that hold its login, no network but
the hosts of its provider. See docs/decisions/.
"""

import json
import os
import shlex
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from agent.coder.external import ExternalCoder, Limits
from agent.errors import EnvironmentProblem, SettingsError
from agent.hosts import parse_rule
from agent.journal import Noted, Record
from agent.settings import Settings
from agent.workspace import Confinement, FileProblem, Sandbox, Toolchain
from agent.workspace.files import read_bytes, write_text
from agent.workspace.sandbox.proxy import NetworkPolicy, open_proxy
from agent.workspace.toolchain import shown_for

PREFIX = "acp:"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is known of an agent."""

    logins: tuple[str, ...]
    """Files of the home that hold its login; what it writes there goes back."""
    settings: tuple[str, ...] = ()
    """Further files that it gets as copies only: they can name programs to be run."""
    hosts: tuple[str, ...] = ()
    """Where its model is, and where a login is renewed."""
    reads_alone: bool = False
    """Whether it opens files itself: it mistakes our answer that a file is missing for a fault."""


KINDS: Mapping[str, Kind] = {
    "claude": Kind(
        logins=(".claude/.credentials.json",),
        settings=(".claude.json", ".claude/settings.json"),
        hosts=("api.anthropic.com", "console.anthropic.com", "platform.claude.com"),
    ),
    "codex": Kind(
        logins=(".codex/auth.json",),
        settings=(".codex/config.toml",),
        hosts=("chatgpt.com", "api.openai.com", "auth.openai.com"),
    ),
    "gemini": Kind(
        logins=(".gemini/oauth_creds.json", ".gemini/google_accounts.json"),
        settings=(".gemini/settings.json", ".gemini/installation_id"),
        hosts=(
            "generativelanguage.googleapis.com",
            "cloudcode-pa.googleapis.com",
            "oauth2.googleapis.com",
        ),
        reads_alone=True,
    ),
    "opencode": Kind(
        logins=(".local/share/opencode/auth.json",),
        settings=(".config/opencode/opencode.json",),
    ),
}
"""By a word in the name of the program."""


@dataclass(frozen=True, kw_only=True)
class External:
    """The agent that a person named as the coder."""

    command: str
    program: Path
    kind: Kind


def external_of(settings: Settings, *, search_path: str) -> External | None:
    """Return the external agent that is to code; None where a model is.

    Raises:
        SettingsError: The command is none, or limits are set that can't be kept.
        EnvironmentProblem: Its program is not installed.

    """
    named = settings.coder or settings.model
    if not (named and named[0].startswith(PREFIX)):
        return None
    command = ", ".join(named).removeprefix(PREFIX).strip()
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise SettingsError(f"--coder acp: {command!r} is no command: {error}") from None
    if not words or "\0" in command:
        raise SettingsError(
            "--coder acp: names no command", hint='Write --coder acp:"gemini --acp".'
        )
    if not settings.coder:
        raise SettingsError(
            "An external agent can only be the coder",
            hint="Name it with --coder; --model is for planner and verifier.",
        )
    if settings.max_cost_usd is not None or settings.max_tokens is not None:
        raise SettingsError(
            "What an external agent uses is its own affair, so --max-cost-usd and --max-tokens "
            "can't be kept",
            hint="Leave them away and limit --max-minutes and --max-attempts.",
        )
    program = shutil.which(words[0], path=search_path)
    if program is None:
        raise EnvironmentProblem(
            f"The agent {words[0]!r} is not installed",
            hint="Install it, or give the path of its program.",
        )
    return External(command=command, program=Path(program), kind=_kind_of(words))


def require_walls(external: External | None, sandbox: Sandbox) -> None:
    """Make sure that an agent can be given its login and its network, and no more.

    Raises:
        EnvironmentProblem: The sandbox can't do that.

    """
    if external and sandbox.name not in ("bubblewrap", "none"):
        raise EnvironmentProblem(
            f"An external agent can't be let into the sandbox {sandbox.name}: it would have "
            "neither login nor network",
            hint="Install bubblewrap; `prp doctor` says what keeps it from working.",
        )


def _kind_of(words: list[str]) -> Kind:
    names = [PurePosixPath(word).name for word in words]
    return next((kind for word, kind in KINDS.items() for n in names if word in n), Kind(logins=()))


@dataclass(frozen=True, kw_only=True)
class Invited:
    """An agent that may come in, and what its own process may see and do."""

    coder: ExternalCoder
    toolchain: Toolchain
    home: Path | None

    def confine(self, tree: Path, *, protect: Sequence[str]) -> Confinement:
        """Return the confinement of the agent's own process."""
        return replace(self.toolchain.confine(tree, protect=protect), home=self.home)


@asynccontextmanager
async def invited(
    external: External,
    settings: Settings,
    *,
    sandbox: Sandbox,
    toolchain: Toolchain,
    folder: Path,
    record: Record,
) -> AsyncIterator[Invited]:
    """Prepare the agent's home and its network; at the end the agent is ended and both are gone.

    Args:
        external: Which agent.
        settings: The person's choices.
        sandbox: Where it runs.
        toolchain: What commands find there.
        folder: The run's folder.
        record: Is told of every host that it asks for.

    """
    limits = Limits(
        silence=settings.model_timeout, calls=settings.max_requests_per_task * _CALLS_A_REQUEST
    )
    coder = ExternalCoder(external.command, logs=folder / "logs", limits=limits)
    named = {name: settings.keys.get(name) or os.environ.get(name) for name in settings.agent_env}
    own = replace(
        toolchain,
        binds=tuple(sorted({*toolchain.binds, *shown_for(external.program, home=Path.home())})),
        variables={**toolchain.variables, **{k: v for k, v in named.items() if v}},
    )
    async with AsyncExitStack() as opened:
        home = None
        if sandbox.name == "bubblewrap":
            home = opened.enter_context(_home(folder / "agent-home", external.kind, settings))
            own = await _connected(opened, external, settings, own, record)
        opened.push_async_callback(coder.aclose)
        yield Invited(coder=coder, toolchain=own, home=home)


async def _connected(
    opened: AsyncExitStack,
    external: External,
    settings: Settings,
    own: Toolchain,
    record: Record,
) -> Toolchain:
    """Return the toolchain with a proxy of the agent's own, which serves its hosts only."""
    known = (*external.kind.hosts, *settings.agent_hosts)
    hosts = tuple(dict.fromkeys((*known, *settings.allow_hosts)))
    if not known:
        words = f"nobody knows which hosts {external.program.name} needs, so it reaches none of its"
        record(Noted(text=f"{words} own; name them with PRP_AGENT_HOSTS", warning=True))
    if not hosts:
        return replace(own, network=None, hosts=())
    policy = NetworkPolicy(
        hosts=tuple(map(parse_rule, hosts)),
        private=tuple(map(parse_rule, settings.private_hosts)),
        seconds=_LONGEST_CONNECTION,
    )
    socket = await opened.enter_async_context(open_proxy(policy, stage="agent", record=record))
    return replace(own, network=socket, hosts=hosts)


@contextmanager
def _home(place: Path, kind: Kind, settings: Settings) -> Iterator[Path]:
    """Yield a home with copies of what the agent needs; what it renews of its login goes back."""
    home = Path.home()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    taken: dict[str, bytes] = {}
    try:
        for name in (*kind.logins, *kind.settings, *settings.agent_files):
            if (content := _content(home, name)) is not None:
                taken[name] = content
                (place / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                (place / name).write_bytes(content)
                (place / name).chmod(0o600)
        yield place
        for name in kind.logins:
            _bring_back(home, place, name, taken.get(name))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _content(top: Path, name: str) -> bytes | None:
    try:
        return read_bytes(top, name)
    except (FileProblem, OSError):
        return None


def _bring_back(home: Path, place: Path, name: str, before: bytes | None) -> None:
    """Write a renewed login into the person's home, unless the person has changed it meanwhile."""
    after = _content(place, name)
    if after is None or before is None or after == before or _content(home, name) != before:
        return
    try:
        is_login = isinstance(json.loads(after), dict)
    except (ValueError, RecursionError):
        is_login = False
    if is_login:
        write_text(home, name, after.decode("utf-8"))


_CALLS_A_REQUEST = 4
"""Tools that one request of a model uses at most, mostly; what is counted here are tools."""
_LONGEST_CONNECTION = 3600.0
