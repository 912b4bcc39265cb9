"""A PRP as values: what it asks for, never how it is carried out.

Every value knows the line of the document that it comes from, counted from 1.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePath

from agent.prp.headings import unaccented


@dataclass(frozen=True, kw_only=True)
class Text:
    """Words of the document and where they stand."""

    text: str
    line: int

    def __str__(self) -> str:
        """Return the words alone."""
        return self.text


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with everything below it up to the next heading of its own or a higher level."""

    heading: str
    """As written, without the `#` marks; empty for text before the first heading."""
    depth: int
    """How many `#` the heading has; 0 without a heading."""
    line: int
    """Line of the heading, or the first line of the text where there is no heading."""
    last_line: int
    body: str
    """The lines below the heading, as written."""


class ReferenceKind(StrEnum):
    """What a reference points to."""

    URL = "url"
    FILE = "file"
    DOCFILE = "docfile"
    MCP = "mcp"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One entry of the needed context."""

    kind: ReferenceKind
    target: str
    """URL or path as written, without a trailing comment and without the line range."""
    line: int
    why: str = ""
    sections: tuple[str, ...] = ()
    """Parts of the target to read; empty means all of it."""
    critical: str = ""
    pattern: str = ""
    gotcha: str = ""
    notes: tuple[str, ...] = ()
    """Every other key of the entry, as `key: value`."""
    lines: tuple[int, int] | None = None
    """First and last line of the target, where the reference names a range."""
    declared: bool = False
    """Whether it is an entry such as `- file: path`; else the text only mentions it."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One success criterion or checklist line that the run must prove."""

    id: str
    """`C1`, `C2`, ... for success criteria, `D1`, `D2`, ... for the deployment checklist."""
    text: str
    line: int
    ticked: bool = False
    """Whether the author wrote `[x]`; it proves nothing."""


class Verb(StrEnum):
    """What a task does to a path."""

    CREATE = "CREATE"
    MODIFY = "MODIFY"
    DELETE = "DELETE"
    MOVE = "MOVE"


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """A path that a task names, and what is to become of it."""

    verb: Verb
    """The template's word for the verb as written (ADD, UPDATE, EXTEND ... are MODIFY)."""
    path: str
    """As written; whether it may be used is decided by whoever uses it."""
    line: int
    bullets: tuple[Text, ...] = ()
    """What the task says about this path."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One unit of the blueprint."""

    number: int
    """Position in the document, counted from 1; unique."""
    label: str
    """What the author calls it: `1`, `P1.M2.T1`, `T001`, `Phase 2`."""
    title: str
    line: int
    last_line: int
    changes: tuple[FileChange, ...] = ()
    text: str = ""
    """Everything that the document says of the task, as written."""
    depends_on: tuple[int, ...] = ()
    """Numbers of tasks that the document names as prerequisites."""


class CheckKind(StrEnum):
    """What running a command would mean, the most restrictive first."""

    NOT_SHELL = "not-shell"
    SAMPLE_CODE = "sample-code"
    MANUAL = "manual"
    PLACEHOLDER = "placeholder"
    DESTRUCTIVE = "destructive"
    INTERACTIVE = "interactive"
    SECRET = "secret"  # noqa: S105 - a kind of command, not a password
    NETWORK = "network"
    SERVER = "server"
    MUTATING = "mutating"
    RUN = "run"


class ExpectationKind(StrEnum):
    """How a check's result is judged."""

    EXIT_ZERO = "exit-zero"
    EXIT_NONZERO = "exit-nonzero"
    EXIT_STATUS = "exit-status"
    EMPTY_OUTPUT = "empty-output"
    CONTAINS = "contains"
    NUMBER = "number"
    HTTP_STATUS = "http-status"
    UNJUDGED = "unjudged"
    """Prose that no rule recognises: exit status 0 is needed, and a judge reads the output."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the document expects of a check."""

    kind: ExpectationKind = ExpectationKind.EXIT_ZERO
    text: str = ""
    """As written; empty where the document says nothing."""
    line: int = 0
    """Line of the text; 0 where the document says nothing."""
    value: str = ""
    """For `contains` the text to find, for a number `>=80 coverage`, for a status its digits."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that must be up before a check."""

    command: str
    """As written, with its `&` where it has one."""
    line: int
    setup: tuple[str, ...] = ()
    """Commands before it in its fence that change the shell."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One validation command with its expectation and its kind."""

    id: str
    """`L2.1` is the first check of level 2; `X.3` the third that stands under no level."""
    command: str
    """One shell command as written, continuations and here-documents included."""
    line: int
    last_line: int
    level: int
    """The loop it belongs to, counted from 1; 0 when it stands outside of every loop."""
    setup: tuple[str, ...] = ()
    """Commands before it in the same fence that change the shell (`cd`, `export`, ...)."""
    servers: tuple[Server, ...] = ()
    """What must be up before it, in the order of starting; a server's own command is not there."""
    kinds: tuple[CheckKind, ...] = (CheckKind.RUN,)
    """All that apply, the most restrictive first."""
    expectation: Expectation = Expectation()
    can_fail: bool = True
    """False where the command hides its exit status (`|| true`, `; echo $?`, a pipe)."""
    comment: str = ""
    """What the document says about the command, on the line before or behind it."""

    @property
    def kind(self) -> CheckKind:
        """Return the most restrictive kind."""
        return self.kinds[0]


@dataclass(frozen=True, kw_only=True)
class Level:
    """One validation loop: checks that must all pass before the next level runs."""

    number: int
    title: str
    line: int
    checks: tuple[Check, ...]


class TestKind(StrEnum):
    """Which part of the test specification."""

    __test__ = False  # pytest would take the name for a test class

    UNIT = "unit"
    INTEGRATION = "integration"
    E2E = "e2e"
    PERFORMANCE = "performance"
    FIXTURES = "fixtures"


@dataclass(frozen=True, kw_only=True)
class TestSpec:
    """A fence of the test specification: tests that are written before the code."""

    __test__ = False

    kind: TestKind
    line: int
    code: str
    """The fence's content as written."""
    language: str = ""
    path: str = ""
    """The test file that the fence names in a comment, as written."""
    tests: tuple[Text, ...] = ()
    """Names of the tests in the fence."""


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """What the author thinks of the document; it says nothing about the outcome."""

    score: float | None
    """Out of 10; None for a placeholder or something that is no number."""
    line: int
    text: str


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about the document that its author should know."""

    code: str
    """Stable code of the rule, for instance `I47`; `rules.py` lists them all."""
    rule: str
    """The rule's name in words, for instance `placeholder`."""
    message: str
    """What is wrong, one sentence without its full stop."""
    hint: str
    """What to do about it, one sentence."""
    line: int
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, kw_only=True)
class Prp:
    """A parsed Product Requirement Prompt."""

    path: Path
    """Where it was read from; names the run and prefixes messages."""
    text: str
    r"""The whole document with `\n` line ends and without a byte order mark."""
    title: Text
    metadata: tuple[tuple[Text, Text], ...] = ()
    """Key and value pairs: the metadata section, front matter, bold lines below the title."""
    goal: Section | None = None
    why: Section | None = None
    what: Section | None = None
    criteria: tuple[Criterion, ...] = ()
    references: tuple[Reference, ...] = ()
    current_tree: Section | None = None
    desired_tree: Section | None = None
    desired_files: tuple[Text, ...] = ()
    """Paths that the desired tree marks as new or that it lists, in its order."""
    gotchas: tuple[Section, ...] = ()
    test_specs: tuple[TestSpec, ...] = ()
    tasks: tuple[Task, ...] = ()
    patterns: tuple[Section, ...] = ()
    levels: tuple[Level, ...] = ()
    loose_checks: tuple[Check, ...] = ()
    """Checks outside of every level: inline in checklists, per task, in other sections."""
    checklist: tuple[Criterion, ...] = ()
    """The deployment checklist."""
    anti_patterns: tuple[Text, ...] = ()
    confidence: Confidence | None = None
    remainder: tuple[Section, ...] = ()
    """What the parser did not recognise, as it stands."""
    findings: tuple[Finding, ...] = ()
    """What the parser noticed, by line."""

    @property
    def slug(self) -> str:
        """Return a short name made of the file's: lower case, digits and single hyphens."""
        return slug(self.path)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Return the checks of all levels, then those outside of levels."""
        return (*(check for level in self.levels for check in level.checks), *self.loose_checks)

    @property
    def promises(self) -> tuple[Criterion, ...]:
        """Return everything that the run must prove: success criteria and checklist."""
        return (*self.criteria, *self.checklist)


def slug(path: PurePath, *, limit: int = 40) -> str:
    """Return a name for branches and folders made of a file's name.

    Args:
        path: Only its last part without the ending counts.
        limit: Characters at most.

    Returns:
        Lower-case ASCII letters (those with accents without them), digits and single hyphens;
        `prp` when nothing is left.

    """
    plain = unaccented(path.stem.lower().translate(_SPELT))
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in plain).split()
    return "-".join(words)[:limit].strip("-") or "prp"


# Letters that are more than one with an accent.
_SPELT = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
