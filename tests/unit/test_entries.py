"""`prp init --mcp`: one entry in files that are somebody else's."""

import json
import tomllib
from pathlib import Path

import pytest

from agent.editors.entries import PLACES, enter, take_out
from agent.editors.files import MANIFEST, State

CLAUDE, CODEX = {"claude": None}, {"codex": None}
OTHER = '{"mcpServers": {"db":{"command":"db",  "args":[1.50]}},"x":"\\u00e9"}\n'
TABLES = 'model = "o" # mine\n\n[mcp_servers.db]\ncommand = "db"'


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize(
    "before",
    [
        None,
        "",
        "{}",
        '{"a": [{"mcpServers": {}}]}',
        '{\r\n  "mcpServers": {}\r\n}\r\n',
        OTHER,
        OTHER.replace("mcpServers", "servers"),
        OTHER.replace("mcpServers", "mcp"),
        TABLES,
    ],
)
def test_what_stands_there_stays_to_the_byte(tmp_path: Path, name: str, before: str | None) -> None:
    """Entered once, found again by a second call, and taken out as if it had never been there."""
    place, tools = PLACES[name], {name: None}
    file = tmp_path / place.path
    if before is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(before.encode())
    told = place.read(before or ("" if place.is_toml else "{}"))
    (change,) = enter(tmp_path, tools)
    if told is None:
        assert change.state is State.UNREADABLE
        assert file.read_bytes() == (before or "").encode()
        return
    assert change.state is State.ENTERED
    after = place.read(file.read_text())
    assert after is not None
    assert after.pop(place.table) == {**told.get(place.table, {}), "prp": place.entry}
    assert {k: v for k, v in after.items() if k != "$schema"} == {
        k: v for k, v in told.items() if k != place.table
    }
    written = file.read_bytes()
    assert [c.state for c in enter(tmp_path, tools)] == [State.THE_SAME]
    assert file.read_bytes() == written
    assert [c.state for c in take_out(tmp_path, tools)] == [State.TAKEN_OUT]
    assert (file.read_bytes() if file.exists() else b"") == (before or "").encode()
    assert not (tmp_path / MANIFEST).exists()


@pytest.mark.parametrize("before", [None, '{"mcpServers": {}}'])
@pytest.mark.parametrize("is_first", [True, False])
def test_others_that_came_later_stay(tmp_path: Path, before: str | None, is_first: bool) -> None:
    """However they were put around ours, the file can still be read when ours is gone."""
    file = tmp_path / ".mcp.json"
    if before:
        file.write_text(before)
    enter(tmp_path, CLAUDE)
    ours, db = file.read_text(), '"db": {"command": "db"}'
    ends = "    }\n  }"
    later = ours.replace('"prp": {', f'{db},\n    "prp": {{') if is_first else None
    file.write_text(later or ours.replace(ends, f"    }},\n    {db}\n  }}"))
    assert db in file.read_text()
    assert [c.state for c in take_out(tmp_path, CLAUDE)] == [State.TAKEN_OUT]
    assert json.loads(file.read_text()) == {"mcpServers": {"db": {"command": "db"}}}


def test_what_a_person_made_of_it_is_theirs(tmp_path: Path) -> None:
    """An entry of the same name that is not ours, or no more, is neither changed nor taken out."""
    file = tmp_path / ".codex" / "config.toml"
    file.parent.mkdir()
    file.write_text('[mcp_servers.prp]\ncommand = "other"\n')
    assert [c.state for c in enter(tmp_path, CODEX)] == [State.EDITED]
    assert take_out(tmp_path, CODEX) == []
    enter(tmp_path, CLAUDE)
    mine = tmp_path / ".mcp.json"
    mine.write_text(mine.read_text().replace('"mcp"', '"mcp", "--verbose"'))
    assert [c.state for c in take_out(tmp_path, CLAUDE)] == [State.EDITED]
    assert "--verbose" in mine.read_text()
    assert tomllib.loads(file.read_text())["mcp_servers"]["prp"]["command"] == "other"


@pytest.mark.parametrize("text", ["[" * 5000, '{"mcpServers": 3}', '{"a": 1} // x', "null", '"{"'])
def test_what_cannot_be_read_is_left_alone(tmp_path: Path, text: str) -> None:
    """Whatever it is: a person is told to enter it by hand."""
    (tmp_path / ".mcp.json").write_text(text)
    assert [c.state for c in enter(tmp_path, CLAUDE)] == [State.UNREADABLE]
    assert (tmp_path / ".mcp.json").read_text() == text
