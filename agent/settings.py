"""What the person may choose, and where each choice came from.

Strongest first: flag, `PRP_*` environment variable, `.env`, `prp.toml` or `[tool.prp]` of the
repository, the person's own `config.toml`, default. A repository is somebody else's word: its
file may name models and lower limits, but it can neither raise a limit nor say where keys are sent,
and of the hosts that it names only those count that the person's own file allows.
"""

import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.errors import SettingsError
from agent.hosts import parse_rule
from agent.places import default_state_dir

ROLES = ("planner", "coder", "verifier")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Choices for one run."""

    model: tuple[str, ...] = ()
    """Model for every role that has none of its own; further names are fallbacks in order."""
    planner: tuple[str, ...] = ()
    coder: tuple[str, ...] = ()
    verifier: tuple[str, ...] = ()
    base_url: str | None = None
    """Address of an OpenAI- or Anthropic-compatible server."""
    max_attempts: int = 3
    """How often the coder may try before the run stops."""
    max_cost_usd: float | None = None
    """US dollars for the whole run."""
    max_minutes: float | None = None
    """Wall time of the whole run, in minutes."""
    max_tokens: int | None = None
    """Tokens read and written by all models together."""
    max_requests_per_task: int = 60
    """Model requests that one task may take."""
    jobs: int = 1
    """Tasks that are carried out at the same time, where they do not rest on each other."""
    candidates: int = 1
    """Attempts at the whole, of which the best is gone on with."""
    max_mutants: int = 12
    """Small changes of the changed lines that the tests must notice; 0 tries none."""
    approve: str = "auto"
    """Whose commands a person must allow: `auto` (documents that the history does not hold),
    `commands` (all documents'), `none`."""
    plan: str = "asked"
    """Who plans: `asked` (the planner), or `literal`: the PRP's own tasks, files and checks are
    the plan, and nobody is asked."""
    check_timeout: float = 600.0
    """Seconds that one check may take."""
    command_timeout: float = 120.0
    """Seconds that a command of the coder may take unless it asks for more."""
    model_timeout: float = 600.0
    """Seconds that one model answer may take from first to last byte."""
    holdout_tests: int = 8
    """Tests that the verifier may write from the PRP's text; 0 means none."""
    strict: bool = False
    """Whether only proven criteria count, neither judged nor pre-existing ones."""
    fetch_urls: bool = True
    """Whether `url:` references are downloaded for the planner."""
    sandbox: str = "auto"
    """`auto`, or the name of one that must be it; none must be typed as a flag, `--no-sandbox`."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that commands may ask: `HOST`, `.DOMAIN` for every host below it, each with `:PORT`."""
    private_hosts: tuple[str, ...] = ()
    """Hosts among these, or package registries, whose address may be one of a private network."""
    agent_hosts: tuple[str, ...] = ()
    """Hosts that an external coding agent (`coder = "acp:COMMAND"`) may ask beyond those known."""
    agent_env: tuple[str, ...] = ()
    """Names of variables, keys among them, that such an agent gets."""
    agent_files: tuple[str, ...] = ()
    """Files of your home, relative to it, that such an agent gets as copies."""
    setup: str = "auto"
    """How packages are installed: `auto` by lock files, `none`, or a command of your own."""
    setup_timeout: float = 900.0
    """Seconds that installing packages may take."""
    state_dir: Path = Path()
    """Where runs are kept; default `$XDG_STATE_HOME/prp`."""
    database_url: str | None = field(default=None, repr=False)
    """`postgresql://...` that keeps the steps of runs; by default each has a file of its own."""
    storage_url: str | None = None
    """Where workers of a fleet leave journals and reports: a path, or `s3://...`, `gs://...`."""
    otel_endpoint: str | None = None
    """Collector that gets a trace of each run, figures and names only: `http://localhost:4318`."""
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """US dollars per million tokens read and written, for models that the price list lacks."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Provider keys by the name of their variable."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where each value came from that is not the default."""
    notes: tuple[str, ...] = ()
    """What was left aside while reading, for the person to know."""

    def models_for(self, role: str) -> tuple[str, ...]:
        """Return the model names for a role, the preferred one first.

        Raises:
            SettingsError: Neither the role nor `model` names one.

        """
        names = getattr(self, role) or self.model
        if not names:
            raise SettingsError(
                f"No model for the {role}",
                hint="".join(f"{note} " for note in self.notes if note.endswith("PRP_MODEL?"))
                + "Name one with `--model anthropic:NAME` or `--model openai:NAME`, with "
                "PRP_MODEL, or as `model` in prp.toml; `prp demo` needs none."
                + (_NO_KEY if role == "planner" else ""),
            )
        return tuple(names)


_NO_KEY = (
    " Without any key: `prp execute PRP --plan literal` takes the PRP itself for the plan, and "
    '`--coder acp:"COMMAND"` beside it lets an agent that you are logged in to write the code.'
)
APPROVE = ("auto", "none", "commands")
"""Values of `approve`."""
_WORDS = {"approve": APPROVE, "plan": ("asked", "literal")}
_ONLY_CODE = {"keys", "origins", "notes"}
_HOSTS = {"allow_hosts", "private_hosts", "agent_hosts"}
# A repository could send the person's keys to its own server, or its files elsewhere.
_NOT_FROM_A_REPOSITORY = {
    "base_url",
    "sandbox",
    "private_hosts",
    "agent_hosts",
    "agent_env",
    "agent_files",
    "state_dir",
    "database_url",
    "storage_url",
    "otel_endpoint",
    "prices",
    "holdout_tests",
    "max_mutants",
}
_MODELS = {"model", *ROLES}
_LIMITS = {
    "max_attempts",
    "max_cost_usd",
    "max_minutes",
    "max_tokens",
    "max_requests_per_task",
    "candidates",
    "max_mutants",
    "holdout_tests",
    "check_timeout",
    "command_timeout",
    "model_timeout",
    "setup_timeout",
}
_COUNTS = _LIMITS | {"jobs"}
_ZERO_IS_OFF = {"max_mutants", "holdout_tests"}
_SECRET_NAME = re.compile(r"(API_KEY|_TOKEN|_SECRET|ACCESS_KEY(_ID)?|CREDENTIALS)$")


def load_settings(
    flags: Mapping[str, Any],
    *,
    root: Path,
    environment: Mapping[str, str] | None = None,
    tracked: Callable[[str], bool] = lambda _: False,
) -> Settings:
    """Collect the choices for a run in the repository at `root`.

    Args:
        flags: What was typed; None means not typed. Names as in `Settings`.
        root: Top of the repository: `.env`, `prp.toml` and `pyproject.toml` are read there.
        environment: The process's own by default.
        tracked: Tells whether git tracks a path below `root`; a tracked `.env` is not read.

    Raises:
        SettingsError: A value or a name is wrong; it names the file or variable.

    """
    environment = dict(os.environ if environment is None else environment)
    gathered = _Gathered()
    gathered.add({"state_dir": default_state_dir(environment)}, origin="default")
    _read_user_file(gathered, environment)
    _read_repository_file(gathered, root)
    dotenv = _read_dotenv(gathered, root, environment, tracked)
    gathered.add(_from_environment(dotenv), origin=".env")
    gathered.add(_from_environment(environment), origin="environment")
    gathered.notes += _misspelt(dotenv | environment)
    gathered.add({k: v for k, v in flags.items() if v is not None}, origin="flag")
    keys = {k: v for k, v in (dotenv | environment).items() if v and _SECRET_NAME.search(k)}
    if password := urlsplit(gathered.values.get("database_url") or "").password:
        keys["PRP_DATABASE_URL"] = password
    return Settings(
        **gathered.values,
        keys=keys,
        origins=gathered.origins,
        notes=tuple(gathered.notes),
    )


def keys_at_hand() -> dict[str, str]:
    """Return the keys in the process's own environment, by the names of their variables."""
    return {k: v for k, v in os.environ.items() if v and _SECRET_NAME.search(k)}


class _Gathered:
    """Values in the order in which they are found: a later one wins."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.notes: list[str] = []

    def add(self, found: Mapping[str, Any], *, origin: str) -> None:
        for name, value in found.items():
            if name not in _TYPES or name in _ONLY_CODE:
                raise SettingsError(
                    f"{origin}: unknown setting {name!r}",
                    hint=f"Known are: {', '.join(sorted(set(_TYPES) - _ONLY_CODE))}.",
                )
            self.values[name] = _checked(name, _converted(name, value, origin), origin)
            if origin != "default":
                self.origins[name] = origin

    def tighten(self, found: Mapping[str, Any], *, origin: str) -> None:
        """Add what a repository may say: no trust, and limits only downwards."""
        found = self._without_the_strongest(found, origin)
        for name, value in found.items():
            if name in _NOT_FROM_A_REPOSITORY:
                raise SettingsError(
                    f"{origin}: {name!r} may not be set by a repository",
                    hint=f"Set PRP_{name.upper()} or put it into your own config.toml: a "
                    "repository must not decide where keys are sent or what is allowed.",
                )
            if name in _MODELS and _starts_programs(value):
                raise SettingsError(
                    f"{origin}: {name!r} names an agent to be started; a repository may not",
                    hint=f"Type --{name} acp:COMMAND, or set PRP_{name.upper()}.",
                )
            if name == "setup" and value not in ("none", self.values.get("setup", "auto")):
                raise SettingsError(
                    f"{origin}: a repository can only say setup = 'none'",
                    hint="Type --setup 'COMMAND', set PRP_SETUP or put it into your own "
                    "config.toml: while packages are installed their registries can be reached.",
                )
            if name == "allow_hosts":
                self._narrow(value, origin)
                continue
            if name == "approve" and value != "commands":
                self.notes.append(
                    f"{origin}: approve was left aside; a repository can only ask for more"
                )
                continue
            if name in _LIMITS:
                limit = self.values.get(name, getattr(Settings, name))
                wanted = _checked(name, _converted(name, value, origin), origin)
                if limit is not None and wanted > limit:
                    self.notes.append(
                        f"{origin}: {name} = {wanted} is above {limit} and was left aside; "
                        "a repository can only lower limits"
                    )
                    continue
            self.add({name: value}, origin=origin)

    def _without_the_strongest(self, found: Mapping[str, Any], origin: str) -> Mapping[str, Any]:
        """Let a repository ask for bubblewrap, the strongest, where the person chose nothing."""
        if found.get("sandbox") != "bubblewrap":
            return found
        if self.values.get("sandbox", "auto") == "auto":
            self.add({"sandbox": "bubblewrap"}, origin=origin)
        return {name: value for name, value in found.items() if name != "sandbox"}

    def _narrow(self, value: Any, origin: str) -> None:
        """Keep of the hosts that a repository names those that the person's own file allows."""
        wanted = _checked("allow_hosts", _converted("allow_hosts", value, origin), origin)
        allowed = [parse_rule(rule) for rule in self.values.get("allow_hosts", ())]
        kept = [r for r in wanted if any(one.covers_rule(parse_rule(r)) for one in allowed)]
        self.add({"allow_hosts": kept}, origin=origin)
        self.notes += [
            f"{origin}: allow_hosts names {rule}, which is left aside: a repository can't open the "
            f"network; if you trust it, type --allow-host {rule} or allow it in your config.toml"
            for rule in wanted
            if rule not in kept
        ]


def _starts_programs(value: Any) -> bool:
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return any("acp:" in str(name) for name in names)


def _read_user_file(gathered: _Gathered, environment: Mapping[str, str]) -> None:
    home = environment.get("XDG_CONFIG_HOME") or f"{environment.get('HOME', '~')}/.config"
    path = Path(home).expanduser() / "prp" / "config.toml"
    if path.is_file():
        gathered.add(_toml(path), origin=str(path))


def _read_repository_file(gathered: _Gathered, root: Path) -> None:
    own, project = root / "prp.toml", root / "pyproject.toml"
    table = _toml(project).get("tool", {}).get("prp") if project.is_file() else None
    if own.is_file() and table is not None:
        raise SettingsError(
            "Both prp.toml and [tool.prp] in pyproject.toml set things",
            hint="Keep one of the two.",
        )
    if own.is_file():
        gathered.tighten(_toml(own), origin="prp.toml")
    elif table is not None:
        gathered.tighten(table, origin="pyproject.toml [tool.prp]")


def _read_dotenv(
    gathered: _Gathered,
    root: Path,
    environment: Mapping[str, str],
    tracked: Callable[[str], bool],
) -> dict[str, str]:
    path = root / ".env"
    if environment.get("CI") or not path.is_file():
        return {}
    if tracked(".env"):
        gathered.notes.append(".env is tracked by git and was not read; keys belong in no history")
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - most runs have no .env

    found = dotenv_values(path, interpolate=False)
    # Everything else in the file belongs to the project, not to us.
    return {k: v for k, v in found.items() if v and (k.startswith("PRP_") or k.endswith("API_KEY"))}


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings among the variables; other PRP_ names belong to other commands."""
    names = _variables()
    return {names[key]: value for key, value in environment.items() if key in names and value}


def _misspelt(environment: Mapping[str, str]) -> list[str]:
    """Return what to tell of variables that are nearly a setting: a limit that is none costs."""
    from difflib import get_close_matches  # noqa: PLC0415 - few have such a name

    known = [*_variables(), *_OF_COMMANDS]
    notes: list[str] = []
    for name in environment:
        if not name.startswith("PRP_") or name in known or name.startswith("PRP_GH_"):
            continue
        longer = [one for one in known if one.startswith(f"{name}_")]
        if meant := longer or get_close_matches(name, known, n=1, cutoff=0.8):
            notes.append(f"{name} is no setting and was left aside; do you mean {meant[0]}?")
    return notes


def _variables() -> dict[str, str]:
    """Return the settings by the variables that set them."""
    return {f"PRP_{name.upper()}": name for name in set(_TYPES) - _ONLY_CODE - {"prices"}}


# Variables that single commands read.
_OF_COMMANDS = ("PRP_GIT_TOKEN", "PRP_MCP_TOKEN")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}", hint="The file must be valid TOML.") from None
    except RecursionError:
        raise SettingsError(
            f"{path}: it is nested too deeply", hint="No setting of prp has more than two levels."
        ) from None


_TYPES = typing.get_type_hints(Settings)


def _converted(name: str, value: Any, origin: str) -> Any:
    """Return the value as its field's type, whichever of TOML, variable or flag it came from."""
    wanted = _TYPES[name]
    if isinstance(wanted, types.UnionType):
        wanted = next(t for t in typing.get_args(wanted) if t is not type(None))
    kind = typing.get_origin(wanted) or wanted
    try:
        return _CONVERTERS[kind](value)
    except (KeyError, TypeError, ValueError):
        raise SettingsError(
            f"{_as_written(name, origin)} is {value!r}, which is not {_A_WORD_FOR[kind]}"
        ) from None


def _checked(name: str, value: Any, origin: str) -> Any:
    """Return a value unless it is one that nothing could keep, or no host."""
    if name in _HOSTS:
        return tuple(_rule(name, rule, origin) for rule in value)
    if name == "database_url" and not value.startswith(("postgresql://", "postgres://")):
        # Not shown: it may hold a password.
        raise SettingsError(
            f"{_as_written(name, origin)} is no address of a PostgreSQL database",
            hint="Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
        )
    if name == "sandbox" and value == "none" and origin != "flag":
        raise SettingsError(
            f"{_as_written(name, origin)} is 'none', which must be typed each time",
            hint="Type --no-sandbox, where you know every command that will run.",
        )
    if name in _WORDS and value not in _WORDS[name]:
        raise SettingsError(
            f"{_as_written(name, origin)} is {value!r}",
            hint=f"Give one of {', '.join(_WORDS[name])}.",
        )
    zero_is_off = name in _ZERO_IS_OFF
    if name not in _COUNTS or (math.isfinite(value) and value > (-1 if zero_is_off else 0)):
        return value
    least = "0 or above" if zero_is_off else "above 0"
    usual = getattr(Settings, name)
    raise SettingsError(
        f"{_as_written(name, origin)} is {value}, but must be a number {least}",
        hint=f"The default is {usual:g}." if usual else "Leave it away for no limit of this kind.",
    )


def _rule(name: str, rule: str, origin: str) -> str:
    try:
        return str(parse_rule(rule))
    except ValueError as error:
        raise SettingsError(
            f"{_as_written(name, origin)}: {rule!r} can't be allowed: {error}",
            hint="Write HOST for ports 80 and 443, HOST:PORT for one port, .DOMAIN for every host "
            "below a domain; one more --allow-host for each.",
        ) from None


def _as_written(name: str, origin: str) -> str:
    """Return a setting's name as the person wrote it: `--max-tokens`, `PRP_MAX_TOKENS`."""
    variable = f"PRP_{name.upper()}"
    flag = "--allow-host" if name == "allow_hosts" else "--" + name.replace("_", "-")
    written = {"flag": flag, "environment": variable, ".env": f".env: {variable}"}
    return written.get(origin, f"{origin}: {name}")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        str(value).strip().lower()
    ]


def _names(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(str(part).strip() for part in parts if str(part).strip())


def _number(kind: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, float) and kind(value) != value):
            raise TypeError
        return kind(value)

    return convert


def _price_table(value: Any) -> dict[str, tuple[float, float]]:
    return {str(k): (float(v[0]), float(v[1])) for k, v in value.items()}


_CONVERTERS: dict[Any, Callable[[Any], Any]] = {
    int: _number(int),
    float: _number(float),
    bool: _boolean,
    str: str,
    Path: lambda value: Path(value).expanduser().absolute(),
    tuple: _names,
    Mapping: _price_table,
}
_A_WORD_FOR = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
    tuple: "a name or a list of them",
    Mapping: "a table of `model = [dollars read, dollars written]`",
}
