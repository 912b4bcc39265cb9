"""Commands of tasks that prove something: `Task 5: VERIFY` with a command on each line."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from agent.prp.checks import check_of, fence_checks_of, is_shell_fence
from agent.prp.commands import Command, split_commands
from agent.prp.inline import LABEL, OTHER_LABELS, bare_check, in_backticks, is_surely_a_command
from agent.prp.kinds import Effect, effect_of
from agent.prp.lines import Line, Role, fences, heading
from agent.prp.manual import step_of
from agent.prp.model import Check
from agent.prp.stepped import commented_steps

_TASK = re.compile(r"^[\s*#\"'\[\]xX-]{0,12}(?:[Tt]ask|TASK)\s*#?\d[\w.]*[\W_]*(?P<title>.*)$")
_STEP = re.compile(
    r"^\W*(?:(?:Task|Step|Phase)\s*#?)?(?:\d+(?:\.\d+)*)?[\W_]*(?P<title>.*)$", re.IGNORECASE
)
_PROVES = re.compile(
    r"(?:(?:final|full|manual) )?(?:verif(?:y|ication)|validat(?:e|ion)|confirm|check|test|gate)\b|"
    rf"(?:{OTHER_LABELS}|validar|verificar|valider|vérifier|validieren|prüfen|validare|verificare)\b|"
    r"(?:re-?)?(?:run|execute)\b.{0,60}\b(?:tests?|suites?|check\w*|lint\w*|type-?check\w*|validation|build|"
    r"gates?|audit)\b",
    re.IGNORECASE,
)  # fmt: skip
_ENDS_IN_LABEL = re.compile(rf"\W*+{LABEL}\b[^`]{{0,160}}:\W*$", re.IGNORECASE)
_ENDS_IN_ORDER = re.compile(r"[.;,)] (?:[Cc]onfirm|[Vv]erify|[Cc]heck|[Rr]un):$")
_LABELS = re.compile(r"^(?:[A-Z][\w ./&+-]{0,50}(?:\([^()]{0,200}\))?\s*:\s+){0,2}")
_MARK = re.compile(r"^\s*(?:[-*]\s+|\d+[.)]\s+)?")
_FURTHER = 12


def proving_checks(lines: Sequence[Line]) -> list[Check]:
    """Return the commands that stand bare on lines of tasks that prove something.

    Args:
        lines: Lines of one section of the tasks.

    A task proves where its title says so; below a label such as `- RUN (greps):` deeper lines do.

    """
    place = _Place()
    checks = fence_checks_of(lines, level=0) if lines and _moved(place, lines[0]).proves else []
    checks = checks or _below_labels(lines)
    shell: frozenset[int] | None = None
    passed = 0
    for index, line in enumerate(lines):
        words = line.text
        # Most lines neither begin a task nor end in a label; asking them costs.
        is_quiet = not place.in_proof and place.below is None and line.role is not Role.HEADING
        if is_quiet and "ask" not in words and ":" not in words[-8:]:
            continue
        if line.number <= passed or not words.strip():
            continue
        place = _moved(place, line)
        if not place.proves or line.role not in (Role.TEXT, Role.INSIDE):
            continue
        shell = _shell_lines(lines) if shell is None else shell
        if line.number in shell:
            continue
        found, passed = _on_line(lines, index)
        checks += [check for check in found if not is_work(check)]
    return checks


def _below_labels(lines: Sequence[Line]) -> list[Check]:
    """Return the commands of shell fences that stand directly below `- **VALIDATION**:`."""
    checks: list[Check] = []
    is_below = False
    for index, line in enumerate(lines):
        if line.role is Role.OPENS and is_below:
            end = next(
                (at for at in range(index + 1, len(lines)) if lines[at].role is not Role.INSIDE),
                len(lines) - 1,
            )
            fence = lines[index : end + 1]
            checks += fence_checks_of(fence, level=0)
            checks += [step_of(words, at) for at, words in commented_steps(fence).items()]
        if line.role is not Role.TEXT or line.text.strip():
            is_below = (
                line.role is Role.TEXT
                and line.text.rstrip()[-1:] in _ENDS_OF_LABELS
                and bool(_ONLY_A_LABEL.match(line.text))
            )
    return checks


_ENDS_OF_LABELS = frozenset(":*")
_ONLY_A_LABEL = re.compile(
    r"\s*(?:(?:[-*]|\d+[.)])\s+)?\**(?:FINAL )?(?:VALIDAT(?:E|ION)|VERIF(?:Y|ICATION)|"
    rf"CONFIRM|CHECKS?|GATES?|(?:RUN\s(?:THE\s)?)?TESTS?(?:\sLOCALLY)?|{OTHER_LABELS})"
    r"(?: commands?| steps?| gates?(?: \d{1,2})?| checks?| interm[ée]diaire| finale?|"
    r"\sbefore\s\w+|\sthat\s[\w\s]{1,40})?(?:\**\s*:\s*\**|\*\*)\s*$",
    re.IGNORECASE,
)


class _Place(NamedTuple):
    """Where among the tasks a line stands."""

    in_proof: bool = False
    below: int | None = None
    """Indentation of the label above; None where there is none."""

    @property
    def proves(self) -> bool:
        return self.in_proof or self.below is not None


def _moved(place: _Place, line: Line) -> _Place:
    """Return the place of a line, given that of the line above it."""
    if line.role is Role.HEADING:
        found = _STEP.match(heading(line)[1])
        return _Place(in_proof=bool(found and _PROVES.match(found["title"])))
    if "ask" in line.text and (found := _TASK.match(line.text)):
        return _Place(in_proof=bool(_PROVES.match(found["title"])))
    if (
        line.role is Role.INSIDE
        and not _OF_A_WORKFLOW.match(line.text)
        and (_ENDS_IN_LABEL.match(line.text) or _ENDS_IN_ORDER.search(line.text))
    ):
        return _Place(in_proof=place.in_proof, below=_indent(line.text))
    if place.below is not None and _indent(line.text) <= place.below:
        return _Place(in_proof=place.in_proof)
    return place


# What a machine runs that reads this file, quoted in a task: `run: |`.
_OF_A_WORKFLOW = re.compile(r"\s*(?:-\s+)?run:\s*[|>][+-]?\s*$")


def _indent(words: str) -> int:
    return len(words) - len(words.lstrip())


def _on_line(lines: Sequence[Line], index: int) -> tuple[list[Check], int]:
    """Return the command on a line, if it is one, and the last line that belongs to it."""
    line = lines[index]
    words = _LABELS.sub("", line.text[_end_of_mark(line.text) :])
    if words.startswith("`"):
        return in_backticks(line._replace(text=words), 0), 0
    if not is_surely_a_command(words) or effect_of(words) is Effect.ONLY:
        return [], 0
    whole = split_commands([line._replace(text=words), *_below(lines, index)])[0]
    if isinstance(whole, Command) and whole.last_line > line.number:
        return [check_of(whole, level=0, setup=())], whole.last_line
    return [bare_check(words, line, 0)], 0


def _end_of_mark(words: str) -> int:
    found = _MARK.match(words)
    return found.end() if found else 0


def _below(lines: Sequence[Line], index: int) -> list[Line]:
    """Return the lines that may go on with a command: deeper ones."""
    first = lines[index]
    below: list[Line] = []
    for line in lines[index + 1 : index + _FURTHER]:
        if line.role is not first.role or _indent(line.text) <= _indent(first.text):
            break
        below.append(line)
    return below


def _shell_lines(lines: Sequence[Line]) -> frozenset[int]:
    """Return the lines of shell fences."""
    shell = (fence for fence in fences(lines) if is_shell_fence(fence))
    return frozenset(line.number for fence in shell for line in fence.lines)


# What a task does, whatever stands before it: `RUN: git mv a b`.
_WORK = re.compile(
    r"(?:cd\s+\S+\s*&&\s*)?(?:git\s+(?:mv|rm|add|commit|checkout|switch|branch|merge)|mkdir|mv|cp|touch|"
    r"go\s+(?:mod\s+init|get)|(?:npm|pnpm|yarn|bun|cargo|uv|poetry)\s+(?:init|add|new))\s|"
    r"(?:npm|npx|pnpm|yarn|bun)\s[^|;&]*\sinit\s*$|(?:(?:npm|pnpm|yarn|bun)\s+(?:i|install)|pip3?\s+install)\s+(?:-\S+\s+)*[\w@]|"
    r"(?:npx\s+(?:-\S+\s+)*)?(?:ng|nest|nx|rails|hygen|plop|amplify)\s+(?:generate|g|new|add|create)\s|"
    r"npx\s+(?:-\S+\s+)*(?:shadcn\S*\s+(?:add|init)|create-)|php\s+artisan\s+make:|dotnet\s+(?:new|add)\s|"
    r"flutter\s+create\s|django-admin\s+start|python3?\s+manage\.py\s+startapp"
)


def is_work(check: Check) -> bool:
    """Return whether the command of a task is what it asks for, and proves nothing."""
    return _WORK.match(check.command) is not None
