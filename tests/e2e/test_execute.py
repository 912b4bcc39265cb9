"""Whole runs of the installed command: real git, real sandbox, real checks, scripted model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project, Ran
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GOOD, GREET_PRP, PLAN, WRONG, crew, opinions

WIRES = ("openai-chat", "openai-responses", "anthropic")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a PRP in it and nothing else."""
    return Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP, "README.md": "# greet\n"})


def execute(
    project: Project, script: Callable[[Request], Answer], *options: str, wire: str = WIRES[0]
) -> Ran:
    """Execute the project's PRP with a scripted model."""
    with Provider(script) as provider:
        url = provider.url if wire != "anthropic" else provider.url.removesuffix("/v1")
        arguments = ("--model", f"{wire}:scripted", "--base-url", url, *options)
        return project.prp(
            "execute", "PRPs/greet.md", *arguments, ANTHROPIC_API_KEY="test-key-of-nobody"
        )


class TestProven:
    """A run whose criteria hold."""

    @pytest.mark.parametrize("wire", WIRES)
    def test_a_prp_becomes_a_verified_branch(self, project: Project, wire: str) -> None:
        """The branch holds one commit a task, and the exit status is 0."""
        ran = execute(project, crew(), wire=wire)
        assert ran.status == 0, ran.err
        assert project.git("show", "prp/greet:greet.py") == GOOD
        assert project.git("log", "--format=%s", "main..prp/greet") == "Task 1: Greeting\n"

    def test_the_summary_names_criteria_branch_and_report(self, project: Project) -> None:
        """A person sees what holds, why, and where to look."""
        ran = execute(project, crew())
        assert "proven: every criterion holds" in ran.out
        assert "red on the base commit" in ran.out
        assert "branch: prp/greet" in ran.out
        (report,) = (line for line in ran.out.splitlines() if line.startswith("report: "))
        page = Path(report.removeprefix("report: "))
        assert "<!doctype html>" in page.read_text(encoding="utf-8")
        assert "| C1 |" in page.with_name("report.md").read_text(encoding="utf-8")

    def test_json_says_the_same(self, project: Project) -> None:
        """Nothing but one JSON value is on stdout."""
        result: dict[str, Any] = execute(project, crew(), "--json").json
        assert result["outcome"] == "proven"
        assert {c["criterion"]: c["status"] for c in result["criteria"]} == {
            "C1": "proven",
            "C2": "proven",
        }

    @pytest.mark.parametrize("is_done", [True, False], ids=["done", "nothing done"])
    def test_new_tests_of_a_suite_that_an_old_test_keeps_red_show_what_is_new(
        self, tmp_path: Path, *, is_done: bool
    ) -> None:
        """Given one that fails on the base for its own reason, then others tell of the work."""
        behaviour = GREET_PRP[GREET_PRP.index("python3 -c") : GREET_PRP.rindex("```")]
        old = "def test_old() -> None:\n    open('notthere')\n"
        files = {
            "PRPs/greet.md": GREET_PRP.replace(behaviour, "python -m pytest -q\n"),
            "tests/test_old.py": old,
        }
        tests = (
            "from greet import greet\n\n\n"
            'def test_greet() -> None:\n    assert greet("A") == "Hello, A!"\n'
        )
        work = {"greet.py": GOOD, "test_greet.py": tests} if is_done else {"notes.md": "done"}
        project = Project(tmp_path / "red", files)
        ran = execute(project, crew(attempts=(work,)), "--max-attempts", "1")
        if is_done:
            assert ran.status == 0, ran.out
            assert "it did so before; a new test in it passes here and fails there" in ran.out
        else:
            assert ran.status == 11
            assert ran.out.startswith("unproven: ")

    def test_F17_the_checkout_stays_byte_identical(self, project: Project) -> None:
        """Also when it is dirty and has staged changes."""
        # Given a checkout with an edit, a staged file and an untracked one
        (project.root / "README.md").write_text("# changed\n")
        (project.root / "staged.txt").write_text("staged")
        project.git("add", "staged.txt")
        (project.root / "loose.txt").write_text("loose")
        before = project.fingerprint()
        # When a run succeeds
        assert execute(project, crew()).status == 0
        # Then nothing of it has changed, and no worktree is left
        assert project.fingerprint() == before
        assert project.git("worktree", "list").count("\n") == 1

    def test_F18_a_second_run_gets_a_branch_of_its_own(self, project: Project) -> None:
        """Nothing of the first run is overwritten."""
        assert execute(project, crew()).status == 0
        assert execute(project, crew()).status == 0
        assert "prp/greet-2" in project.git("branch", "--list", "prp/*")


class TestFeedback:
    """A run whose first attempt fails."""

    def test_a_failure_is_fed_back_and_repaired(self, project: Project) -> None:
        """The coder hears the failing check's own output, and the second attempt holds."""
        heard: list[str] = []
        script = crew(attempts=[{"greet.py": WRONG}, {"greet.py": GOOD}])

        def listening(request: Request) -> Answer:
            if "edit" in request.tools:
                heard.append(request.text)
            return script(request)

        ran = execute(project, listening)
        assert ran.status == 0, ran.err
        assert "AssertionError: Hi, Ada!" not in heard[0]
        assert "AssertionError: Hi, Ada!" in heard[1]

    def test_within_an_attempt_only_what_failed_runs_again_and_all_for_the_verdict(
        self, project: Project
    ) -> None:
        """A repair that gets anywhere is gone on with; what it broke is found at the end."""
        # Given a repair that fails otherwise, one that works and breaks the lint, and a good one
        project.write("PRPs/greet.md", GREET_PRP.replace("- [ ] `ruff check` passes\n", ""))
        heard: list[Request] = []
        files = (WRONG, WRONG.replace("Hi", "Hey"), f"import os\n{GOOD}", GOOD)
        script = crew(
            plan={**PLAN, "proofs": PLAN["proofs"][:1]},
            attempts=[{"greet.py": content} for content in files],
            judgement=opinions({"C1": "yes"}),
        )

        def listening(request: Request) -> Answer:
            if "edit" in request.tools:
                heard.append(request)
            return script(request)

        ran = execute(project, listening, "--max-attempts", "3")
        assert ran.status == 0, ran.err
        # Then within the second attempt what had passed did not run again, and the journal says so
        again = [event for event in project.events() if event["type"] == "ran-again"]
        lint, behaviour = "L1.1", "L2.1"
        passed = "passed when it last ran"
        assert [(e["attempt"], e["turn"], e["checks"], e["left_out"]) for e in again] == [
            (2, 1, {behaviour: "failed"}, {lint: passed}),
            (2, 2, {behaviour: "passed"}, {lint: passed}),
            (3, 1, {lint: "passed"}, {behaviour: "not reached yet"}),
        ]
        # And the coder went on in the same conversation, with what failed then
        repairs, more = heard[1], heard[2]
        assert more.body["messages"][: len(repairs.body["messages"])] == repairs.body["messages"]
        assert "AssertionError: Hey, Ada!" in more.last
        # And each verdict rests on all checks
        finished = [e for e in project.events() if e["type"] == "check-finished"]
        assert [
            (e["check"], e["state"]) for e in finished if e["stage"] in ("attempt 2", "attempt 3")
        ] == [(lint, "failed"), (behaviour, "gated"), (lint, "passed"), (behaviour, "passed")]
        report = (project.runs[-1] / "report.md").read_text()
        assert "not run again before the verdict, which runs all: L1.1 passed" in report
        assert "repair 1" not in report.split("## Checks")[1].split("\n|")[1]

    def test_attempts_that_run_out_end_with_12(self, project: Project) -> None:
        """The branch keeps the work, and the report says what fails."""
        ran = execute(project, crew(attempts=[{"greet.py": WRONG}]), "--max-attempts", "1")
        assert ran.status == 12
        assert "C1" in ran.out
        assert "prp verify PRPs/greet.md --branch prp/greet" in " ".join(ran.out.split())
        assert project.git("show", "prp/greet:greet.py") == WRONG

    def test_failures_that_do_not_move_lead_to_another_way_and_then_end_with_10(
        self, project: Project
    ) -> None:
        """The planner reads the commit, hears what the coder says of it, and is heard once."""
        heard: list[str] = []
        asked: list[str] = []
        script = crew(attempts=[{"greet.py": WRONG}, {}, {}, {"greet.py": GOOD}])

        def listening(request: Request) -> Answer:
            if "edit" in request.tools:
                heard.append(request.text)
            if "submit_way" in request.tools:
                asked.append(request.text)
            return script(request)

        ran = execute(project, listening, "--max-attempts", "9")
        assert ran.status == 10
        (told,) = asked
        assert "on the base commit:\\n- L" in told
        assert "look whether it is so:\\n- Written." in told
        assert "the same failures 3 times in a row" in ran.out
        assert "2 attempts failed alike; another way: Greet with Hello." in ran.err
        assert ["Go another way: Greet with Hello." in text for text in heard] == [
            False,
            False,
            True,
        ]


class TestClaims:
    """A model's word never raises a verdict."""

    def test_a_claim_without_a_quote_is_unproven(self, project: Project) -> None:
        """`yes` with a quote that stands nowhere shows nothing."""
        made_up = opinions({"C1": "yes", "C2": "yes"}, quote="return proof_of_everything()")
        ran = execute(project, crew(judgement=made_up))
        assert ran.status == 11
        assert "C1" in ran.out

    def test_the_verifier_can_lower_a_verdict(self, project: Project) -> None:
        """`no` fails a criterion whose check passes."""
        script = crew(judgement=opinions({"C1": "no", "C2": "yes"}))
        assert execute(project, script, "--max-attempts", "1").status == 12

    def test_who_changes_nothing_is_not_judged_again(self, project: Project) -> None:
        """A coder that waits for another opinion gets none; each attempt has its verdict."""
        asked: list[str] = []
        script = crew(judgement=opinions({"C1": "no", "C2": "yes"}))

        def counting(request: Request) -> Answer:
            asked.extend(name for name in request.tools if name == "submit_judgement")
            return script(request)

        ran = execute(project, counting)
        assert (ran.status, len(asked)) == (10, 1)
        assert "attempt 2 changed nothing: what was found before stands" in ran.err
        verdicts = [e for e in project.events() if e["type"] == "attempt-verified"]
        assert [verdict["attempt"] for verdict in verdicts] == [1, 2, 3]
        assert len({verdict["commit"] for verdict in verdicts}) == 1

    def test_the_judge_hears_what_the_plan_finds_wrong(self, project: Project) -> None:
        """Its concerns are places to look at, beside the coder's doubts."""
        asked: list[str] = []
        script = crew(plan={**PLAN, "concerns": ["No word on names that are empty."]})

        def listening(request: Request) -> Answer:
            asked.extend(request.text for name in request.tools if name == "submit_judgement")
            return script(request)

        assert execute(project, listening).status == 0
        assert "- Plan: No word on names that are empty." in asked[0]

    def test_finishing_without_work_fails(self, project: Project) -> None:
        """A coder that only says it is done has done nothing."""
        ran = execute(project, crew(attempts=[{}]), "--max-attempts", "1")
        assert ran.status == 12
        assert "prp/greet" not in project.git("branch", "--list", "prp/*")

    def test_a_criterion_for_a_person_is_never_ticked(self, project: Project) -> None:
        """What only a person can tell leaves the run unproven."""
        proofs = [{**PLAN["proofs"][0], "checks": [], "how": "PERSON: ask Ada"}, PLAN["proofs"][1]]
        ran = execute(project, crew(plan={**PLAN, "proofs": proofs}))
        assert ran.status == 11
        assert "needs a person: ask Ada" in ran.out


class TestPlans:
    """The program checks the plan."""

    def test_a_plan_without_a_task_is_sent_back(self, project: Project) -> None:
        """The planner hears which task has no step, and may answer again."""
        asked: list[str] = []

        def answer(request: Request) -> Answer:
            if "submit_plan" not in request.tools:
                return crew()(request)
            asked.append(request.text)
            plan = PLAN if len(asked) > 1 else {**PLAN, "steps": []}
            return Answer(calls=(("submit_plan", plan),))

        assert execute(project, answer).status == 0
        assert "Task 1 of the PRP has no step" in asked[1]

    def test_prp_plan_prints_the_plan_and_leaves_nothing(self, project: Project) -> None:
        """No branch, no run, no worktree."""
        with Provider(crew()) as provider:
            ran = project.prp(
                *("plan", "PRPs/greet.md", "--json"),
                *("--model", "openai-chat:scripted", "--base-url", provider.url),
            )
        assert ran.status == 0, ran.err
        assert ran.json["steps"][0]["task"] == 1
        assert ran.json["estimate"]["tokens"][0] > 0
        assert ran.json["estimate"]["cost_usd"] is None, "nobody knows the price"
        assert project.git("branch", "--list", "prp/*") == ""
        assert project.git("worktree", "list").count("\n") == 1


class TestRecordings:
    """A run without a model."""

    def test_a_recorded_run_plays_back(self, project: Project, tmp_path: Path) -> None:
        """No provider, no key, and the same commits."""
        file = tmp_path / "run.jsonl"
        assert execute(project, crew(), "--record", str(file)).status == 0
        ran = project.prp("execute", "PRPs/greet.md", "--model", f"replay:{file}")
        assert ran.status == 0, ran.err
        first, second = "prp/greet^{tree}", "prp/greet-2^{tree}"
        assert project.git("rev-parse", first) == project.git("rev-parse", second)
        assert "says what the recorded one did not" not in ran.err

    def test_a_recording_that_ends_early_ends_the_run(
        self, project: Project, tmp_path: Path
    ) -> None:
        """The message says whose answer is missing."""
        file = tmp_path / "run.jsonl"
        assert execute(project, crew(), "--record", str(file)).status == 0
        kept = [line for line in file.read_text().splitlines() if '"role": "verifier"' not in line]
        file.write_text("\n".join(kept) + "\n")
        ran = project.prp("execute", "PRPs/greet.md", "--model", f"replay:{file}")
        assert ran.status == 4
        assert "has no answer of the verifier" in ran.out
        assert "next: " in ran.out
        assert project.git("show", "prp/greet-2:greet.py") == GOOD


class TestBudgetsAndProvider:
    """Limits and outages keep the work."""

    def test_F55_a_quota_that_is_used_up_pauses_the_run_with_20(self, project: Project) -> None:
        """What was committed before stays on the branch."""

        def answer(request: Request) -> Answer:
            if "submit_judgement" in request.tools:
                return Answer(fault="402")
            return crew()(request)

        ran = execute(project, answer)
        assert ran.status == 20, ran.err
        assert project.git("show", "prp/greet:greet.py") == GOOD

    def test_a_server_that_is_not_there_is_said_with_its_address(self, project: Project) -> None:
        """Three tries, seconds apart, each with model, address and count; the report says it."""
        nobody = "http://127.0.0.1:9/v1"
        ran = project.prp(
            "execute", "PRPs/greet.md", "--model", "openai-chat:m", "--base-url", nobody
        )
        assert ran.status == 20, ran.err
        assert f"openai-chat:m at {nobody}: no connection: Connection refused" in ran.err
        assert "(try 2 of 3)" in ran.err
        assert f"openai-chat:m at {nobody} can't be reached, in 3 tries" in ran.out
        assert "next: Check the address" in ran.out

    def test_minutes_end_a_command_that_runs(self, project: Project) -> None:
        """The limit is not only looked at between requests."""
        slow = GREET_PRP + "\n### Level 3: Slow\n```bash\nsleep 60\n```\n"
        project.write("PRPs/greet.md", slow)
        ran = execute(project, crew(), "--max-minutes", "0.05")
        assert ran.status == 12, ran.err
        assert "of 0.05 minutes" in ran.out

    def test_a_token_budget_ends_with_12(self, project: Project) -> None:
        """The limit is named."""
        ran = execute(project, crew(), "--max-tokens", "150")
        assert ran.status == 12
        assert "150 tokens" in ran.out


class TestNothingRunsOutside:
    """Commands see neither the person's files nor the network."""

    def test_the_coder_sees_no_key_and_no_home(self, project: Project) -> None:
        """A model that looks for secrets finds none."""
        secret = Path.home() / ".prp-test-secret"
        seen: list[str] = []

        def answer(request: Request) -> Answer:
            if "edit" in request.tools and not seen:
                seen.append("asked")
                look = f"env; cat {secret}; cat /proc/*/environ; git config --list --show-origin"
                return Answer(calls=(("run", {"command": look}),))
            if "edit" in request.tools and len(seen) == 1:
                seen.append(request.last)
            return script(request)

        script = crew()
        secret.write_text("planted-secret")
        try:
            assert execute(project, answer).status == 0
        finally:
            secret.unlink()
        assert "PRP_IN_SANDBOX" in seen[1]
        assert "PRP_SANDBOX" not in seen[1]
        assert "planted-secret" not in seen[1]
        assert "test-key-of-nobody" not in seen[1]
