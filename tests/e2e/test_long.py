"""Long documents and long journals: what was done costs little when a run is taken up."""

import json
import time
from pathlib import Path

from agent.deliver import tell
from agent.journal import Journal, ToolUsed, read_events
from tests.support.journals import a_journal
from tests.support.long import PARTS_PRP, Writer
from tests.support.project import Project
from tests.support.provider import Provider


def test_F67_a_hundred_tasks_are_taken_up_in_their_middle(tmp_path: Path) -> None:
    """Killed at task 57: the 56 before it are neither asked for nor done nor told once more."""
    project, writer = Project(tmp_path / "project", {"PRPs/parts.md": PARTS_PRP}), Writer(57, 59)
    with Provider(writer) as provider:
        url = ("--model", "openai-chat:x", "--base-url", provider.url)
        writer.kill(project, "execute", "PRPs/parts.md", *url, "--plan", "literal")
        assert len(writer.asked) == 56
        commits = project.git("rev-list", "main..prp/parts").split()
        writer.kill(project, "resume")
    done = list(range(1, 59))
    assert writer.asked == done
    told = project.events()
    assert [e["task"] for e in told if e["type"] == "task-finished"] == done
    assert [e["task"] for e in told if e["type"] == "task-started"] == [*done, 59]
    made = project.git("rev-list", "main..prp/parts").split()
    assert (len(made), made[-len(commits) :]) == (58, commits)


def _cpu_of_opening(path: Path, count: int) -> float:
    """Return the seconds of processor that a journal of so many events costs who opens it."""
    told = a_journal("words")
    use = next(event for event in told if event["type"] == "tool-used")
    place = told.index(use)
    lines = [json.dumps(e) for e in (*told[:place], *[use] * count, *told[place + 1 :])]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    began = time.process_time()
    with Journal(path) as journal:
        story = tell(read_events(path))
        journal.record(ToolUsed(role="coder", tool="run", summary="one more", failed=False))
    assert story.ended
    last = json.loads(path.read_bytes().splitlines()[-1])
    assert last["seq"] == len(lines) + 1
    return time.process_time() - began


def test_F68_a_journal_of_100_000_events_costs_what_its_length_costs(tmp_path: Path) -> None:
    """Ten times as many events are about ten times the work, and not a hundred times."""
    few = min(_cpu_of_opening(tmp_path / "few.jsonl", 10_000) for _ in range(3))
    many = min(_cpu_of_opening(tmp_path / "many.jsonl", 100_000) for _ in range(2))
    assert many < 40 * few
