"""What a run changed can be seen and taken into the checkout: whole, or not at all."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.lives import FILES, Coder, options
from tests.support.project import PRP, Project
from tests.support.provider import Provider

ATTRIBUTES = "*.bin filter=lfs\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a run that has proven its PRP on a branch."""
    project = Project(tmp_path / "project", FILES)
    with Provider(Coder()) as provider:
        ran = project.prp("execute", "PRPs/greet.md", *options(provider))
    assert ran.status == 0, ran.err
    return project


def proven(project: Project) -> str:
    """Return the commit that the run was judged on."""
    return project.git("rev-parse", "prp/greet").strip()


def content(project: Project) -> str:
    """Return what is checked out, as git knows it."""
    return project.git("rev-parse", "HEAD^{tree}")


def test_the_patch_is_what_the_branch_holds(project: Project) -> None:
    """Through a pipe git takes it; --stat names files."""
    # Given the patch of the run
    patch = subprocess.run(
        [str(PRP), "diff"],
        check=True,
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
    ).stdout
    # When it is applied by hand on the base
    subprocess.run(["git", "apply", "--index"], cwd=project.root, input=patch, check=True)
    # Then that is the branch's tree
    assert project.git("write-tree") == project.git("rev-parse", "prp/greet^{tree}")
    assert "greet.py" in project.prp("diff", "greet", "--stat").out


@pytest.mark.parametrize("how", [(), ("--squash",), ("--cherry-pick",)])
def test_what_was_proven_is_what_the_checkout_gets(project: Project, how: tuple[str, ...]) -> None:
    """Merged, squashed or commit by commit, and a second time changes nothing."""
    ran = project.prp("apply", *how, "--yes")
    assert ran.status == 0, ran.err
    assert content(project) == project.git("rev-parse", "prp/greet^{tree}")
    assert (project.root / "greet.py").is_file()
    assert project.git("status", "--porcelain") == ""
    head = project.git("rev-parse", "HEAD")
    assert "has it already" in project.prp("apply", "--yes").out
    assert project.git("rev-parse", "HEAD") == head


@pytest.mark.parametrize("commit", [True, False], ids=["commits", "no commit yet"])
def test_a_run_of_another_repository_is_not_taken_from_here(
    project: Project, tmp_path: Path, *, commit: bool
) -> None:
    """The newest run may be of another project: its checkout stays, and the error names both."""
    # Given a repository beside the project, with the same state of prp
    elsewhere = Project(tmp_path / "elsewhere", FILES, commit=commit)
    elsewhere.git("init", "-q")
    head = project.git("rev-parse", "HEAD")
    # When the newest run is to be taken from there
    ran = elsewhere.prp("apply", "--yes")
    # Then nothing moves
    assert ran.status == 4, ran.err
    assert str(project.root) in ran.err
    assert str(elsewhere.root) in ran.err
    assert project.git("rev-parse", "HEAD") == head


def test_only_the_commit_of_the_verdict_comes(project: Project) -> None:
    """What somebody put on the branch afterwards stays there."""
    judged = proven(project)
    tree = project.git("rev-parse", "main^{tree}").strip()
    later = project.git("commit-tree", tree, "-p", judged, "-m", "sneaked in").strip()
    project.git("update-ref", "refs/heads/prp/greet", later)
    ran = project.prp("apply", "--yes")
    assert "prp/greet has moved since" in ran.out
    assert project.git("rev-parse", "HEAD").strip() == judged


def test_what_is_not_committed_is_left_alone(project: Project) -> None:
    """The person is told which file it is."""
    project.write("notes.md", "mine, not committed\n")
    before = project.fingerprint()
    ran = project.prp("apply", "--yes")
    assert (ran.status, "notes.md" in ran.err) == (5, True)
    assert project.fingerprint() == before


@pytest.mark.parametrize("how", [(), ("--squash",), ("--cherry-pick",)])
def test_what_does_not_fit_leaves_the_checkout_as_it_was(
    project: Project, how: tuple[str, ...]
) -> None:
    """The clashing file is named, and nothing is in the middle of anything."""
    project.write("notes.md", "# Other\nwords\n")
    project.write("untracked.txt", "mine\n")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "mine")
    head = project.git("rev-parse", "HEAD")
    ran = project.prp("apply", *how, "--yes")
    assert (ran.status, "notes.md" in ran.err, "git " in ran.err) == (5, True, True)
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == "?? untracked.txt\n"
    assert (project.root / "notes.md").read_text() == "# Other\nwords\n"


def test_hooks_of_the_repository_do_not_run(project: Project, tmp_path: Path) -> None:
    """Neither those of the merge nor those of the checkout."""
    said = tmp_path / "said"
    for name in ("post-merge", "post-checkout", "pre-commit", "pre-merge-commit", "commit-msg"):
        hook = project.root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {said}\n")
        hook.chmod(0o755)
    assert project.prp("apply", "--squash", "--yes").status == 0
    assert not said.exists()


def test_files_that_pass_through_filters_are_left_to_git(project: Project) -> None:
    """Without the filter a checkout would get pointers in place of files."""
    project.write(".gitattributes", ATTRIBUTES)
    project.git("add", ".gitattributes")
    project.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "lfs")
    ran = project.prp("apply", "--yes")
    assert (ran.status, "git merge " in ran.err) == (5, True)


def test_nobody_to_ask_is_not_a_yes(project: Project) -> None:
    """Without a terminal --yes has to be said."""
    before = project.fingerprint()
    ran = project.prp("apply")
    assert (ran.status, "--yes" in ran.err) == (13, True)
    assert project.fingerprint() == before


def test_a_run_that_is_not_proven_comes_with_anyway_only(tmp_path: Path) -> None:
    """The outcome stands in the message."""
    project = Project(tmp_path / "project", FILES)
    with Provider(Coder()) as provider:
        few = ("--max-attempts", "1")
        ran = project.prp("execute", "PRPs/greet.md", *options(provider), *few)
    assert ran.status not in (0, 1), ran.err
    refused = project.prp("apply", "--yes")
    assert (refused.status, "--anyway" in refused.err) == (13, True)
    assert project.prp("apply", "--yes", "--anyway").status == 0


def test_the_report_is_found(project: Project) -> None:
    """Its path is printed, and where no browser is there, that is said."""
    shown = project.prp("open", "--path")
    assert Path(shown.out.strip()).name == "report.html"
    assert Path(shown.out.strip()).is_file()
    seen = str(project.root / "seen")
    browser = project.root / "xdg-open"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    path = os.pathsep.join([str(project.root), os.environ["PATH"]])
    assert project.prp("open", PATH=path).status == 0


def test_a_run_without_changes_says_so(tmp_path: Path) -> None:
    """Instead of an empty patch."""
    project = Project(tmp_path / "project", FILES)
    assert "Nothing was executed yet" in project.prp("diff").err
