"""What a failed check lacked is read from what drivers and clients print."""

import dataclasses
from pathlib import Path

import pytest

from agent.prp import Check, Server
from agent.verifier import CheckResult, CheckState
from agent.verifier.lacks import is_own_module, lacking, settled
from agent.verifier.outcomes import Outcomes

CHECK = Check(id="L1.1", command="npm test", line=1, last_line=1, level=1)
PSQL = 'psql: error: connection to server at "localhost" (127.0.0.1), port 5433 failed: refused'
SOCKET = 'connection to server on socket "/run/postgresql/.s.PGSQL.5432" failed: No such file'


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (PSQL, "PostgreSQL at localhost:5433"),
        (SOCKET, "PostgreSQL at /run/postgresql/.s.PGSQL.5432"),
        ("localhost:5432 - no response", "PostgreSQL at localhost:5432"),
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", "PostgreSQL at 127.0.0.1:5432"),
        ("Error: connect ECONNREFUSED ::1:6379", "Redis at ::1:6379"),
        ("dial tcp 127.0.0.1:3306: connect: connection refused", "MySQL at 127.0.0.1:3306"),
        ("dial tcp [::1]:27017: connect: connection refused", "MongoDB at ::1:27017"),
        ("Error 111 connecting to localhost:6379. Connection refused.", "Redis at localhost:6379"),
        ("localhost:27017: [Errno 111] Connection refused", "MongoDB at localhost:27017"),
        ("Can't connect to MySQL server on '127.0.0.1:3306' (111)", "MySQL at 127.0.0.1:3306"),
        (
            "HTTPConnectionPool(host='localhost', port=9200): Max retries exceeded",
            "Elasticsearch at localhost:9200",
        ),
        ("getaddrinfo EAI_AGAIN api.example.com", "the network, for api.example.com"),
        ('could not translate host name "db" to address', "the network, for db"),
        ("curl: (6) Could not resolve host: example.com", "the network, for example.com"),
        ("connect ECONNREFUSED 127.0.0.1:3000", ""),
        ("expected 5432 to equal 6379", ""),
    ],
)
def test_words_of_drivers_tell_what_is_lacking(output: str, words: str) -> None:
    """A port that no known service has may be the project's own server."""
    assert lacking(output, CHECK) == words


def test_what_a_check_starts_itself_is_not_lacking() -> None:
    """Then its failure is one."""
    server = Server(command="postgres -p 5432", line=1)
    own = dataclasses.replace(CHECK, servers=(server,))
    assert not lacking("connect ECONNREFUSED 127.0.0.1:5432", own)


def result(output: str, **tests: str) -> CheckResult:
    """Return a failed result."""
    outcomes = Outcomes(by_id=tests) if tests else None
    return CheckResult(
        check=CHECK, state=CheckState.FAILED, status=1, output=output, tests=outcomes
    )


REFUSED = "connect ECONNREFUSED 127.0.0.1:5432\n"


def test_a_lack_of_the_base_commit_is_neither_failure_nor_pass() -> None:
    """It says what it is."""
    found = settled(result(REFUSED))
    assert found.state is CheckState.NOT_RUN
    assert found.reason == "it needs PostgreSQL at 127.0.0.1:5432, which checks can't reach"


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        (result(REFUSED), result(REFUSED), CheckState.NOT_RUN),
        (result("no"), result(REFUSED), CheckState.FAILED),
        (result(REFUSED), result(f"{REFUSED}broken\n"), CheckState.FAILED),
        (result(REFUSED, a="failed"), result(REFUSED, a="failed", b="passed"), CheckState.NOT_RUN),
        (result(REFUSED, a="failed"), result(REFUSED, a="failed", b="failed"), CheckState.FAILED),
    ],
)
def test_a_branch_is_excused_only_for_what_was_lacking_before(
    before: CheckResult, after: CheckResult, state: CheckState
) -> None:
    """Code can print anything; why it failed is told all the same."""
    found = settled(after, settled(before))
    assert found.state is state
    assert "it needs PostgreSQL" in found.reason


@pytest.mark.parametrize(
    ("name", "own"),
    [("shop.server", True), ("shop", True), ("late", True), ("locust", False), ("shopping", False)],
)
def test_a_module_that_the_work_was_to_bring_is_no_missing_tool(
    tmp_path: Path, name: str, own: bool
) -> None:
    """By what is there, or by what the tasks name; anything else may be installed."""
    (tmp_path / "src" / "shop").mkdir(parents=True)
    reason = f"the Python module {name} is not installed"
    assert is_own_module(reason, root=tmp_path, promised=["late.py"]) is own
