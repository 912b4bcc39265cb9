"""What the checks of a draft say on the code as it is, told to the draft's author."""

from collections.abc import Mapping, Sequence

from agent.prp import Prp
from agent.runs.desk import reaching
from agent.runs.office import Office
from agent.verifier import CheckResult, CheckState, describe, freeze, measure
from agent.workspace import FileProblem, clip

_SHOWN = 1_200
_CANT_RUN = (CheckState.TOOL_MISSING, CheckState.NOT_RUN, CheckState.TIMED_OUT)


class Baseline:
    """Runs a draft's checks with its tests in place; again only where they have changed."""

    def __init__(self, office: Office) -> None:
        """Take the office whose commit is the base."""
        self._office = office
        self._key: object = None
        self._told: set[str] = set()
        self.results: Sequence[CheckResult] = ()

    async def tell(self, prp: Prp, tests: Mapping[str, str]) -> Sequence[str]:
        """Return what the author should know of the checks: what is red, what can't run.

        Args:
            prp: The draft.
            tests: Path to content of the tests that it asks for.

        """
        key = ([(c.command, c.setup, c.level) for c in prp.checks], dict(tests))
        if key == self._key:
            return ()
        self._key = key
        self.results = await self._measure(prp, tests)
        return self._words()

    async def _measure(self, prp: Prp, tests: Mapping[str, str]) -> Sequence[CheckResult]:
        office = self._office
        desk = office.desk
        contract = freeze(
            reaching(prp, desk.settings),
            files=desk.repository.blobs(desk.base),
        )
        async with office.room(contract, desk.base) as room:
            try:
                with room.holding(dict(tests)):
                    return await measure(contract, room, stage="baseline", record=office.record)
            except FileProblem:
                # A test that can't be written anywhere is named by the document's own rules.
                return await measure(contract, room, stage="baseline", record=office.record)

    def _words(self) -> list[str]:
        is_first = not self._told
        new = [r for r in self.results if r.check.command not in self._told]
        self._told.update(r.check.command for r in self.results)
        passed = [r for r in new if r.passed]
        notable = [r for r in new if not r.passed and not _is_left_to_people(r)]
        if not is_first:
            # Who has read the first results knows what red looks like; silence says no more.
            notable = [r for r in notable if r.state in _CANT_RUN or r.output.strip()]
        lines = [*([_RULE] if notable else []), *map(_shown, notable)]
        if passed and (notable or not is_first):
            commands = "; ".join(f"{r.check.id} `{r.check.command[:100]}`" for r in passed)
            lines.append(f"Passed already, so that they show nothing of the work: {commands}.")
        if self.results and not any(result.failed for result in self.results):
            lines.append(_NOTHING_RED)
        return ["\n".join(lines)] if lines else []


def _is_left_to_people(result: CheckResult) -> bool:
    return result.state is CheckState.NOT_RUN and result.check.level == 4


_RULE = (
    "Your commands were run once on the code as it is now, with your tests in place. What is red "
    "must be red because the work is not done, and for no other reason (a typing error, a wrong "
    "path or name, a fixture that is not there); what can't run here must be replaced or go."
)
_NOTHING_RED = "Every check passes already: none would show that the work was done."


def _shown(result: CheckResult) -> str:
    if result.state in _CANT_RUN:
        return f"- can't run: {describe(result)}"
    output = clip(result.output.strip(), limit=_SHOWN)
    return f"- red: {describe(result)}\n{output}".rstrip()
