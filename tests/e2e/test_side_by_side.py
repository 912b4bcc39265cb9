"""Tasks that do not rest on each other are carried out at the same time."""

import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.support.lives import call_killed, options
from tests.support.project import PRP, Project
from tests.support.provider import Provider
from tests.support.side import FILES, Coder, Rival, content_of, prp_of, subjects, task_of

# A plan, three answers for each task, an opinion.
ANSWERS = 1 + 4 * 3 + 1


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a PRP of four tasks."""
    return Project(tmp_path / "project", FILES)


def test_tasks_go_on_at_once_and_are_put_together_in_plan_order(project: Project) -> None:
    """Given four tasks, then all have begun before any is answered, and each has its commit."""
    coder = Coder(4, meet=4)
    with Provider(coder) as provider:
        done = project.prp("execute", "PRPs/parts.md", "--jobs", "4", *options(provider))
    assert done.status == 0, done.err
    assert subjects(project) == [f"Task {n}: Part {n}" for n in (1, 2, 3, 4)]
    for number in (1, 2, 3, 4):
        assert project.git("show", f"prp/parts:part_{number}.py") == content_of(number)
    assert project.git("worktree", "list").count("\n") == 1
    assert not list((project.runs[-1] / "beside").glob("*"))
    # Every event of a task says so.
    tools = Counter(event["task"] for event in project.events() if event["type"] == "tool-used")
    assert tools == {1: 2, 2: 2, 3: 2, 4: 2}
    # Checks that only read run at once as well, and are told in the document's order.
    checks = [
        (event["type"], event["check"])
        for event in project.events()
        if event.get("check", "").startswith("L1.") and "baseline" in event.values()
    ]
    kinds = ["command-started"] * 2 + ["check-finished"] * 2
    assert checks == list(zip(kinds, ["L1.1", "L1.2"] * 2, strict=True))


def test_a_conversation_that_starts_afresh_is_told_what_was_done_before(project: Project) -> None:
    """Given tasks 2 to 4 after task 1, then each is told what it changed."""
    coder = Coder(4, after=dict.fromkeys((2, 3, 4), (1,)))
    with Provider(coder) as provider:
        done = project.prp("execute", "PRPs/parts.md", "--jobs", "3", *options(provider))
        asked = {n: [r.text for r in provider.requests if task_of(r) == n] for n in (1, 2, 3, 4)}
    assert done.status == 0, done.err
    told = r"- Task 1: Part 1 (part_1.py): Part 1 is written."
    assert not any("Done before this task" in text for text in asked[1])
    for number in (2, 3, 4):
        assert all(told in text for text in asked[number])
        assert not any(r"\n- Task 2: Part 2 (" in text for text in asked[number])


def test_what_does_not_fit_is_carried_out_again_on_top(project: Project) -> None:
    """Given tasks that write one file that no plan names, then the later ones see the first's."""
    coder = Coder(4, meet=4, shared=True)
    with Provider(coder) as provider:
        done = project.prp("execute", "PRPs/parts.md", "--jobs", "4", *options(provider))
        asked = [r.text for r in provider.requests if "carried this task out already" in r.text]
    assert done.status == 0, done.err
    assert coder.begun == {1: 1, 2: 2, 3: 2, 4: 2}
    assert "- shared.txt" in asked[0]
    assert "+shared, by 2" in asked[0]
    assert project.git("show", "prp/parts:shared.txt") == "shared, by all of them\n"
    assert subjects(project) == [f"Task {n}: Part {n}" for n in (1, 2, 3, 4)]
    clashed = [event["task"] for event in project.events() if event["type"] == "task-clashed"]
    assert clashed == [2, 3, 4]


@pytest.mark.parametrize(("what", "each"), [("any", "35"), ("step", "17")])
def test_killed_amid_tasks_that_go_on_at_once(project: Project, what: str, each: str) -> None:
    """Killed again and again, taken up each time: no answer that arrived is asked for again."""
    with Provider(Coder(4)) as provider:
        begun = ("execute", "PRPs/parts.md", "--jobs", "4", *options(provider))
        status, kills = call_killed(project, what, each, *begun), 0
        while status == -9:
            kills += 1
            assert kills < 20, "it does not come nearer to its end"
            status = call_killed(project, what, each, "resume", "-q")
        assert status == 0
        assert kills > 1
        # With each process that was killed the questions of the other tasks may have died.
        assert len(provider.requests) <= ANSWERS + 4 * kills
    answered = [event for event in project.events() if event["type"] == "model-answered"]
    assert len(answered) == ANSWERS
    for number in (1, 2, 3, 4):
        assert project.git("show", f"prp/parts:part_{number}.py") == content_of(number)
    assert subjects(project) == [f"Task {n}: Part {n}" for n in (1, 2, 3, 4)]
    finished = [event["task"] for event in project.events() if event["type"] == "task-finished"]
    assert finished == [1, 2, 3, 4]
    assert project.git("worktree", "list").count("\n") == 1


def test_ctrl_c_amid_tasks_lets_what_is_asked_be_answered(project: Project) -> None:
    """Given four open questions, then each answer is kept, and none is asked for again."""
    running: list[subprocess.Popen[str]] = []
    coder = Coder(4, meet=4, met=lambda: running[0].send_signal(signal.SIGINT))
    with Provider(coder) as provider:
        command = [str(PRP), "execute", "PRPs/parts.md", "--jobs", "4", *options(provider)]
        environment = project.environment()
        pipe = subprocess.PIPE
        running.append(
            subprocess.Popen(
                command, cwd=project.root, env=environment, stdout=pipe, stderr=pipe, text=True
            )
        )
        _, words = running[0].communicate(timeout=120)
        assert running[0].returncode == 130, words
        assert len(provider.requests) == 1 + 4
        done = project.prp("resume")
        assert done.status == 0, done.err
        assert len(provider.requests) == ANSWERS
    assert coder.begun == {1: 1, 2: 1, 3: 1, 4: 1}
    assert subjects(project) == [f"Task {n}: Part {n}" for n in (1, 2, 3, 4)]


def test_a_limit_amid_tasks_is_passed_by_one_answer_only(project: Project) -> None:
    """Given tokens for a few answers, then the run stops, and goes on with more of them."""
    with Provider(Coder(4)) as provider:
        limit = ("--max-tokens", "700")  # an answer is 120 tokens, the planner's included
        done = project.prp("execute", "PRPs/parts.md", "-j", "4", *limit, *options(provider))
        assert done.status == 12, done.err
        assert len(provider.requests) == 6
        done = project.prp("resume", "--max-tokens", "100000")
        assert done.status == 0, done.err
        assert len(provider.requests) == ANSWERS
    assert subjects(project) == [f"Task {n}: Part {n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("killed_at", ["", "40"], ids=["undisturbed", "killed"])
def test_the_best_of_several_candidates_is_gone_on_with(project: Project, killed_at: str) -> None:
    """Given one that gets a task wrong, the other is delivered, and the report tells of both."""
    project = Project(project.root.parent / "two", FILES | {"PRPs/parts.md": prp_of(2)})
    with Provider(Rival(2)) as provider:
        ways = ("--candidates", "2", "--jobs", "2", "--json", *options(provider))
        begun = ("execute", "PRPs/parts.md", *ways)
        if killed_at:
            assert call_killed(project, killed_at, *begun) == -9
            done = project.prp("resume", "--json")
        else:
            done = project.prp(*begun)
        assert done.status == 0, done.err
    assert subjects(project) == ["Task 1: Part 1", "Task 2: Part 2"]
    assert project.git("show", "prp/parts:part_1.py") == content_of(1)
    events = project.events()
    (chosen,) = [event for event in events if event["type"] == "candidate-chosen"]
    worse, better = sorted(chosen["candidates"], key=lambda one: bool(one["kept"]), reverse=True)
    assert better["candidate"] == chosen["chosen"]
    assert "holds" in better["outcome"]
    assert "L2.1" in worse["outcome"]
    assert project.git("show", f"{worse['kept']}:part_1.py") != content_of(1)
    report = (project.runs[-1] / "report.md").read_text(encoding="utf-8")
    assert f"Candidate {worse['candidate']}" in report
    assert f"Candidate {better['candidate']}" in report
    # Nothing of the worse one is taken for the run's own.
    checks = [e for e in events if e["type"] == "check-finished" and e["stage"] == "attempt 1"]
    assert {event["state"] for event in checks if not event["candidate"]} == {"passed"}
    assert {event["state"] for event in checks} == {"passed", "failed"}
    answered = sum(event["type"] == "model-answered" for event in events)
    # What was asked when the process was killed was not answered.
    assert answered <= len(provider.requests) <= answered + (2 if killed_at else 0)
    assert project.git("worktree", "list").count("\n") == 1
