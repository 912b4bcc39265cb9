"""`--coder acp:COMMAND`: an agent of somebody else's codes in our worktree, and is not trusted."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.project import Project, Ran
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GOOD, GREET_PRP, crew
from tests.support.toolchains import GEMINI, needs

AGENT = Path(__file__).parent.parent / "support" / "acp_agent.py"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a small PRP, a frozen file and a link that leads out."""
    files = {"PRPs/greet.md": GREET_PRP, "pyproject.toml": '[project]\nname = "x"\n'}
    made = Project(tmp_path / "project", files)
    (made.root / "link.txt").symlink_to(tmp_path / "outside.txt")
    made.git("add", "-A")
    made.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "link")
    return made


def executed(project: Project, part: str, *options: str, **variables: str) -> Ran:
    """Let the agent play a part; planner and verifier are scripted."""
    command = f"{shlex.quote(str(installed(project)))} {part}"
    with Provider(crew()) as provider:
        models = ("--model", "openai-chat:scripted", "--base-url", provider.url)
        ran = project.prp(
            "execute", "PRPs/greet.md", *models, "--coder", f"acp:{command}", *options, **variables
        )
        assert not any("write" in request.tools for request in provider.requests)
    return ran


def installed(project: Project) -> Path:
    """Install the agent as a program, by a name as Codex has it."""
    place = project.root.parent / "installed" / "codex-acp"
    if not place.exists():
        place.parent.mkdir()
        place.write_text(f"#!{sys.executable}\n{AGENT.read_text(encoding='utf-8')}")
        place.chmod(0o755)
    return place


def test_an_agent_of_somebody_else_codes_and_our_verifier_judges(project: Project) -> None:
    """Wrong first, told why, mended; files, commands and questions go through us."""
    before = project.fingerprint()
    ran = executed(project, "good", "--json")
    assert ran.status == 0, ran.err
    assert project.fingerprint() == before
    events = project.events()
    assert events[0]["models"]["coder"].startswith("acp:")
    assert [e["holds"] for e in events if e["type"] == "attempt-verified"] == [False, True]
    used = {e["tool"]: e["summary"] for e in events if e["type"] == "tool-used"}
    assert used["run"].endswith("exit status 0")
    assert used["permission"] == "write greet.py: allowed once"
    tasks = [e for e in events if e["type"] == "task-finished"]
    assert tasks[0]["summary"] == "Wrote the greeting."
    assert tasks[0]["doubts"] == ["names that are empty"]
    asked = (project.runs[-1] / "conversation.jsonl").read_text(encoding="utf-8")
    assert "- names that are empty" in asked, "the judge looks there"


@needs("gemini")
def test_gemini_cli_makes_a_file_and_our_verifier_judges(project: Project, tmp_path: Path) -> None:
    """The tool itself, as people have it; without a sandbox, which would not let it talk to us."""
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").write_text(json.dumps(settings))
    ours = crew()

    def answer(request: Request) -> Answer:
        if request.wire != "gemini":
            return ours(request)
        if "functionResponse" in request.text:
            return Answer(text="Wrote the greeting.")
        wanted = {"file_path": "greet.py", "content": GOOD}
        return Answer(calls=(("write_file", wanted),))

    with Provider(answer) as provider:
        ran = project.prp(
            *("execute", "PRPs/greet.md", "--no-sandbox", "--max-attempts", "1"),
            *("--model", "openai-chat:scripted", "--base-url", provider.url),
            *("--coder", f"acp:node {GEMINI} --acp -m gemini-2.5-pro"),
            HOME=str(tmp_path),
            GEMINI_API_KEY="test-key-of-nobody",
            GOOGLE_GEMINI_BASE_URL=provider.url.removesuffix("/v1"),
            GEMINI_CLI_TRUST_WORKSPACE="true",
            PRP_AGENT_ENV="GEMINI_API_KEY,GOOGLE_GEMINI_BASE_URL,GEMINI_CLI_TRUST_WORKSPACE",
        )
    assert ran.status == 0, ran.err
    assert project.git("show", "prp/greet:greet.py") == GOOD


def test_an_agent_reaches_neither_the_person_nor_the_oracle(
    project: Project, tmp_path: Path
) -> None:
    """It gets copies of its login, and what it renews goes back: nothing else leaves."""
    home = tmp_path / "home"
    login = '{"token": "of-nobody"}'
    for name, text in {
        ".codex/auth.json": login,
        ".codex/config.toml": "model = 'x'\n",
        ".ssh/id_ed25519": "test-key\n",
        ".bashrc": "mine\n",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    ran = executed(
        project, "thief", HOME=str(home), AGENT_KEY="x", OTHER_KEY="y", PRP_AGENT_ENV="AGENT_KEY"
    )
    assert ran.status == 0, ran.err
    got = json.loads(project.git("show", "prp/greet:got.json"))
    assert (got["secrets"], got["keys"], got["login"]) == ([], ["AGENT_KEY"], login)
    assert got["network"] != "open"
    assert got["frozen"] != "bent"
    assert {name: word for name, word in got.items() if word == "written"} == {}
    assert got["permission"] == "no"
    assert not (tmp_path / "outside.txt").exists()
    assert json.loads((home / ".codex/auth.json").read_text()) == {"token": "renewed"}
    assert (home / ".codex/config.toml").read_text() == "model = 'x'\n"
    assert (home / ".bashrc").read_text() == "mine\n"
    assert not (project.runs[-1] / "agent-home").exists()


@pytest.mark.parametrize(
    ("part", "status", "words"),
    [
        pytest.param("dies", 20, "no licence", id="ends by itself"),
        pytest.param("stranger", 4, "log in", id="wants a login"),
    ],
)
def test_an_agent_that_can_not_work_stops_the_run_and_keeps_it(
    project: Project, part: str, status: int, words: str
) -> None:
    """With what it complained of, made safe to show, and how to go on."""
    ran = executed(project, part)
    assert ran.status == status
    assert words in ran.out + ran.err
    assert "\x1b" not in ran.out + ran.err
    assert "prp resume" in ran.out + ran.err


@pytest.mark.parametrize(
    ("part", "variables", "words"),
    [
        pytest.param("sleepy", {"PRP_MODEL_TIMEOUT": "2"}, "nothing was heard", id="silent"),
        pytest.param("busy", {"PRP_MAX_REQUESTS_PER_TASK": "5"}, "20 tools", id="without end"),
    ],
)
def test_an_agent_that_comes_to_no_end_is_stopped(
    project: Project, part: str, variables: dict[str, str], words: str
) -> None:
    """It is told first, then ended; what it did is judged like everything else."""
    ran = executed(project, part, "--max-attempts", "1", **variables)
    assert ran.status in (10, 12), ran.err
    tasks = [e for e in project.events() if e["type"] == "task-finished"]
    assert words in tasks[0]["summary"]
    assert project.git("show", "prp/greet:told-to-stop.txt") == "yes\n"


WRONG = [
    pytest.param(("--coder", "acp:"), {}, 4, "names no command", id="nothing"),
    pytest.param(("--coder", "acp:no-such-agent x"), {}, 5, "not installed", id="missing"),
    pytest.param(("--coder", "acp:'"), {}, 4, "no command", id="quotes"),
    pytest.param(("--coder", "acp:true", "--max-cost-usd", "1"), {}, 4, "its own", id="money"),
    pytest.param(("--model", "acp:true"), {}, 4, "only be the coder", id="every role"),
    pytest.param((), {"prp.toml": 'coder = "acp:true"\n'}, 4, "a repository may not", id="file"),
]


@pytest.mark.parametrize(("options", "files", "status", "words"), WRONG)
def test_what_is_no_agent_is_said_before_anything_begins(
    project: Project, options: tuple[str, ...], files: dict[str, str], status: int, words: str
) -> None:
    """With what to do; a repository can't name a program to be started."""
    for name, text in files.items():
        project.write(name, text)
    ran = project.prp("execute", "PRPs/greet.md", *options, PRP_PLANNER="openai:x")
    assert (ran.status, project.runs) == (status, [])
    assert words in ran.err


def test_without_a_key_programs_judge_alone(project: Project) -> None:
    """Only the planner is asked; what nobody has read stays unproven, and the report says so."""
    command = f"acp:{shlex.quote(str(installed(project)))} good"
    with Provider(crew()) as provider:
        planner = ("--planner", "openai-chat:scripted", "--base-url", provider.url)
        ran = project.prp("execute", "PRPs/greet.md", *planner, "--coder", command, "--json")
        assert {name for request in provider.requests for name in request.tools} >= {"submit_plan"}
        assert not any("submit_judgement" in request.tools for request in provider.requests)
    assert ran.status == 11, ran.err
    statuses = [e["status"] for e in project.events() if e["type"] == "criterion-judged"]
    assert statuses[-2:] == ["unproven", "proven"]


def test_with_no_key_at_all_nothing_is_ticked_that_nobody_read(project: Project) -> None:
    """The PRP is the plan, a subscription codes; what programs can't judge is said at the start."""
    command = f"acp:{shlex.quote(str(installed(project)))} good"
    refused = project.prp("execute", "PRPs/greet.md", "--coder", command)
    assert refused.status == 4
    assert "--plan literal" in refused.err
    ran = project.prp("execute", "PRPs/greet.md", "--coder", command, "--plan", "literal", "--json")
    assert ran.status == 11, ran.err
    events = project.events()
    assert [e["status"] for e in events if e["type"] == "criterion-judged"][-2:] == [
        "unproven",
        "proven",
    ]
    assert any("No model reads" in e["text"] for e in events if e["type"] == "noted")
    assert not [e for e in events if e["type"] in ("estimated", "model-answered")]
