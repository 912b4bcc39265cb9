"""Everything that a run needs on the table before it begins; collected, then checked, then used."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.errors import Refused, SettingsError
from agent.hosts import host_name, parse_rule
from agent.llm.budget import Budget, Meter
from agent.llm.models import ModelChoice, check_choice
from agent.masking import Mask
from agent.planner import literal_plan
from agent.prp import Prp, parse_prp, require_executable
from agent.prp.lint import CONTEXT_CODES, lint
from agent.prp.reach import with_reach
from agent.prp.read import read_text
from agent.runs.approval import Answers, Ask, is_in_history, request_of, require_approval
from agent.runs.folder import require_state_folder
from agent.runs.guests import PREFIX, External, external_of, require_walls
from agent.runs.tracing import require_collector
from agent.settings import ROLES, Settings, load_settings
from agent.workspace import Repository, Sandbox, Toolchain, find_sandbox, find_toolchain
from agent.workspace.surroundings import at_commit


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the person asked for."""

    prp: Path
    flags: Mapping[str, Any] = field(default_factory=dict)
    """Settings that were typed, by their names in `Settings`."""
    base: str = "HEAD"
    start: str = ""
    """Commit with earlier work on the same base, to go on from; empty for a fresh start."""
    recording: Path | None = None
    """Where to write the models' answers."""
    roles: Sequence[str] = ROLES
    """The agents that will be asked."""
    if_named: Sequence[str] = ()
    """The agents that will be asked where the person named a model for them."""
    folder: Path | None = None
    """Where the repository is; the current folder by default."""
    need_references: bool = True
    """Whether files that the PRP names as its context must exist."""
    yes: bool = False
    """Whether everything that the document asks for is allowed."""
    approved: str = ""
    """Hash of commands that were allowed elsewhere."""
    ask: Ask | None = None
    """Asks a person whether the document may run its commands; None where nobody is there."""
    tools: tuple[Path, ...] = ()
    """Folders of programs that come before those of the person's PATH."""
    text_from: Path | None = None
    """A copy of the document that was checked before and counts instead of it."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A checked order: whatever can be wrong before the first step was not wrong."""

    prp: Prp
    prp_name: str
    """The document's path as people know it: below the repository where it lies there."""
    settings: Settings
    repository: Repository
    base: str
    budget: Budget
    choices: Mapping[str, ModelChoice]
    sandbox: Sandbox
    toolchain: Toolchain
    allowed: str
    """Who allowed the document's commands."""
    external: External | None = None
    """The agent that codes instead of a model."""
    equip: Callable[[str], Awaitable[Toolchain]] | None = None
    """Returns the toolchain with the packages of a commit; None before the run has begun."""

    async def toolchain_for(self, commit: str) -> Toolchain:
        """Return the tools for commands on a commit, its packages among them."""
        return await self.equip(commit) if self.equip else self.toolchain

    def choices_for(self, roles: Iterable[str]) -> dict[str, ModelChoice]:
        """Return what was chosen for roles, whether or not their keys are here."""
        return {role: _choice(self.settings, role) for role in roles}

    @property
    def models(self) -> dict[str, str]:
        """Return the names of the models by role."""
        names = {role: ", ".join(choice.names) for role, choice in self.choices.items()}
        return names | ({"coder": f"{PREFIX}{self.external.command}"} if self.external else {})


def lay_out(order: Order) -> Desk:
    """Check an order, without leaving anything behind; last of all a person may be asked.

    Raises:
        DocumentError: The PRP can't be executed.
        SettingsError: A setting, model or key is missing or wrong.
        EnvironmentProblem: No repository, no commit, no git or no sandbox.
        NeedsApproval: Nobody allowed the document's commands.

    """
    prp = parse_prp(read_text(order.text_from or order.prp), path=order.prp)
    repository = Repository.open((order.folder or Path.cwd()).resolve())
    base = repository.resolve(order.base)
    if order.text_from is None:
        found = lint(prp, at_commit(repository, base, document=order.prp)).findings
        left_out = frozenset() if order.need_references else CONTEXT_CODES
        require_executable(prp, [finding for finding in found if finding.code not in left_out])
    name = name_of(order.prp, repository.root)
    desk = _laid(order, repository, base, prp, name)
    return replace(desk, allowed=_allowed(order, desk))


def lay_out_draft(order: Order) -> Desk:
    """Check an order for a document that is yet to be written; the same without the document.

    Raises:
        SettingsError: A setting, model or key is missing or wrong.
        EnvironmentProblem: No repository, no commit, no git or no sandbox.

    """
    repository = Repository.open((order.folder or Path.cwd()).resolve())
    base = repository.resolve(order.base)
    return _laid(order, repository, base, parse_prp("", path=order.prp), order.prp.name)


def _laid(order: Order, repository: Repository, base: str, prp: Prp, name: str) -> Desk:
    settings = load_settings(order.flags, root=repository.root, tracked=repository.is_tracked)
    prp = reaching(prp, settings)
    budget = _budget(settings)
    search_path = os.environ.get("PATH", os.defpath)
    external = external_of(settings, search_path=search_path) if "coder" in order.roles else None
    roles, if_named = _roles(order, external)
    if settings.plan == "literal" and "planner" in roles:
        literal_plan(prp)
        # Then it is only asked for another way where attempts fail alike.
        roles = [role for role in roles if role != "planner"]
        if_named = ["planner", *if_named]
    named = [role for role in if_named if getattr(settings, role) or settings.model]
    choices = {role: _choice(settings, role) for role in (*roles, *named)}
    meter = Meter(budget, prices=settings.prices)
    for choice in choices.values():
        check_choice(choice, settings.keys)
        meter.require_prices(choice.names)
    _require_sense(order, settings)
    require_state_folder(settings.state_dir)
    sandbox = find_sandbox(settings.sandbox, state=settings.state_dir / "sandbox")
    require_walls(external, sandbox)
    return Desk(
        prp=prp,
        prp_name=name,
        settings=settings,
        repository=repository,
        base=base,
        budget=budget,
        choices=choices,
        sandbox=sandbox,
        toolchain=find_toolchain(
            repository.root,
            search_path=search_path,
            home=Path.home(),
            first=order.tools,
            shell_timeout=settings.command_timeout,
            mask=Mask(settings.keys),
            tracked=repository.is_tracked,
        ),
        allowed="",
        external=external,
    )


def _roles(order: Order, external: External | None) -> tuple[Sequence[str], Sequence[str]]:
    """Return which models must be named, and which are asked only where they are."""
    if external is None:
        return order.roles, order.if_named
    # Who has a subscription and no key shall get as far as programs alone can judge.
    must = [role for role in order.roles if role not in ("coder", "verifier")]
    return must, [*order.if_named, *(r for r in order.roles if r == "verifier")]


def _allowed(order: Order, desk: Desk) -> str:
    """Return who allows the document's commands."""
    settings, repository = desk.settings, desk.repository
    request = request_of(
        desk.prp,
        document=desk.prp_name,
        sandbox=desk.sandbox.name,
        fetches=settings.fetch_urls,
        hosts=settings.allow_hosts,
    )
    return require_approval(
        request,
        approve=settings.approve,
        in_history=lambda: is_in_history(repository, desk.prp_name, desk.prp),
        answers=Answers(folder=settings.state_dir / "approvals", root=repository.root),
        given=order.approved,
        yes=order.yes,
        ask=order.ask,
    )


def _require_sense(order: Order, settings: Settings) -> None:
    if order.recording and not order.recording.resolve().parent.is_dir():
        raise SettingsError(
            f"--record {order.recording}: there is no folder {order.recording.parent}"
        )
    require_collector(settings.otel_endpoint)
    if settings.sandbox != "none":
        return
    if order.yes:
        raise Refused(
            "--yes and --no-sandbox together would run unseen commands without a wall",
            hint="Leave one of them out.",
        )
    if os.environ.get("CI"):
        raise Refused(
            "--no-sandbox is for a person at a terminal, and CI is set: a job has keys and tokens",
            hint="Install bubblewrap in the job; `prp doctor` says what keeps it from working.",
        )


def reaching(prp: Prp, settings: Settings) -> Prp:
    """Return a document whose checks may ask the hosts that are allowed."""
    rules = [parse_rule(rule) for rule in settings.allow_hosts]
    return with_reach(
        prp, lambda host, port: any(rule.covers(host_name(host), port) for rule in rules)
    )


def bundled_tools() -> Path:
    """Return the folder of the programs that were installed beside `prp`."""
    return Path(sys.executable).parent


def _budget(settings: Settings) -> Budget:
    return Budget(
        max_attempts=settings.max_attempts,
        max_cost_usd=settings.max_cost_usd,
        max_minutes=settings.max_minutes,
        max_tokens=settings.max_tokens,
        max_requests_per_task=settings.max_requests_per_task,
    )


def _choice(settings: Settings, role: str) -> ModelChoice:
    return ModelChoice(
        # Who writes a PRP is who plans one.
        names=settings.models_for("planner" if role == "drafter" else role),
        base_url=settings.base_url,
        timeout_seconds=settings.model_timeout,
    )


def name_of(path: Path, root: Path) -> str:
    """Return a document's path as people know it: below the repository where it lies there."""
    whole = path.resolve()
    return str(whole.relative_to(root)) if whole.is_relative_to(root) else path.name
