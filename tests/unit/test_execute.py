"""The loop, with agents made of plain functions on a real worktree."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from agent.coder import Assignment, Change, Team
from agent.errors import BudgetExhausted, ProviderUnavailable
from agent.execute import Crew, Ending, Outcome, execute
from agent.journal import Event
from agent.llm.budget import Budget
from agent.llm.conversation import Talk
from agent.planner import Plan, PlannedProof, Step, problems
from agent.prp import parse_prp
from agent.verifier import CheckResult, CheckState, Contract, Verdict
from agent.verifier.evidence import Facts
from agent.workspace import Repository, Worktree, open_worktree
from agent.workspace.beside import Beside, open_beside
from tests.support.project import Project
from tests.support.scripts import GREET_PRP

PRP = parse_prp(GREET_PRP, path=Path("PRPs/greet.md"))
PLAN = Plan(
    summary="Greet.",
    steps=(Step(task=1, approach="Write it."),),
    proofs=(
        PlannedProof(criterion="C1", checks=("L2.1",), how="the check"),
        PlannedProof(criterion="C2", checks=("L1.1",), how="the check"),
    ),
)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Worktree]:
    """A worktree of a repository with one commit."""
    project = Project(tmp_path / "project", {"README": "x\n"})
    repository = Repository.open(project.root)
    base = repository.resolve("HEAD")
    with open_worktree(repository, tmp_path / "tree", branch="prp/greet", base=base) as tree:
        yield tree


Code = Callable[[Assignment], None]


def run(
    tree: Worktree, code: Code, *, attempts: int = 3, has_stronger: bool = False
) -> tuple[Outcome, list[Event]]:
    """Execute with a coder that writes greet.py; its content decides whether the check passes."""
    check = PRP.levels[1].checks[0]
    events: list[Event] = []

    async def measure(_contract: Contract, _commit: str) -> Sequence[CheckResult]:
        return [CheckResult(check=check, state=CheckState.FAILED)]

    async def plan(_contract: Contract, _baseline: Sequence[CheckResult]) -> Plan:
        return PLAN

    async def carry_out(
        work: Sequence[Assignment], attempt: int, _contract: Contract, _plan: Plan
    ) -> None:
        async def write(assignment: Assignment, _tree: Worktree, _talk: Talk | None) -> Change:
            code(assignment)
            return Change(summary="done")

        def beside(name: str, at: str) -> Beside:
            return open_beside(tree, tree.path.parent / name, at=at)

        team = Team(code=write, beside=beside, record=events.append, jobs=1)
        await team.carry_out(work, attempt, tree)

    async def verify(
        _c: Contract, _p: Plan, _b: Sequence[CheckResult], commit: str, attempt: int
    ) -> Verdict:
        words = (tree.path / "greet.py").read_text()
        state = CheckState.PASSED if words == "good" else CheckState.FAILED
        results = {check.id: CheckResult(check=check, state=state, output=words)}
        before = {check.id: CheckResult(check=check, state=CheckState.FAILED)}
        facts = Facts(results=results, baseline=before)
        return Verdict(attempt=attempt, commit=commit, facts=facts, criteria=())

    async def rethink(_c: Contract, _v: Verdict, feedback: str, times: int) -> str:
        return f"Another way after {times}.\n{feedback}"

    crew = Crew(
        measure=measure,
        plan=plan,
        code=carry_out,
        verify=verify,
        rethink=rethink,
        has_stronger=has_stronger,
    )
    budget = Budget(max_attempts=attempts)
    return asyncio.run(execute(PRP, crew, tree, budget, events.append)), events


def writes(tree: Worktree, *contents: str) -> tuple[Code, list[str]]:
    """Return a coder that writes one content after the other, and what it was asked."""
    left, asked = list(contents), []

    def code(assignment: Assignment) -> None:
        asked.append(assignment.request)
        (tree.path / "greet.py").write_text(left.pop(0))

    return code, asked


class TestExecute:
    """One PRP, from plan to outcome."""

    def test_it_stops_at_the_first_attempt_that_holds(self, tree: Worktree) -> None:
        """The second attempt hears the failure, a third is not made."""
        code, asked = writes(tree, "bad", "good", "never")
        outcome, _ = run(tree, code)
        assert outcome.ending is Ending.PROVEN
        assert len(asked) == 2
        assert "What the verifier found" in asked[1]
        assert "L2.1" in asked[1]

    def test_the_best_attempt_is_delivered(self, tree: Worktree) -> None:
        """A later one that is no better stays reachable, but is not what the branch ends with."""
        code, _ = writes(tree, "bad", "worse", "worst")
        outcome, _ = run(tree, code)
        assert outcome.ending is Ending.OUT_OF_BUDGET
        assert (tree.path / "greet.py").read_text() == "bad"
        assert outcome.commit == tree.head()
        kept = tree.git.text("for-each-ref", "--format=%(refname)", "refs/prp/")
        assert kept.startswith("refs/prp/greet/")

    def test_attempts_that_fail_alike_lead_to_another_way(self, tree: Worktree) -> None:
        """The same request again would get the same answer, so the planner is asked first."""
        code, asked = writes(tree, "bad", "bad", "good")
        outcome, _ = run(tree, code)
        assert outcome.ending is Ending.PROVEN
        assert ["Another way after 2." in request for request in asked] == [False, False, True]

    def test_no_progress_ends_the_run(self, tree: Worktree) -> None:
        """What the other way does not move is not paid for once more."""
        code, asked = writes(tree, "bad", "bad", "bad", "good")
        outcome, _ = run(tree, code, attempts=9)
        assert outcome.ending is Ending.FAILED
        assert outcome.reason == "the same failures 3 times in a row"
        assert len(asked) == 3

    def test_a_stronger_model_comes_last(self, tree: Worktree) -> None:
        """Where there is one, it carries out what the coder's has failed at three times."""
        stronger: list[bool] = []

        def code(assignment: Assignment) -> None:
            stronger.append(assignment.stronger)
            (tree.path / "greet.py").write_text("good" if assignment.stronger else "bad")

        outcome, _ = run(tree, code, attempts=9, has_stronger=True)
        assert outcome.ending is Ending.PROVEN
        assert stronger == [False, False, False, True]

    def test_nobody_is_asked_for_a_way_that_no_attempt_is_left_for(self, tree: Worktree) -> None:
        """The budget has been used up by then."""
        code, asked = writes(tree, "bad", "bad", "good")
        outcome, _ = run(tree, code, attempts=2)
        assert (outcome.ending, len(asked)) == (Ending.FAILED, 2)

    @pytest.mark.parametrize(
        ("stop", "ending"),
        [
            (BudgetExhausted("no money left"), Ending.OUT_OF_BUDGET),
            (ProviderUnavailable("down"), Ending.PAUSED),
        ],
    )
    def test_a_stop_leaves_unfinished_work_to_be_gone_on_with(
        self, tree: Worktree, stop: Exception, ending: Ending
    ) -> None:
        """It stays in the worktree, and the outcome says that the run is not over."""

        def code(_assignment: Assignment) -> None:
            (tree.path / "half.py").write_text("half")
            raise stop

        outcome, _ = run(tree, code)
        assert (outcome.ending, outcome.can_go_on) == (ending, True)
        assert str(stop) in outcome.reason
        assert (tree.path / "half.py").is_file()


class TestPlanRules:
    """What a program holds a plan to."""

    def test_a_whole_plan_has_no_problem(self) -> None:
        """Every task and criterion is covered."""
        assert problems(PLAN, PRP) == []

    def test_a_step_that_changes_what_is_frozen_is_named(self) -> None:
        """Before a coder runs into it, and not where the file is free."""
        step = Step(task=1, approach="x", files=("./tests/test_old.py", "tests/test_new.py"))
        plan = PLAN.model_copy(update={"steps": (step,)})
        (problem,) = problems(plan, PRP, frozen={"tests/test_old.py": ""})
        assert "Task 1: ./tests/test_old.py is frozen" in problem

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"steps": ()}, "Task 1 of the PRP has no step"),
            ({"steps": (*PLAN.steps, Step(task=7, approach="x"))}, "The PRP has no task 7"),
            ({"steps": (*PLAN.steps, *PLAN.steps)}, "more than one step"),
            ({"steps": (Step(task=1, approach=" "),)}, "empty approach"),
            ({"steps": (Step(task=1, approach="x", after=(1,)),)}, "on which it rests"),
            ({"steps": (Step(task=1, approach="x", files=("../x",)),)}, "not a path inside"),
            ({"steps": (Step(task=1, approach="x", files=("a/.GIT/x",)),)}, "not a path inside"),
            ({"proofs": PLAN.proofs[:1]}, "Nothing says how C2"),
            (
                {"proofs": (PlannedProof(criterion="C1", checks=("L9.9",), how="x"),)},
                "rests on L9.9",
            ),
        ],
    )
    def test_a_broken_rule_is_named(self, change: dict[str, object], words: str) -> None:
        """So that the planner can mend it."""
        plan = PLAN.model_copy(update=change)
        assert any(words in problem for problem in problems(plan, PRP))
