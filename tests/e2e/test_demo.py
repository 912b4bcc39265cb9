"""The bundled demo: everything but the model is real."""

import signal
import subprocess
import time
from pathlib import Path

from tests.support.project import PRP, Project

RECORDED_COMMITS = 6


def test_the_demo_proves_its_criteria(tmp_path: Path) -> None:
    """A check fails first, is repaired from the feedback, and the branch passes by hand."""
    # Given an empty folder and no key
    project = Project(tmp_path / "empty", {}, commit=False)
    # When the demo runs
    ran = project.prp("demo", "shop", OPENAI_API_KEY="")
    # Then every criterion holds, in the second attempt
    assert ran.status == 0, ran.err
    assert "attempt 1: L1.1 failed" in ran.err
    assert "attempt 2: L1.1 passed" in ran.err
    assert ran.out.count("proven: ") + ran.out.count("judged: ") == 11
    # And the run says nothing that the recording did not know
    assert "replay:" not in ran.err
    # And the branch's own tests pass when it is checked out by hand
    shop = Project(project.root / "shop", {}, commit=False)
    assert shop.git("log", "--oneline", "main..prp/offers").count("\n") == RECORDED_COMMITS
    shop.git("checkout", "-q", "prp/offers")
    done = subprocess.run([str(PRP.parent / "pytest"), "-q"], cwd=shop.root, check=False)
    assert done.returncode == 0


def test_a_folder_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    """Nothing is overwritten."""
    project = Project(tmp_path / "empty", {"shop/mine.txt": "mine"}, commit=False)
    ran = project.prp("demo", "shop")
    assert ran.status == 5
    assert "not empty" in ran.err
    assert (project.root / "shop" / "mine.txt").read_text() == "mine"


class TestSignals:
    """A run that is stopped keeps its work, and its worktree for being taken up."""

    def _interrupted(self, project: Project, number: signal.Signals) -> tuple[int, str]:
        process = subprocess.Popen(
            [str(PRP), "demo", "shop"],
            cwd=project.root,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "commit" in line:
                process.send_signal(number)
                break
        out, _ = process.communicate(timeout=60)
        return process.returncode, out

    def test_F29_ctrl_c_ends_with_130(self, tmp_path: Path) -> None:
        """What was committed stays on the branch."""
        project = Project(tmp_path / "empty", {}, commit=False)
        status, out = self._interrupted(project, signal.SIGINT)
        assert status == 130
        assert "interrupted" in out
        assert f"prp resume {project.runs[-1].name}" in out
        shop = Project(project.root / "shop", {}, commit=False)
        assert "Tests from the PRP" in shop.git("log", "--format=%s", "prp/offers")
        assert project.prp("cancel", project.runs[-1].name).status == 0
        assert shop.git("worktree", "list").count("\n") == 1

    def test_F31_terminated_ends_with_143(self, tmp_path: Path) -> None:
        """The report says so."""
        project = Project(tmp_path / "empty", {}, commit=False)
        began = time.monotonic()
        status, _ = self._interrupted(project, signal.SIGTERM)
        assert status == 143
        assert time.monotonic() - began < 60  # it ended by itself, not by the test's patience
        assert (project.runs[-1] / "report.md").is_file()
