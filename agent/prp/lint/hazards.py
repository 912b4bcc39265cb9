"""What running the checks would mean, and whether they can run and fail at all."""

from collections.abc import Iterator, Sequence

from agent.prp.checks import OTHER_SHELLS, is_plain
from agent.prp.lines import Fence
from agent.prp.lint.surroundings import Surroundings
from agent.prp.model import Check, CheckKind, Finding, Prp
from agent.prp.programs import programs_of
from agent.prp.rules import finding, shortened
from agent.prp.serving import is_probe

_OF_KIND: dict[CheckKind, tuple[str, str, str]] = {
    CheckKind.DESTRUCTIVE: (
        "I52",
        "destroys, deploys, publishes or stops something",
        "prp does not run it; move it out of the validation, or name what may be removed.",
    ),
    CheckKind.SERVER: (
        "R10",
        "starts a server, which prp waits for and ends",
        "Name its port in the command, and ask it with `curl -f` in the same block.",
    ),
    CheckKind.INTERACTIVE: (
        "R11",
        "waits for a person",
        "Use the tool's mode without questions.",
    ),
    CheckKind.SECRET: (
        "R12",
        "needs a secret, and no sandbox holds one",
        "Check against a local stand-in.",
    ),
    CheckKind.NETWORK: (
        "R13",
        "needs the network, which is off by default",
        "Install dependencies before the run, or check against something local.",
    ),
    CheckKind.MANUAL: (
        "R14",
        "is for a person; prp never ticks it",
        "Move it to the final checklist, or write a command that tells.",
    ),
    CheckKind.MUTATING: (
        "R15",
        "changes files, so it runs on a copy",
        "Use the form that only checks, such as `--check`.",
    ),
    CheckKind.NOT_SHELL: (
        "R16",
        "is no shell command",
        "Write a command that a shell can run.",
    ),
    CheckKind.SAMPLE_CODE: (
        "R17",
        "is program code in a shell block; it is not run",
        "Label the block with its language.",
    ),
    CheckKind.PLACEHOLDER: (
        "R18",
        "holds a placeholder; it is not run",
        "Write the real name.",
    ),
}
_UNSTARTED = (
    "R13",
    "asks a server that nothing here starts",
    "Start the server above it, in the same block: `uvicorn app:app --port 8000 &`.",
)
_NOT_BASH = OTHER_SHELLS | {"fish", "nu", "nushell"}


def about_checks(
    prp: Prp, fenced: Sequence[Fence], around: Surroundings | None
) -> Iterator[Finding]:
    """Return findings about the validation commands."""
    for check in prp.checks:
        for kind in check.kinds:
            if kind in _OF_KIND:
                code, words, hint = _UNSTARTED if _is_unstarted(check, kind) else _OF_KIND[kind]
                yield finding(code, check.line, f"`{_short(check.command)}` {words}", hint)
        if check.kind in _RUNNABLE and not check.can_fail:
            yield finding(
                "I51",
                check.line,
                f"`{_short(check.command)}` can't fail, so it proves nothing",
                "Let its exit status through: no `|| true`, no `; echo`, no pipe behind it.",
            )
    for fence in fenced:
        if fence.language in _NOT_BASH and not is_plain(fence.lines):
            yield finding(
                "I63",
                fence.line,
                f"prp runs bash, not {fence.language}",
                "Write the commands for bash.",
            )
    if around is not None:
        yield from _tools(prp, around)
        yield from _syntax(prp, around)


def _is_unstarted(check: Check, kind: CheckKind) -> bool:
    return kind is CheckKind.NETWORK and is_probe(check)


_RUNNABLE = (
    CheckKind.RUN,
    CheckKind.MUTATING,
    CheckKind.SERVER,
    CheckKind.NETWORK,
    CheckKind.SECRET,
)


def _short(command: str) -> str:
    first = command.strip().split("\n")[0]
    return shortened(f"{first} …" if "\n" in command.strip() else first, limit=70)


def is_shell(check: Check) -> bool:
    """Return whether a check is meant for the shell at all."""
    return not {CheckKind.NOT_SHELL, CheckKind.SAMPLE_CODE, CheckKind.MANUAL} & set(check.kinds)


def _tools(prp: Prp, around: Surroundings) -> Iterator[Finding]:
    told: set[str] = set()
    for check in prp.checks:
        if not is_shell(check) or CheckKind.PLACEHOLDER in check.kinds:
            continue
        for name in programs_of(check.command):
            if name not in told and not around.has_tool(name):
                told.add(name)
                yield finding(
                    "R05",
                    check.line,
                    f"The program `{name}` is not installed",
                    "Install it, or write the command so that the project brings it.",
                )


def _syntax(prp: Prp, around: Surroundings) -> Iterator[Finding]:
    shell = [check for check in prp.checks if is_shell(check)]
    wrong = around.syntax_errors([check.command for check in shell])
    for place, words in wrong.items():
        yield finding(
            "R07",
            shell[place].line,
            f"bash can't parse `{_short(shell[place].command)}`: {words}",
            "Correct the command.",
        )
