"""The blueprint against the branch: what was promised and is not there, what was not asked for."""

import re
from collections.abc import Collection, Iterator, Sequence

from agent.prp import Prp, Verb
from agent.verifier.changes import Edited
from agent.verifier.objections import Objection, Weight
from agent.verifier.outcomes import Outcomes

_NAMED = 8


def conformance(
    prp: Prp,
    edits: Sequence[Edited],
    *,
    files: Collection[str],
    granted: Collection[str],
    is_test: Collection[str],
    tests: Sequence[Outcomes],
) -> Iterator[Objection]:
    """Yield where a branch departs from the blueprint; all of it is told, none of it refused.

    Args:
        prp: Its tasks, desired tree and test specification are the blueprint.
        edits: What the branch changes.
        files: All files of the branch.
        granted: Paths that the PRP names.
        is_test: Those of the changed paths that belong to the tests.
        tests: What the checks' test runs report.

    """
    for task in prp.tasks:
        for change in task.changes:
            path = change.path.removeprefix("./").rstrip("/")
            there = path in files or any(name.startswith(f"{path}/") for name in files)
            place = f"line {change.line} of the PRP"
            if change.verb is Verb.CREATE and not there and _is_path(path):
                yield _noted(place, f"task {task.number} creates {path}, which is not there")
            elif change.verb is Verb.DELETE and path in files:
                yield _noted(place, f"task {task.number} deletes {path}, which is still there")
    created = {c.path for task in prp.tasks for c in task.changes}
    for file in prp.desired_files:
        path = file.text.removeprefix("./")
        if path not in files and path not in created and _is_path(path):
            yield _noted(
                f"line {file.line} of the PRP", f"the desired tree has {path}, the branch has not"
            )
    yield from _missing_tests(prp, tests)
    asked = {*granted, *is_test}
    said = "\n".join(task.text for task in prp.tasks)
    beyond = [e.path for e in edits if e.path not in asked and not _is_named(e.path, said)]
    if granted and beyond:
        more = f" and {len(beyond) - _NAMED} more" if len(beyond) > _NAMED else ""
        yield _noted(
            ", ".join(beyond[:_NAMED]) + more, "no task of the PRP names what was changed here"
        )


def _is_named(path: str, text: str) -> bool:
    """Return whether a text names a file without its folder: `quote.go`, `README` for README.md."""
    name = path.rsplit("/", 1)[-1]
    stem = name.split(".", maxsplit=1)[0]
    names = (name, stem) if stem.isupper() else (name,)
    return any(re.search(rf"(?<![\w./-]){re.escape(one)}(?![\w-])", text) for one in names)


def _missing_tests(prp: Prp, tests: Sequence[Outcomes]) -> Iterator[Objection]:
    """Name the tests of the specification that no run reports; without ids nobody can tell."""
    ran = {name.split("[", maxsplit=1)[0].rsplit("::", 1)[-1] for t in tests for name in t.by_id}
    if not ran:
        return
    for spec in prp.test_specs:
        for test in spec.tests:
            if test.text.rsplit("::", 1)[-1] not in ran:
                place = f"line {test.line} of the PRP"
                yield _noted(place, f"no check ran `{test.text}` of the test specification")


def _is_path(path: str) -> bool:
    """Return whether words can be a file's path at all; blueprints also hold patterns and prose."""
    return bool(path) and not any(c in path for c in "*<>{}[]() ") and not path.startswith("/")


def _noted(place: str, what: str) -> Objection:
    return Objection(weight=Weight.NOTED, place=place, what=what)
