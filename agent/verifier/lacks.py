"""What a failed check lacked of the world around it: a database, a name, the network.

Checks reach neither the network nor the services of the machine. That is no failure of the code,
and no pass either.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from agent.prp import Check
from agent.verifier.checks import CheckResult
from agent.verifier.evidence import findings
from agent.verifier.expectations import CheckState
from agent.verifier.outcomes import FAILED
from agent.verifier.servers import port_of

_SERVICES: Mapping[str, str] = {
    "1433": "SQL Server",
    "3306": "MySQL",
    "5432": "PostgreSQL",
    "5672": "RabbitMQ",
    "6379": "Redis",
    "9092": "Kafka",
    "9200": "Elasticsearch",
    "11211": "memcached",
    "27017": "MongoDB",
}
_POSTGRES = re.compile(
    r"connection to server at \"(?P<host>[^\"]+)\"(?: \([^)]*\))?, port (?P<port>\d+) failed|"
    r"connection to server on socket \"(?P<socket>[^\"]+)\" failed|"
    r"^(?P<ready>\S+):(?P<asked>\d+) - no (?:response|attempt)$",
    re.MULTILINE,
)
_REFUSED = re.compile(
    r"ECONNREFUSED (?P<node>\S+):(?P<node_port>\d+)\b|"
    r"dial tcp \[?(?P<go>[\w.:-]+?)\]?:(?P<go_port>\d+): connect: connection refused|"
    r"connecting to (?P<redis>[\w.-]+):(?P<redis_port>\d+)\. |"
    r"(?P<mongo>[\w.-]+):(?P<mongo_port>\d+): \[Errno 111\]|"
    r"Can't connect to MySQL server on '(?P<mysql>[\w.-]+)(?::(?P<mysql_port>\d+))?'|"
    r"host='(?P<http>[\w.-]+)', port=(?P<http_port>\d+)\): Max retries exceeded"
)
_UNKNOWN_NAME = re.compile(
    r"(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN) |could not translate host name \"|"
    r"Could not resolve host: |dial tcp: lookup )(?P<name>[\w.-]+)"
)


def lacking(output: str, check: Check) -> str:
    """Return what a failed check asked for and what is not there; empty where nothing tells.

    Args:
        output: What it printed. It may come from the code under test, so that what is told here
            may excuse a failure only where the base commit failed for the same lack.
        check: The servers that it starts itself are there.

    """
    own = {port_of(server) for server in check.servers}
    return next((words for port, words in _told(output) if port not in own), "")


def _told(output: str) -> Iterator[tuple[str, str]]:
    for found in _POSTGRES.finditer(output):
        port = found["port"] or found["asked"] or ""
        place = found["socket"] or f"{found['host'] or found['ready']}:{port}"
        yield port, f"PostgreSQL at {place}"
    for found in _REFUSED.finditer(output):
        said = {key: value for key, value in found.groupdict().items() if value}
        host = next(value for key, value in said.items() if not key.endswith("_port"))
        port = next((value for key, value in said.items() if key.endswith("_port")), "3306")
        if port in _SERVICES:
            yield port, f"{_SERVICES[port]} at {host}:{port}"
    for found in _UNKNOWN_NAME.finditer(output):
        yield "", f"the network, for {found['name']}"


def settled(result: CheckResult, before: CheckResult | None = None) -> CheckResult:
    """Return a result that failed for a lack as not run, with what it lacked.

    Args:
        result: Of a check on the base commit, or on a branch.
        before: For a branch, the result on the base commit: a branch is excused only for what was
            lacking there already, and only where no other test fails than failed there.

    """
    words = lacking(result.output, result.check) if result.failed else ""
    if not words:
        return result
    reason = f"it needs {words}, which checks can't reach"
    is_same = before is None or (before.lacks == words and _fails_no_worse(result, before))
    state = CheckState.NOT_RUN if is_same else result.state
    return replace(result, state=state, reason=reason, lacks=words)


def _fails_no_worse(result: CheckResult, before: CheckResult) -> bool:
    """Return whether nothing else fails: by the tests' ids, or by what is printed without them."""
    now, then = _failing(result), _failing(before)
    if now or then:
        return now <= then
    return not findings(result.output) - findings(before.output)


def _failing(result: CheckResult) -> frozenset[str]:
    tests = result.tests.by_id if result.tests else {}
    return frozenset(name for name, outcome in tests.items() if outcome == FAILED)


_MODULE = re.compile(r"the Python module (?P<name>[\w.]+) is not installed")


def is_own_module(reason: str, *, root: Path, promised: Iterable[str]) -> bool:
    """Return whether the Python module that a check lacks is the project's own, so none to install.

    Args:
        reason: Why the check could not run.
        root: The checkout that it ran in.
        promised: Paths that the document's tasks name.

    """
    found = _MODULE.fullmatch(reason)
    if found is None:
        return False
    top, whole = found["name"].partition(".")[0], found["name"].replace(".", "/")
    stems = {path.removeprefix("src/").removesuffix(".py") for path in promised}
    if whole in stems or any(stem.startswith(f"{top}/") for stem in stems):
        return True
    places = (f"{folder}{top}{end}" for folder in ("", "src/") for end in ("", ".py"))
    return any((root / place).exists() for place in places)
