"""A01 to A12: what the GitHub Action must withstand, with its own workflow."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from agent.github import words
from agent.github.install import install_github, labels
from agent.github.job import Job
from agent.github.log import JobLog, tame
from agent.github.papers import Phase, Request
from agent.github.progress import going_on, workflow_run
from tests.support.action import TITLE, Place, on_github
from tests.support.expressions import FUNCTIONS, filled
from tests.support.scripts import GOOD, GREET_PRP, PLAN, WRONG, crew, opinions

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WATCH = ROOT / "watch" / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "prp.yml"
KEY = "sk-proj-Zq8vN3mK5tR7wX9yB1dF4gH6jL2pS0uA"
TOOLS = Path(sys.executable).parent


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A repository with one PRP on its default branch, and issue 7."""
    with on_github(tmp_path) as made:
        yield made


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A repository with the files that `prp init --github` writes."""
    for name, content in install_github(tmp_path, action="octo/prp", ref="a" * 40).items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tmp_path


def workflow() -> dict[str, Any]:
    """Return the workflow."""
    loaded: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    return loaded


def test_a01_rights_and_words_are_those_of_the_label(place: Place) -> None:
    """The one who sets the label must be able to push; the text is the event's."""
    place.github.issue(7, TITLE, GREET_PRP)
    assert place.gate(place.label(by="eve")) == "refused"
    event = place.label()
    assert place.gate(event) == "run"
    handed = place.folder / "runner" / "artifacts-2" / "prp-request" / "request.json"
    request = json.loads(handed.read_text(encoding="utf-8"))
    assert request["prp"] == event["issue"]["body"]
    assert len(request["digest"]) == 64


def test_I64_an_issue_that_is_edited_after_the_label_does_not_run(place: Place) -> None:
    """Somebody has to look; the text of the label is shown, and its hash fits no other text."""
    place.github.issue(7, TITLE, GREET_PRP)
    event = place.label()
    edited = GREET_PRP.replace("ruff check .", "touch edited")
    place.github.state.issues[7]["body"] = edited
    assert place.gate(event) == "needs-approval"
    said = place.github.said(7)
    assert "touch edited" not in said
    # Who reads the issue when the run begins gets the other words.
    unguarded = place.github.state.issues[7]["body"]
    assert "touch edited" in unguarded
    found = re.search(r"/prp approve (\w+)", said)
    assert found
    assert place.gate(place.comment(found[0])) == "refused"
    place.github.state.issues[7]["body"] = GREET_PRP
    assert place.gate(place.comment(found[0])) == "run"


def test_I64_a_hash_of_one_issue_opens_no_other(place: Place) -> None:
    """It stands for words and commands, wherever it was seen; ten megabytes of words are none."""
    place.github.issue(7, TITLE, GREET_PRP, author="eve")
    evil = GREET_PRP.replace("ruff check .", "ruff check . && touch x")
    place.github.issue(8, TITLE, evil, author="eve")
    assert place.gate(place.label(7)) == "needs-approval"
    found = re.search(r"/prp approve (\w+)", place.github.said(7))
    assert found
    assert place.gate(place.comment(found[0], 8)) == "refused"
    assert "its hash is" in place.github.said(8)
    event = place.label(8)
    event["issue"]["body"] = "### a\n" * 1_700_000
    assert place.gate(event) == "refused"
    assert "larger than 1 MiB" in place.github.said(8)
    assert place.gate(place.comment(found[0])) == "run"


EVIL = (
    "$(touch {mark}) `touch {mark}` \"; touch {mark}; ' ${{{{ github.token }}}} | tee {mark} "
    "%0A::set-env name=X::y\n::add-mask::x ../../x"
)


def test_a02_text_reaches_no_shell(place: Place) -> None:
    """Title, body, branch and file names arrive as files, in runs from end to end."""
    mark = place.folder / "touched"
    evil = EVIL.format(mark=mark)
    body = GREET_PRP.replace("A module that greets.", f"A module that greets. {evil}")
    place.github.issue(7, evil, body)
    name = "$(touch x);`y`.py"
    ran = place.run(place.label(), crew(attempts=[{"greet.py": GOOD, name: "x = 1\n"}]))
    assert not mark.exists()
    assert re.fullmatch(r"prp/[a-z0-9-]+", place.pull["head"]["ref"]), ran.log
    assert f"`{name}`" not in place.pull["title"]
    assert not any(ran.log.splitlines()[n].startswith("::set-env") for n in range(20))


def test_a02_no_expression_stands_in_a_script(templates: Path) -> None:
    """Neither in the action nor in any workflow that is shipped."""
    for file in (ACTION, WATCH, WORKFLOW, templates / ".github/workflows/prp.yml"):
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
        jobs = loaded["jobs"].values() if "jobs" in loaded else [loaded["runs"]]
        for step in (step for job in jobs for step in job.get("steps", ())):
            assert "${{" not in step.get("run", "")


def test_a03_each_job_has_what_it_needs() -> None:
    """The job with the model reads; the job that writes has no key; no checkout keeps a token."""
    jobs = workflow()["jobs"]
    assert workflow()["permissions"] == {}
    reads = {"contents": "read"}
    assert {n: jobs[n]["permissions"] for n in ("execute", "verify", "screen")} == {
        "execute": reads,
        "verify": reads,
        "screen": reads,
    }
    assert jobs["follow"]["permissions"] == {"actions": "read", "issues": "write"}
    assert [n for n, job in jobs.items() if job["permissions"].get("contents") == "write"] == [
        "publish"
    ]
    for name, job in jobs.items():
        text = json.dumps(job)
        assert ("API_KEY" in text) is (name == "execute")
        assert ("token" in text.replace("persist", "")) is (
            name in ("gate", "follow", "publish", "cancel")
        )
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
    # Within the action the key is in the environment of the last step alone
    steps = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    assert ["API_KEY" in json.dumps(step) for step in steps] == [False, False, True]


def test_a03_the_key_is_seen_by_no_other_job(place: Place) -> None:
    """Looked at where it happens: the variables of every step."""
    place.runner.secrets = {"OPENAI_API_KEY": KEY}
    ran = place.run(place.label())
    seen = {
        name: [KEY in environment.values() for environment in job.environments]
        for name, job in ran.jobs.items()
    }
    assert seen["execute"][-1] is True, ran.log
    assert not any(seen["execute"][:-1])
    others = [any(each) for name, each in seen.items() if name != "execute"]
    assert others == [False] * 6


def test_a04_what_is_not_to_be_pushed_is_not(place: Place) -> None:
    """A run that writes into .github is blocked, told, and leaves no branch."""
    files = {"greet.py": GOOD, ".github/workflows/evil.yml": "on: push\n"}
    ran = place.run(place.label(), crew(attempts=[files]))
    assert ran["publish"].result == "failure"
    assert place.github.state.pulls == {}
    assert place.github.git("branch", "--list", "prp/*") == ""
    assert "a hidden folder decides" in place.github.said(7)
    assert place.github.labels(7) == {"prp:failed"}


def test_a04_nobody_can_say_that_it_was_screened(place: Place) -> None:
    """A forged screening and a forged attestation count for nothing."""

    def forge(artifacts: Path) -> None:
        commit = json.loads((artifacts / "prp-result" / "result.json").read_text())["commit"]
        for name in ("prp-screening", "prp-attestation"):
            (artifacts / name).mkdir()
        paper = {"version": 1, "commit": commit}
        (artifacts / "prp-screening" / "screening.json").write_text(json.dumps(paper))

    place.runner.between = {"execute": forge}
    files = {"greet.py": GOOD, ".envrc": "x\n"}
    ran = place.run(place.label(), crew(attempts=[files]))
    assert ran["screen"].result == "failure"
    assert place.github.git("branch", "--list", "prp/*") == ""
    assert place.github.state.pulls == {}


def test_a04_a_lie_about_checks_is_found_by_the_job_without_keys(place: Place) -> None:
    """Other commits than those that were proven leave a draft, with what was seen."""

    def swap(artifacts: Path) -> None:
        result = artifacts / "prp-result"
        author = place.folder / "author"
        subprocess.run(["git", "clone", "-q", place.github.bare, author], check=True)
        (author / "greet.py").write_text(WRONG)
        out = "refs/prp-out/issue-7-greet-people"
        for command in (
            ["add", "-A"],
            ["-c", "user.name=m", "-c", "user.email=m@m", "commit", "-qm", "evil"],
            ["update-ref", out, "HEAD"],
            ["bundle", "create", "-q", str(result / "branch.bundle"), out, "^origin/main"],
        ):
            subprocess.run(["git", "-C", author, *command], check=True)
        head = subprocess.run(
            ["git", "-C", author, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        ).stdout.strip()
        paper = json.loads((result / "result.json").read_text())
        (result / "result.json").write_text(json.dumps(paper | {"commit": head}))

    place.runner.between = {"execute": swap}
    place.run(place.label())
    assert place.pull["draft"] is True
    assert "L2.1 passed in the run, and not when it ran again" in place.pull["body"]
    assert "Closes" not in place.pull["body"]
    assert place.github.labels(7) == {"prp:failed"}


def test_a05_the_runner_s_files_are_out_of_reach(place: Place) -> None:
    """Commands of a PRP see neither the variables nor the files behind them."""
    temp = place.folder / "runner" / "1-execute"
    check = (
        f"! env | grep -q -e GITHUB_ -e RUNNER_ -e ACTIONS_ && ! test -e {temp}/output "
        f"&& ! test -e {temp}/event.json"
    )
    place.github.issue(7, TITLE, GREET_PRP.replace("ruff check .\n", f"{check}\nruff check .\n"))
    ran = place.run(place.label(), crew(judgement=opinions({"C1": "yes", "C2": "yes"})))
    assert "attempt 1: L1.1 passed" in ran["execute"].log, ran.log


def test_a06_commands_in_output_are_not_obeyed(place: Place) -> None:
    """Everything foreign stands between a stop and a word that nobody knows, and is tamed too."""
    evil = "echo '::set-env name=LD_PRELOAD::/x' && echo '##[add-path]/x' && false"
    place.github.issue(7, TITLE, GREET_PRP.replace("ruff check .\n", f"{evil}\nruff check .\n"))
    ran = place.run(place.label())
    stopped = ""
    for line in ran["execute"].log.splitlines():
        if found := re.fullmatch(r"::stop-commands::([0-9a-f]{32})", line):
            stopped = found[1]
        elif line == f"::{stopped}::":
            stopped = ""
        elif line.lstrip().startswith("::"):
            assert not stopped
            assert re.match(r"::(add-mask|error|notice|warning|group|endgroup)\b", line)
        assert "##[" not in line


@pytest.mark.parametrize(
    "line", ["::set-env name=X::y", "  ::add-mask::x", "x ##[error]y", "a\r::error::x"]
)
def test_a06_a_line_is_tamed(line: str) -> None:
    """Also where the runner reads commands."""
    shown = tame(line)
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert "\r" not in shown


def test_a06_words_of_an_error_are_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    """Line ends in them begin no command."""
    JobLog().failure("a\n::set-env name=X::y\r::x")
    assert capsys.readouterr().out == "::error title=prp::a%0A::set-env name=X::y%0D::x\n"


def test_a06_no_more_is_said_than_github_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten of a kind; what comes after them is a line of the log that commands nothing."""
    log = JobLog()
    for number in range(12):
        log.failure("x\n::set-env name=A::b", file="a.py", line=str(number))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("::")] == lines[:10]
    assert lines[10:12] == ["error: a.py:10: x", "| ::set-env name=A::b"]


def test_a07_actions_are_pinned_and_audited(templates: Path) -> None:
    """By hash, with nothing for zizmor's auditor to say, and by GitHub's own schemas."""
    actions = (ACTION, WATCH, *WORKFLOW.parent.glob("*.yml"))
    for file in (*actions, *templates.rglob("workflows/*.yml")):
        for used in re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8")):
            assert used.startswith("$/") or re.search(r"@[0-9a-f]{40}$", used), (file, used)
    audited = [ACTION, WATCH, WORKFLOW.parent, templates / ".github" / "workflows"]
    done = subprocess.run(
        [TOOLS / "zizmor", "--offline", "--persona=auditor", "--no-progress", *audited],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a07_every_exception_has_a_reason(templates: Path) -> None:
    """Where the auditor is told to look away, words say why; a tag is one such place."""
    workflow = install_github(templates, action="octo/prp")[".github/workflows/prp.yml"]
    (templates / ".github" / "workflows" / "prp.yml").write_text(workflow, encoding="utf-8")
    ignores = re.findall(r"zizmor: ignore\[[\w-]+\](.*)", workflow)
    assert len(ignores) == 2
    assert all(len(reason.split()) > 5 for reason in ignores)
    done = subprocess.run(
        [TOOLS / "zizmor", "--offline", "--persona=auditor", "--no-progress", templates],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", [ACTION, WATCH]),
        ("vendor.github-workflows", sorted(WORKFLOW.parent.glob("*.yml"))),
        ("vendor.github-workflows", ["TEMPLATES/.github/workflows/prp.yml"]),
        ("vendor.github-issue-forms", ["TEMPLATES/.github/ISSUE_TEMPLATE/prp.yml"]),
    ],
)
def test_a07_files_keep_their_schemas(templates: Path, schema: str, files: list[Any]) -> None:
    """As they ship them offline."""
    named = [str(file).replace("TEMPLATES", str(templates)) for file in files]
    done = subprocess.run(
        [TOOLS / "check-jsonschema", "--builtin-schema", schema, *named],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a08_forks_get_nothing(place: Place, templates: Path) -> None:
    """No event gives a fork's words rights, and its pull requests are left alone."""
    for file in (*WORKFLOW.parent.glob("*.yml"), *templates.rglob("workflows/*.yml")):
        text = file.read_text(encoding="utf-8")
        assert "pull_request_target" not in text
        assert "workflow_run" not in text
    place.run(place.label())
    number = place.pull["number"]
    place.pull["head"]["repo"] = {"full_name": "eve/demo"}
    asked = place.comment("/prp run make it better", number)
    asked["issue"]["pull_request"] = {}
    assert place.gate(asked) == "refused"
    place.pull["head"]["repo"] = None
    assert place.gate(asked) == "refused"


@pytest.mark.parametrize(
    ("foreign", "absent"),
    [
        ("@octocat and @org/team", r"@\w"),
        ("fixes #3, closes o/r#4, GH-5", r"#\d|GH-\d"),
        ("see https://evil.example and www.evil.example", r"\w://|www\.\w"),
        ("<script>alert(1)</script><img src=x>", r"(?<!\\)<\w"),
        ("![x](y) [a](b) **bold** | cell", r"(?<!\\)[!\[*|]"),
        ("a\u202eb\u200bc\x1b[2J", r"[\u202e\u200b\x1b]"),
    ],
)
def test_a09_foreign_words_do_nothing_on_github(foreign: str, absent: str) -> None:
    """They call nobody, close nothing, link nowhere and are no markup."""
    assert not re.search(absent, words.plain(foreign))
    assert not re.search(r"\w://|@\w|#\d", words.title(foreign))


def test_a09_texts_are_bounded(tmp_path: Path) -> None:
    """Comments and summaries end before GitHub cuts or drops them, and say so."""
    whole = words.within(["x" * 30_000] * 5)
    assert len(whole) < 65_536
    assert "left out here" in whole
    assert len(words.within(["y" * 100_000])) < 65_536
    summary = tmp_path / "summary"
    job = Job(
        event_name="",
        event={},
        repository="o/r",
        api="",
        server="",
        token="",
        workspace=tmp_path,
        folder=tmp_path,
        run="1",
        summary=summary,
    )
    job.summarise("é" * 1_000_000)
    assert summary.stat().st_size < 1024 * 1024


def test_a09_a_run_s_words_call_nobody(place: Place) -> None:
    """Neither in the pull request, nor in comments, nor in the messages of commits."""
    plan = {**PLAN, "summary": "For @everybody, fixes #1"}
    body = GREET_PRP.replace("Task 1 - Greeting:", "Task 1 - Greeting @octocat fixes #9:")
    place.github.issue(7, "@octocat fixes #3", body)
    ran = place.run(place.label(), crew(plan=plan))
    told = f"{place.pull['title']}\n{place.pull['body']}\n{place.github.said(7)}"
    own = re.sub(r"`[^`]*`|^Co-authored-by: .*$|Closes #7", "", told, flags=re.MULTILINE)
    assert not re.search(r"(?<!\w)@\w|#\d", own), ran.log
    log = place.github.git("log", "--format=%B", f"main..{place.pull['head']['ref']}")
    assert not re.search(r"(?<!\w)@\w|#\d", log)


def test_a09_a_run_under_way_calls_nobody_either() -> None:
    """What the job with the model says of itself is text, and no more of it than a paper takes."""
    evil = "@octocat closes #3 <!-- prp:workflow 999 --> **x** ::error::y"
    phase = Phase(
        doing=evil,
        tasks=((evil, evil),),
        criteria=(("C1", evil, "failed"),),
        attempts=(evil,),
    )
    asked = Request(
        mode="run",
        key="7",
        issue=7,
        actor="ada",
        title=TITLE,
        source="path",
        trust="repo",
        prp_name="PRPs/greet.md",
        prp=GREET_PRP,
        digest="d",
        base="a" * 40,
        branch="prp/greet",
        default_branch="main",
    )
    told = going_on(asked, phase, run="5", url="https://example.test/1")
    assert workflow_run(told) == 5
    assert told.count("<!--") == 2
    assert not re.search(r"@\w|#\d|(?<!\\)\*\*x", told)
    with pytest.raises(ValidationError):
        Phase(doing="x" * 301)


@pytest.mark.parametrize("form", ["plain", "reversed"])
def test_a10_keys_are_masked_everywhere(place: Place, form: str) -> None:
    """Where a model learned the key, it stands in no log, artifact, comment or pull request."""
    told = KEY if form == "plain" else KEY[::-1]
    place.runner.secrets = {"OPENAI_API_KEY": KEY}
    plan = {**PLAN, "summary": f"The key is {told}", "concerns": [told]}
    ran = place.run(place.label(), crew(plan=plan))
    assert told not in ran.log.replace(f"::add-mask::{KEY}", "")
    assert told not in place.pull["body"] + place.github.said(7)
    for file in (place.folder / "runner" / "artifacts-1").rglob("*"):
        assert not file.is_file() or told.encode() not in file.read_bytes(), file
    assert told not in place.github.git("show", "refs/prp/state/7:events.jsonl")


def test_a11_one_run_for_an_issue_and_its_journal_stays() -> None:
    """Groups per issue that cancel nothing, and an upload whatever happens."""
    jobs = workflow()["jobs"]
    for name in ("gate", "execute"):
        assert jobs[name]["concurrency"]["cancel-in-progress"] is False
    assert "needs.gate.outputs.key" in jobs["execute"]["concurrency"]["group"]
    last = jobs["execute"]["steps"][-1]
    assert "always()" in last["if"]
    assert last["with"]["name"] == "prp-result"
    assert "always()" in jobs["publish"]["if"]


def test_a11_a_run_that_left_nothing_is_told(place: Place) -> None:
    """The label is taken off, and the next one starts."""

    def lost(artifacts: Path) -> None:
        for file in (artifacts / "prp-result").iterdir():
            file.unlink()

    place.runner.between = {"execute": lost}
    ran = place.run(place.label())
    assert ran["publish"].result == "failure"
    assert place.github.labels(7) == {"prp:failed"}
    assert place.gate(place.label()) == "run"


def test_a12_rules_come_from_the_default_branch(place: Place) -> None:
    """What a branch of a run says about settings is not read."""
    # Given a run whose branch allows a host, by hand
    place.run(place.label(), crew(attempts=[{"greet.py": WRONG}] * 3))
    branch = place.pull["head"]["ref"]
    author = place.folder / "author"
    subprocess.run(["git", "clone", "-q", "-b", branch, place.github.bare, author], check=True)
    (author / "prp.toml").write_text('model = "openai-chat:evil"\nmax_attempts = 1\n')
    for command in (
        ["add", "-A"],
        ["-c", "user.name=m", "-c", "user.email=m@m", "commit", "-qm", "settings"],
        ["push", "-q"],
    ):
        subprocess.run(["git", "-C", author, *command], check=True)
    # When it goes on from there
    place.runner.inputs = {**place.runner.inputs, "model": "openai-chat:scripted"}
    ran = place.run(place.label(), crew(attempts=[{"greet.py": WRONG}, {"greet.py": GOOD}]))
    # Then the rules are those of the default branch
    assert {request.body["model"] for request in place.requests} == {"scripted"}, ran.log
    assert len(place.requests) > 2


@pytest.mark.parametrize(
    ("event", "starts"),
    [
        ({"label": {"name": "prp"}}, True),
        ({"label": {"name": "bug"}}, False),
        ({"comment": {"body": "/prp run"}}, True),
        ({"comment": {"body": "Nice! /prp run"}}, False),
        ({"review": {"state": "changes_requested"}}, True),
        ({}, True),
    ],
)
def test_the_caller_spares_machines(templates: Path, event: dict[str, Any], starts: bool) -> None:
    """Other labels and comments start none; what it hands on is what the workflow takes."""
    file = templates / ".github" / "workflows" / "prp.yml"
    job = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]["prp"]
    assert bool(filled(job["if"], {"github": {"event": event}}, FUNCTIONS)) is starts
    taken = workflow()[True]["workflow_call"]  # type: ignore[index] # YAML 1.1 reads `on` so
    assert set(job["with"]) <= set(taken["inputs"])
    assert set(job["secrets"]) <= set(taken["secrets"])
    for rights in (each["permissions"] for each in workflow()["jobs"].values()):
        for name, level in rights.items():
            assert job["permissions"].get(name) in (level, "write")


def test_labels_are_described() -> None:
    """Each that the Action sets has a colour and words."""
    assert {label["name"] for label in labels()} == {
        "prp",
        "prp:running",
        "prp:passed",
        "prp:failed",
        "prp:needs-approval",
    }
    assert all(re.fullmatch(r"[0-9a-f]{6}", label["color"]) for label in labels())
    assert all(len(label["description"]) < 100 for label in labels())
