"""Where runs are kept."""

from pathlib import Path

from agent.runs.finding import find_run
from agent.runs.folder import new_run_folder


def test_runs_of_one_second_list_in_their_order(tmp_path: Path) -> None:
    """Whatever their documents are called; the latest is the one that began last."""
    made = []
    for slug in ("z", "a", "m", "b"):
        made.append(new_run_folder(tmp_path, slug).id)
        until = made[-1][:18]
        while new_run_folder(tmp_path / "clock", "x").id[:18] == until:
            pass  # the next millisecond
    assert made == sorted(made)
    assert find_run(tmp_path, "latest").id == made[-1]
