"""What requests cost: how they begin, how they grow, and which of them are not made at all."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Project
from tests.support.provider import Provider, Request
from tests.support.scripts import GOOD, GREET_PRP, WRONG, crew

SECOND = "\nTask 2 - Docs:\n  CREATE docs.md:\n    - say it"
PRP = GREET_PRP.replace(" returns the greeting", SECOND)
PLAN = {
    "summary": "A greeting.",
    "steps": [
        {"task": 1, "approach": "One function.", "files": ["greet.py"]},
        {"task": 2, "approach": "A line.", "files": ["docs.md"]},
    ],
    "proofs": [
        {"criterion": "C1", "checks": ["L2.1"], "how": "The check calls it."},
        {"criterion": "C2", "checks": ["L1.1"], "how": "The check itself."},
    ],
}


def wire_text(request: Request) -> str:
    """Return a request in the order in which a provider caches it."""
    return json.dumps([request.body["tools"], request.body["messages"]])


def alike(one: Request, other: Request) -> str:
    """Return what two requests begin with."""
    a, b = wire_text(one), wire_text(other)
    end = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    return a[:end]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a PRP of two tasks."""
    return Project(tmp_path / "project", {"PRPs/greet.md": PRP, "README.md": "# greet\n"})


def executed(project: Project, script: Any, *options: str) -> list[Request]:
    """Execute the PRP and return the requests."""
    with Provider(script) as provider:
        arguments = ("--model", "openai-chat:x", "--base-url", provider.url, *options)
        ran = project.prp("execute", "PRPs/greet.md", "--max-mutants", "0", *arguments)
    assert ran.status == 0, ran.err
    return provider.requests


def test_what_the_coder_is_sent_begins_alike_in_every_task_and_attempt(project: Project) -> None:
    """Within a conversation nothing is changed, only added; a new one shares all but its task."""
    attempts = ({"greet.py": WRONG}, {"docs.md": "Hi"}, {"greet.py": GOOD})
    requests = executed(project, crew(plan=PLAN, attempts=attempts))
    coder = [request for request in requests if "finish" in request.tools]
    first, second, repair = coder
    # Given two tasks in one conversation: the second goes on where the first ended
    assert second.body["messages"][: len(first.body["messages"])] == first.body["messages"]
    # And a repair that starts afresh: tools, instructions, briefing and plan are the same text
    texts = [request.body["messages"][1]["content"] for request in (first, repair)]
    assert texts[0][:-1] == texts[1][:-1]
    assert repair.body["tools"] == first.body["tools"]
    assert repair.body["messages"][0] == first.body["messages"][0]
    # And planner and verifier are given the same briefing first, whatever their tools
    asked = [request for request in requests if request.tools]
    assert {"submit_plan", "submit_judgement"} < {tool for one in asked for tool in one.tools}
    given = [one.body["messages"][1]["content"][0]["text"] for one in asked]
    assert all(text.startswith(texts[0][0]["text"]) for text in given)
    begun = alike(first, repair)
    assert all(words in begun for words in ("# PRP: A greeting", "<repository>", "<baseline>"))
    # Then nearly everything could come from the provider's cache
    shared = [len(alike(a, b)) for a, b in pairwise(coder)]
    assert sum(shared) / sum(len(wire_text(b)) for b in coder[1:]) > 0.85


def test_what_is_ours_in_a_first_request_stays_small(project: Project) -> None:
    """Beyond the PRP the coder's first request has under 1,500 tokens, four characters each."""
    requests = executed(project, crew(plan=PLAN, attempts=({"greet.py": GOOD}, {"docs.md": "Hi"})))
    first = next(request for request in requests if "finish" in request.tools)
    messages = [_text(message["content"]) for message in first.body["messages"]]
    tools = [_text(tool["function"]) for tool in first.body["tools"]]
    assert (sum(map(len, [*messages, *tools])) - len(PRP)) / 4 < 1500


def _text(value: Any) -> str:
    """Return what a provider counts: names and words, without the marks of JSON."""
    if isinstance(value, dict):
        return " ".join(f"{key} {_text(one)}" for key, one in value.items())
    return " ".join(map(_text, value)) if isinstance(value, list) else str(value)


class TestLiteral:
    """A PRP that is its own plan."""

    def test_a_complete_prp_asks_no_planner(self, project: Project) -> None:
        """Tasks, files and checks are what the PRP says, and its criteria are proven as ever."""
        script = crew(attempts=({"greet.py": GOOD}, {"docs.md": "Hi"}))
        requests = executed(project, script, "--plan", "literal")
        assert not [request for request in requests if "submit_plan" in request.tools]
        (planned,) = (e for e in project.events() if e["type"] == "planned")
        assert [step["files"] for step in planned["steps"]] == [["greet.py"], ["docs.md"]]
        proofs = {proof["criterion"]: proof["checks"] for proof in planned["proofs"]}
        assert proofs == {"C1": ["L2.1"], "C2": ["X.1"]}

    @pytest.mark.parametrize(
        ("old", "new", "lack"),
        [
            pytest.param("  CREATE docs.md:\n", "", "task 2 (line 15) names no file", id="files"),
            pytest.param(
                "returns `Hello, Ada!`\n",
                "returns `Hello, Ada!`\n- [ ] Umlauts are kept\n",
                "no check seems to show C2 (line 8)",
                id="criteria",
            ),
        ],
    )
    def test_an_incomplete_one_is_refused(
        self, project: Project, old: str, new: str, lack: str
    ) -> None:
        """The message says what is left to plan, and nothing was begun."""
        project.write("PRPs/greet.md", PRP.replace(old, new))
        ran = project.prp(
            *("execute", "PRPs/greet.md", "--plan", "literal", "--model", "openai-chat:x")
        )
        assert ran.status == 3, ran.err
        assert lack in ran.err
        assert not project.runs
