"""`prp verify` says whether a branch's tests test what the branch changes."""

from pathlib import Path

import pytest

from tests.support.project import Project, Ran
from tests.support.provider import Answer, Provider, Request
from tests.support.scripts import GREET_PRP, opinions

TESTED_PRP = GREET_PRP.replace(
    "python3 -c \"from greet import greet; assert greet('Ada') == 'Hello, Ada!', greet('Ada')\"",
    "python3 -m pytest -q tests",
).replace("# Expected: no output\n", "")
LIMIT = (
    "def greet(name: str) -> str:\n    if len(name) > 9:\n        name = name[:9] + '.'\n"
    '    return f"Hello, {name}!"\n'
)
HEAD = "from greet import greet\n\n\ndef test_it() -> None:\n"
HONEST = (
    HEAD
    + "    names = ['Ada', 'Christina', 'Christinas']\n"
    + "    said = ['Hello, Ada!', 'Hello, Christina!', 'Hello, Christina.!']\n"
    + "    assert [greet(name) for name in names] == said\n"
)
BRANCHES = {
    "honest": HONEST,
    "thin": HEAD + "    assert greet('Ada') == 'Hello, Ada!'\n",
    "nothing": HEAD + "    greet('Ada')\n    greet('Christinas')\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The same solution with good tests, with thin ones, and with some that assert nothing."""
    ini = "[pytest]\npythonpath = .\n"
    made = Project(tmp_path / "project", {"PRPs/greet.md": TESTED_PRP, "pytest.ini": ini})
    for branch, tests in BRANCHES.items():
        made.git("checkout", "-q", "-b", branch, "main")
        made.write("greet.py", LIMIT)
        made.write("tests/test_greet.py", tests)
        made.git("add", "-A")
        made.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", branch)
    made.git("checkout", "-q", "main")
    return made


def verified(project: Project, branch: str, *options: str, **variables: str) -> Ran:
    """Verify a branch without a model."""
    command = ("verify", "PRPs/greet.md", "--branch", branch, *options)
    return project.prp(*command, **variables)


def report(project: Project) -> str:
    """Return the report of the last run."""
    return (project.runs[-1] / "report.md").read_text(encoding="utf-8")


def test_honest_tests_notice_what_is_changed(project: Project) -> None:
    """One line of progress, one of the report, and numbers for programs."""
    ran = verified(project, "honest", "--json")
    found = ran.json["mutants"]
    assert found["tried"] == found["chosen"] > 3
    assert found["killed"] == found["tried"]
    assert f"tests notice {found['killed']} of {found['tried']} mutants" in ran.err
    assert (
        f"The tests in the branch notice {found['killed']} of {found['tried']} small changes"
        in report(project)
    )
    assert "no test in the branch notices" not in report(project)


def test_a_case_that_no_test_looks_at_is_named(project: Project) -> None:
    """With the line as it is and as it could be; that fails nothing."""
    ran = verified(project, "thin", "--json")
    assert ran.status == 11, ran.out
    assert (
        "`if len(name) > 9:` becomes `if len(name) >= 9:` at greet.py:2"
        in (ran.json["mutants"]["survivors"])
    )
    assert "no test in the branch notices when" in report(project)
    assert not any("any of" in objection["what"] for objection in ran.json["objections"])


def test_tests_that_assert_nothing_are_named_as_such(project: Project) -> None:
    """It is said plainly; the verdict stays what it was."""
    ran = verified(project, "nothing", "--json")
    assert ran.status == 11, ran.out
    found = ran.json["mutants"]
    (whole,) = (o for o in ran.json["objections"] if o["place"] == "tests")
    assert f"any of {found['tried']} changes to the changed lines" in whole["what"]
    assert whole["weight"] == "noted"


@pytest.mark.parametrize("how", ["flag", "variable", "no sandbox"])
def test_none_are_tried_where_none_are_wanted(project: Project, how: str) -> None:
    """Nor where nothing would keep a mutant from the person's files."""
    ran = verified(
        project,
        "nothing",
        "--json",
        *{"flag": ["--max-mutants", "0"], "no sandbox": ["--no-sandbox"]}.get(how, []),
        PRP_MAX_MUTANTS="0" if how == "variable" else "",
    )
    assert ran.status == 11, ran.err
    assert ran.json["mutants"] is None


def test_none_are_tried_while_a_check_fails(project: Project) -> None:
    """The coder has enough to do."""
    project.git("checkout", "-q", "honest")
    project.write("greet.py", LIMIT.replace("Hello", "Hi"))
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-a", "-m", "wrong")
    project.git("checkout", "-q", "main")
    ran = verified(project, "honest", "--json")
    assert ran.status == 10
    assert ran.json["mutants"] is None


def test_the_verifier_is_told_and_reads_the_commit(project: Project) -> None:
    """What no test notices stands in its request; the files that it reads are the branch's."""
    requests: list[Request] = []

    def answer(request: Request) -> Answer:
        requests.append(request)
        if len(requests) == 1:
            return Answer(calls=(("read", {"paths": ["greet.py"]}),))
        return Answer(calls=(("submit_judgement", opinions({"C1": "yes", "C2": "yes"})),))

    with Provider(answer) as provider:
        model = ("--model", "openai-chat:scripted", "--base-url", provider.url)
        ran = verified(project, "nothing", *model)
    assert ran.status == 0, ran.err
    assert "no test in the branch notices when `if len(name) > 9:` becomes" in requests[0].text
    assert "name = name[:9] + '.'" in requests[1].last
