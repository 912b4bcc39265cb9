"""What commands name that is not there: scripts, tests and targets of make."""

import re
from collections.abc import Iterator, Sequence

from agent.prp.lint.hazards import is_shell
from agent.prp.lint.surroundings import Nature, Surroundings
from agent.prp.model import Check, CheckKind, Finding, Prp, Severity
from agent.prp.programs import goals_of, scripts_of, tests_of
from agent.prp.rules import finding


def about_named(prp: Prp, around: Surroundings | None) -> Iterator[Finding]:
    """Return what commands run that neither exists nor is made by a task."""
    if around is None:
        return
    made = _Made(prp)
    told: set[str] = set()
    for check in prp.checks:
        # Where a command goes elsewhere first, its paths begin there.
        if not is_shell(check) or CheckKind.PLACEHOLDER in check.kinds or _moves(check):
            continue
        for what, paths in (
            ("script", scripts_of(check.command)),
            ("test", tests_of(check.command)),
        ):
            for path in paths:
                plain = path.removeprefix("./")
                if path in told or plain in made or around.nature(plain) is not Nature.NOTHING:
                    continue
                told.add(path)
                yield finding(
                    "R06",
                    check.line,
                    f"The {what} `{path[:80]}` does not exist, and no task makes it",
                    "Correct the path, or let a task create it.",
                    # Whoever builds the feature may write its tests without being told where.
                    severity=Severity.NOTE if what == "test" else None,
                )
    yield from _goals(prp, around, made)


def _moves(check: Check) -> bool:
    there = any(re.match(r"\s*(cd|pushd)\b", word) for word in check.setup)
    return there or "cd " in check.command


class _Made:
    """What the tasks, the tests in the text and the desired tree make."""

    def __init__(self, prp: Prp) -> None:
        paths = {change.path.removeprefix("./") for task in prp.tasks for change in task.changes}
        paths |= {text.text for text in prp.desired_files}
        self._paths = paths | {spec.path.removeprefix("./") for spec in prp.test_specs}
        # A task may speak of a file in a form that names no change.
        self._texts = [*(task.text for task in prp.tasks), *_trees(prp)]

    def __contains__(self, path: str) -> bool:
        """Return whether something makes a file."""
        return (
            path in self._paths
            or any(made.endswith(f"/{path}") for made in self._paths)
            or self.speaks_of(path.rstrip("/").rpartition("/")[2])
        )

    def speaks_of(self, name: str) -> bool:
        return any(name in text for text in self._texts)


def _trees(prp: Prp) -> Sequence[str]:
    return [section.body for section in (prp.desired_tree,) if section]


_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_TARGET = re.compile(r"^(?P<names>[\w./ -]+?)\s*::?(?!=)", re.MULTILINE)


def _goals(prp: Prp, around: Surroundings, made: _Made) -> Iterator[Finding]:
    """Return goals of make that its file does not hold; one that a task changes may hold any."""
    wanted = [
        (goal, check.line)
        for check in prp.checks
        if is_shell(check) and CheckKind.PLACEHOLDER not in check.kinds and not _moves(check)
        for goal in goals_of(check.command)
    ]
    if not wanted or any(name in made for name in _MAKEFILES):
        return
    known = _targets(around)
    if known is None:
        return
    for goal, line in dict(reversed(wanted)).items():
        if goal not in known:
            yield finding(
                "R06",
                line,
                f"There is no target `{goal[:60]}` in the Makefile, and no task changes that"
                if known
                else f"`make {goal[:60]}`: there is no Makefile, and no task makes one",
                "Correct the name, or let a task add the target.",
            )


def _targets(around: Surroundings) -> set[str] | None:
    """Return the targets of the Makefile, none where there is no such file; None where unknown."""
    name = next((n for n in _MAKEFILES if around.nature(n) is not Nature.NOTHING), "")
    if not name:
        return set()
    try:
        text = around.read(name)
    except ValueError:
        return None
    # Rules may come from elsewhere, or be made of patterns and variables.
    if re.search(
        r"^\s*-?s?include\b|^[^\t#\n]*[%$][^\n]*:(?!=)|^\.DEFAULT\s*:", text, re.MULTILINE
    ):
        return None
    return {word for found in _TARGET.finditer(text) for word in found["names"].split()}
