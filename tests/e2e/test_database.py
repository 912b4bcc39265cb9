"""Steps of runs in a real PostgreSQL, as a fleet has them."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.lives import (
    FILES,
    Coder,
    Undisturbed,
    call_killed,
    messages_of,
    options,
    told,
    tree_of,
)
from tests.support.postgres import a_database
from tests.support.project import Project
from tests.support.provider import Provider
from tests.support.toolchains import needs

pytestmark = needs("postgres")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with a_database() as (port, _):
        yield f"postgresql://shop@127.0.0.1:{port}/prp"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project", FILES)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(Coder()) as server:
        yield server


def rows(url: str) -> int:
    """Return how many rows the runs have left."""
    with psycopg.connect(url) as database:
        counted = database.execute(
            "SELECT (SELECT count(*) FROM dbos.workflow_status) + (SELECT count(*) FROM "
            "dbos.operation_outputs) + (SELECT count(*) FROM dbos.queues)"
        ).fetchone()
    assert counted
    return int(counted[0])


def test_F01_on_postgres_a_run_killed_at_events_comes_to_the_same(
    project: Project, provider: Provider, url: str, tmp_path: Path
) -> None:
    """Killed after each fourth event; in the end the server holds nothing of it."""
    expected = Undisturbed(tmp_path)
    place = {"PRP_DATABASE_URL": url}
    execute = ("execute", "PRPs/greet.md", *options(provider))
    kills = 0
    status = call_killed(project, "4", *execute, **place)
    while status == -9:
        kills += 1
        assert kills < expected.events, "it does not come nearer to its end"
        status = call_killed(project, "4", "resume", "-q", **place)
    assert (status, kills > 3) == (0, True)
    assert (tree_of(project), messages_of(project)) == (expected.tree, expected.messages)
    assert len(provider.requests) == expected.asked
    assert told(project) == expected.told
    assert not (project.runs[-1] / "steps.sqlite").exists()
    assert rows(url) == 0


def test_a_run_on_a_server_needs_that_server(
    project: Project, provider: Provider, url: str
) -> None:
    """Without its address the run is refused; with it, it goes on."""
    execute = ("execute", "PRPs/greet.md", *options(provider))
    assert call_killed(project, "12", *execute, PRP_DATABASE_URL=url) == -9
    refused = project.prp("resume", "-q")
    assert (refused.status, "PRP_DATABASE_URL" in refused.err) == (4, True)
    assert project.prp("resume", "-q", PRP_DATABASE_URL=url).status == 0


@pytest.mark.parametrize("address", ["postgresql://shop@127.0.0.1:9/prp", "mysql://x", "nonsense"])
def test_a_server_that_is_not_there_is_said_at_once(
    project: Project, provider: Provider, address: str
) -> None:
    """Nothing is left behind, and no password is shown."""
    address = address.replace("shop@", "shop:hunter22x@")
    ran = project.prp("execute", "PRPs/greet.md", *options(provider), PRP_DATABASE_URL=address)
    assert ran.status in (4, 5)
    assert "PRP_DATABASE_URL" in ran.err
    assert "hunter22x" not in ran.err + ran.out
    assert (project.runs, provider.requests) == ([], [])
