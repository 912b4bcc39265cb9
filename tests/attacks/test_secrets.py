"""Secrets that lie in a repository or in the environment reach no model, file or terminal."""

import asyncio
import dataclasses
from pathlib import Path

from agent.masking import Mask
from agent.runs.guests import _bring_back
from agent.workspace import run
from tests.support.place import a_place
from tests.support.project import Project
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GOOD, GREET_PRP, PLAN, opinions

# Made here: nobody ever issued it.
TOKEN = "ghp_Zq7Rw2Lp9Kd4Tn6Vb8Xc3Jh5Mf1Gs0Ya"
KEY = "key-of-a-person-7Rw2Lp9K"


def test_I57_output_and_log_of_a_command_are_masked(tmp_path: Path) -> None:
    """In every spelling, and where the pieces of output meet."""
    with a_place(tmp_path) as place:
        place.toolchain = dataclasses.replace(place.toolchain, mask=Mask({"SOME_API_KEY": KEY}))
        log = tmp_path / "log"
        command = (
            f"echo {KEY}; printf %s {KEY} | base64; echo {TOKEN}; "
            f"for n in $(seq 300); do head -c 1000 /dev/zero | tr '\\0' x; echo {KEY}; done"
        )
        done = asyncio.run(
            run(
                command,
                confinement=place.toolchain.confine(place.tree.path),
                sandbox=place.sandbox,
                log=log,
            )
        )
    for text in (done.output, log.read_text()):
        assert KEY not in text
        assert TOKEN not in text
        assert "[masked: SOME_API_KEY]" in text
        assert "[masked: a GitHub token]" in text
    assert log.read_text().count("[masked: SOME_API_KEY]") == 302


def test_P05_a_committed_token_reaches_neither_model_nor_files(tmp_path: Path) -> None:
    """The coder reads the file and prints it; requests, journal, report and recording hold none."""
    project = Project(
        tmp_path / "project", {"PRPs/greet.md": GREET_PRP, "config.py": f'TOKEN = "{TOKEN}"\n'}
    )
    turns = iter(
        [
            ("read", {"paths": ["config.py"]}),
            ("run", {"command": "cat config.py; base64 -w0 config.py"}),
            ("write", {"path": "greet.py", "content": GOOD}),
            ("finish", {"summary": f"Found {TOKEN}."}),
        ]
    )

    def answer(request: Request) -> Answer:
        if "submit_plan" in request.tools:
            return Answer(calls=(("submit_plan", dict(PLAN)),))
        if "submit_judgement" in request.tools:
            return Answer(calls=(("submit_judgement", opinions({"C1": "yes", "C2": "yes"})),))
        return Answer(calls=(next(turns),))

    with Provider(answer) as provider:
        ran = project.prp(
            *("execute", "PRPs/greet.md", "--model", "openai-chat:scripted", "--max-mutants", "0"),
            *("--base-url", provider.url, "--record", str(tmp_path / "recording.jsonl")),
        )
    assert ran.status == 0, ran.err
    assert sum("[masked: a GitHub token]" in request.text for request in provider.requests) > 1
    kept = [p for p in project.runs[-1].rglob("*") if p.is_file()]
    texts = [p.read_text(errors="replace") for p in (*kept, tmp_path / "recording.jsonl")]
    asked = [request.text for request in provider.requests]
    for text in (*texts, *asked, ran.out, ran.err):
        assert TOKEN not in text


def test_a_login_that_an_agent_nests_without_end_does_not_come_back(tmp_path: Path) -> None:
    """And ends no run: it is no login."""
    home, place = tmp_path / "home", tmp_path / "place"
    for folder, login in ((home, "{}"), (place, '{"a":' * 100_000)):
        folder.mkdir()
        (folder / "login.json").write_text(login)
    _bring_back(home, place, "login.json", b"{}")
    assert (home / "login.json").read_text() == "{}"
