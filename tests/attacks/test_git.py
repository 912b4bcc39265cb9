"""What a worktree can't make git do on the host. Ids as in docs/attacks.md."""

import dataclasses
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import git as gitpython
import pytest

from agent.errors import EnvironmentProblem, PrpError, Refused
from agent.workspace import Repository, open_worktree
from agent.workspace.git import GitFailed, git_version
from agent.workspace.locks import release
from agent.workspace.trusted import trusted_program
from tests.support.place import Place, a_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree of a fresh repository."""
    with a_place(tmp_path) as place:
        yield place


@pytest.fixture
def evil(tmp_path: Path) -> tuple[Path, Path]:
    """A program that leaves a mark, and the mark."""
    mark, program = tmp_path / "executed", tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, mark


def commit_everything(place: Place) -> None:
    """Do what the host does after a task."""
    (place.tree.path / "new.txt").write_text("new\n")
    place.tree.commit("A task")
    place.tree.changed()
    place.tree.diff()


def plain_git(place: Place, *arguments: str) -> str:
    """Do the same with plain git, to see that the attack works at all; return what it prints."""
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments],
        cwd=place.tree.path,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_G01_a_replaced_git_folder_runs_nothing(place: Place, evil: tuple[Path, Path]) -> None:
    """An attacker's repository in place of the pointer file, with fsmonitor."""
    program, mark = evil
    (place.tree.path / ".git").unlink()
    subprocess.run(["git", "init", "-q"], cwd=place.tree.path, check=True)
    config = place.tree.path / ".git" / "config"
    config.write_text(config.read_text() + f"[core]\n\tfsmonitor = {program}\n")
    plain_git(place, "status")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G02_a_filter_of_the_repository_runs_nothing(place: Place, evil: tuple[Path, Path]) -> None:
    """A clean filter that attributes in the worktree switch on."""
    program, mark = evil
    place.project.git("config", "filter.evil.clean", str(program))
    (place.tree.path / ".gitattributes").write_text("* filter=evil\n")
    (place.tree.path / "a.txt").write_text("a\n")
    plain_git(place, "add", "a.txt")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G03_textconv_runs_nothing(place: Place, evil: tuple[Path, Path]) -> None:
    """A diff driver that attributes in the worktree switch on."""
    program, mark = evil
    place.project.git("config", "diff.evil.textconv", str(program))
    (place.tree.path / ".gitattributes").write_text("* diff=evil\n")
    (place.tree.path / "README").write_text("changed\n")
    plain_git(place, "diff")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G06_a_nested_repository_is_not_committed(place: Place) -> None:
    """Neither as a link nor with its files."""
    nested = place.tree.path / "nested"
    nested.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=nested, check=True)
    (nested / "a").write_text("a")
    who = ("-c", "user.name=t", "-c", "user.email=t@t")
    subprocess.run(
        ["git", *who, "commit", "-q", "--allow-empty", "-m", "x"], cwd=nested, check=True
    )
    plain_git(place, "add", "nested")
    assert b"160000" in place.tree.git("ls-files", "--stage")
    plain_git(place, "reset", "-q")
    commit_everything(place)
    listed = place.project.git("ls-tree", "-r", "prp/x")
    assert "160000" not in listed
    assert "nested" not in listed


@pytest.mark.parametrize(
    "hook", ["pre-commit", "post-index-change", "post-commit", "reference-transaction"]
)
def test_G07_hooks_of_the_repository_do_not_run(
    place: Place, evil: tuple[Path, Path], hook: str
) -> None:
    """Whatever core.hooksPath says."""
    program, mark = evil
    folder = place.tree.path / ".husky"
    folder.mkdir()
    (folder / hook).write_text(program.read_text())
    (folder / hook).chmod(0o755)
    place.project.git("config", "core.hooksPath", str(folder))
    (place.tree.path / "b.txt").write_text("b\n")
    plain_git(place, "add", "-A")
    plain_git(place, "commit", "-q", "-m", "x")
    place.tree.at = place.tree.tip()
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G07_hooks_that_the_configuration_names_are_switched_off(
    place: Place, evil: tuple[Path, Path]
) -> None:
    """git 2.54 and newer run them beside those of any folder; older ones don't know of them."""
    program, mark = evil
    place.project.git("config", "hook.tidy.command", str(program))
    for event in ("post-index-change", "reference-transaction"):
        place.project.git("config", "--add", "hook.tidy.event", event)
    (place.tree.path / "b.txt").write_text("b\n")
    plain_git(place, "add", "-A")
    if tuple(map(int, git_version().split()[2].split(".")[:2])) >= (2, 54):
        assert mark.exists()
        mark.unlink()
    commit_everything(place)
    assert not mark.exists()
    assert place.tree.git.text("config", "hook.tidy.enabled") == "false\n"


@pytest.mark.parametrize("name", ["-evil", "a..b", "x.lock", "a b", "a~b", "\N{SNOWMAN}\n"])
def test_G10_a_hostile_branch_name_is_refused(place: Place, name: str, tmp_path: Path) -> None:
    """Names are made by us and checked all the same."""
    repository, folder = place.tree.repository, tmp_path / "second"
    with (
        pytest.raises(GitFailed),
        open_worktree(repository, folder, branch=name, base=place.tree.base),
    ):
        pass
    assert not folder.exists()


def test_G10_a_name_that_is_an_option_deletes_nothing(place: Place, tmp_path: Path) -> None:
    """Plain git takes it for one: `git branch NAME COMMIT` with `-D` and a branch."""
    place.project.git("branch", "victim")
    with (
        pytest.raises(GitFailed),
        open_worktree(place.tree.repository, tmp_path / "second", branch="-D", base="victim"),
    ):
        pass
    assert place.tree.repository.has_branch("victim")
    plain_git(place, "branch", "-D", "victim")
    assert not place.tree.repository.has_branch("victim")


@pytest.mark.parametrize("name", ["--output=x", "-n", "a\nb", ":(exclude)c", "*"])
def test_G11_a_hostile_file_name_is_only_a_name(place: Place, name: str) -> None:
    """It is committed like any other; plain git reads options, patterns, or two lines."""
    for file in (name, "other"):
        (place.tree.path / file).write_text("x\n")
    plain_git(place, "add", name)
    assert plain_git(place, "ls-files", name).splitlines() != [name]
    plain_git(place, "reset", "-q")
    assert place.tree.commit("A task") is not None
    assert name in [file.path for file in place.tree.changed()]


def test_a_link_that_leaves_the_tree_is_not_committed(place: Place) -> None:
    """One inside is."""
    (place.tree.path / "out").symlink_to("/etc/passwd")
    (place.tree.path / "in").symlink_to("README")
    commit_everything(place)
    names = [file.path for file in place.tree.changed()]
    assert "out" not in names
    assert "in" in names


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({"here": ".", "out": "here/../beside"}, id="by a link to the root"),
        pytest.param({"a/up": "..", "out": "a/up/../beside"}, id="by a link to the folder above"),
        pytest.param({"e1": "./.", "e2": "e1/..", "out": "e2/beside"}, id="by two links"),
    ],
)
def test_a_link_that_leaves_the_tree_by_way_of_another_is_not_committed(
    place: Place, links: dict[str, str]
) -> None:
    """`..` behind a name leads above what the name leads to, wherever that may be."""
    (place.tree.path.parent / "beside").write_text("planted")
    (place.tree.path / "a").mkdir()
    for name, target in links.items():
        (place.tree.path / name).symlink_to(target)
    # The attack works for whoever follows the link.
    assert (place.tree.path / "out").read_text() == "planted"
    commit_everything(place)
    place.tree.git("checkout-index", "-q", "-a", f"--prefix={place.tree.path.parent}/copy/")
    copy = place.tree.path.parent / "copy"
    assert not (copy / "out").exists()
    assert (copy / "new.txt").exists()


def test_F13_a_branch_that_moved_is_not_overwritten(place: Place) -> None:
    """Compare-and-swap refuses."""
    (place.tree.path / "a").write_text("a")
    head = place.tree.head()
    other = place.project.git("commit-tree", f"{head}^{{tree}}", "-p", head, "-m", "x").strip()
    with pytest.raises(GitFailed):
        place.tree.git("update-ref", "refs/heads/prp/x", head, other)


def test_the_environment_of_the_person_does_not_reach_git(
    place: Place, monkeypatch: pytest.MonkeyPatch, evil: tuple[Path, Path]
) -> None:
    """Variables that name programs or folders are left out."""
    program, mark = evil
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(program))
    monkeypatch.setenv("GIT_INDEX_FILE", os.devnull)
    commit_everything(place)
    assert not mark.exists()


def evil_repository(folder: Path, program: Path) -> Path:
    """Make a repository whose configuration runs a program whenever git looks at files."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    config = folder / ".git" / "config"
    config.write_text(config.read_text() + f"[core]\n\tfsmonitor = {program}\n")
    return folder / ".git"


def test_G04_a_rewritten_commondir_is_not_followed(
    place: Place, evil: tuple[Path, Path], tmp_path: Path
) -> None:
    """The worktree's own folder says where the repository is; git would believe it."""
    program, mark = evil
    other = evil_repository(tmp_path / "other", program)
    own = Path((place.tree.path / ".git").read_text().removeprefix("gitdir:").strip())
    (own / "commondir").write_text(f"{other}\n")
    plain_git(place, "status")
    assert mark.exists()
    mark.unlink()
    with pytest.raises(PrpError, match="commondir"):
        commit_everything(place)
    assert not mark.exists()


@pytest.mark.parametrize("when", ["before", "after"])
def test_G05_a_planted_config_of_the_worktree_is_refused(
    place: Place, evil: tuple[Path, Path], when: str
) -> None:
    """A filter in it would run, whether our git has looked before or not."""
    program, mark = evil
    place.project.git("config", "extensions.worktreeConfig", "true")
    if when == "after":
        commit_everything(place)
    own = Path((place.tree.path / ".git").read_text().removeprefix("gitdir:").strip())
    (own / "config.worktree").write_text(f'[filter "evil"]\n\tclean = {program}\n')
    (place.tree.path / ".gitattributes").write_text("* filter=evil\n")
    (place.tree.path / "a.txt").write_text("a\n")
    plain_git(place, "add", "a.txt")
    assert mark.exists()
    mark.unlink()
    with pytest.raises(PrpError, match=r"config\.worktree"):
        commit_everything(place)
    assert not mark.exists()


def test_a_config_of_the_worktree_that_git_made_is_no_plant(place: Place, tmp_path: Path) -> None:
    """Git copies the person's own into a new worktree."""
    place.project.git("config", "extensions.worktreeConfig", "true")
    place.project.git("config", "--worktree", "core.sparseCheckout", "false")
    repository, folder = place.tree.repository, tmp_path / "second"
    with open_worktree(repository, folder, branch="prp/y", base=place.tree.base) as tree:
        (folder / "a").write_text("a")
        assert tree.commit("A task")


def test_G08_a_hook_that_calls_a_script_of_the_worktree_does_not_run(
    place: Place, evil: tuple[Path, Path]
) -> None:
    """The person's hook is trusted, the script that it calls is not."""
    program, mark = evil
    hook = place.project.root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nsh ./check.sh\n")
    hook.chmod(0o755)
    (place.tree.path / "check.sh").write_text(program.read_text())
    plain_git(place, "add", "-A")
    plain_git(place, "commit", "-q", "-m", "x")
    place.tree.at = place.tree.tip()
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G09_a_library_for_git_does_not_commit(place: Place, evil: tuple[Path, Path]) -> None:
    """GitPython runs hooks on a commit; ours is made without it."""
    program, mark = evil
    hooks = place.tree.path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text(program.read_text())
    (hooks / "pre-commit").chmod(0o755)
    place.project.git("config", "core.hooksPath", str(hooks))
    with gitpython.Repo(place.tree.path) as unguarded:
        unguarded.index.add(["hooks/pre-commit"])
        unguarded.index.commit("x")
    assert mark.exists()
    mark.unlink()
    place.tree.at = place.tree.tip()
    commit_everything(place)
    assert not mark.exists()


def test_G12_a_trusted_filter_that_names_a_script_of_the_worktree_does_not_run(
    place: Place, evil: tuple[Path, Path]
) -> None:
    """The configuration is the person's, the script is the coder's."""
    program, mark = evil
    place.project.git("config", "filter.tidy.clean", "./tidy.sh")
    (place.tree.path / "tidy.sh").write_text(program.read_text())
    (place.tree.path / "tidy.sh").chmod(0o755)
    (place.tree.path / ".gitattributes").write_text("*.txt filter=tidy\n")
    (place.tree.path / "a.txt").write_text("a\n")
    plain_git(place, "add", "a.txt")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert not mark.exists()


def test_G12_a_trusted_program_for_signatures_does_not_run(
    place: Place, evil: tuple[Path, Path]
) -> None:
    """Where the person has `git log` show who signed."""
    _, mark = evil
    signer = place.project.root / "signer.sh"
    begin = "-----BEGIN PGP SIGNATURE-----"
    signer.write_text(f"#!/bin/sh\ntouch {mark}\necho '[GNUPG:] SIG_CREATED ' >&2\necho {begin}\n")
    signer.chmod(0o755)
    place.project.git("config", "gpg.program", "./signer.sh")
    place.project.git("config", "log.showSignature", "true")
    who = ("-c", "user.name=t", "-c", "user.email=t@t")
    place.project.write("README", "signed\n")
    place.project.git("add", "signer.sh", "README")
    place.project.git(*who, "commit", "-q", "-S", "-m", "x")
    mark.unlink()
    place.project.git("config", "gpg.program", str(signer))
    plain_git(place, "log", "main")
    assert mark.exists()
    mark.unlink()
    assert list(place.tree.repository.versions("README", most=1)) == [b"signed\n"]
    assert not mark.exists()


@pytest.mark.parametrize("key", ["include.path", "includeIf.gitdir:/.path"])
@pytest.mark.parametrize("path", ["../shared.gitconfig", "{root}/shared.gitconfig"])
def test_G13_configuration_inside_the_checkout_is_refused(
    place: Place, key: str, path: str, evil: tuple[Path, Path]
) -> None:
    """Whoever can write a tracked file would write git's configuration."""
    program, mark = evil
    root = place.project.root
    Repository.open(root)
    place.project.git("config", key, path.format(root=root))
    (root / "shared.gitconfig").write_text(f"[core]\n\tfsmonitor = {program}\n")
    plain_git(place, "status")
    assert mark.exists()
    with pytest.raises(EnvironmentProblem, match=r"shared\.gitconfig"):
        Repository.open(root)


def test_configuration_beside_the_checkout_is_the_persons_own(place: Place, tmp_path: Path) -> None:
    """An include of a file elsewhere is no reason to refuse."""
    place.project.git("config", "include.path", str(tmp_path / "mine.gitconfig"))
    assert Repository.open(place.project.root).root == place.project.root


def test_G14_files_that_configure_other_programs_are_only_files(
    place: Place, evil: tuple[Path, Path]
) -> None:
    """Submodules, large files and names of people: committed, never obeyed."""
    program, mark = evil
    place.project.git("config", "filter.lfs.process", str(program))
    place.project.git("config", "filter.lfs.required", "true")
    module = f'[submodule "x"]\n\tpath = x\n\turl = ext::{program}\n\tupdate = !{program}\n'
    for name, text in {
        ".gitmodules": module,
        ".lfsconfig": f"[lfs]\n\turl = file:///\n\tcustomtransfer.x.path = {program}\n",
        ".mailmap": "Somebody <else@example.com> <t@t>\n",
        ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        "a.bin": "a\n",
    }.items():
        (place.tree.path / name).write_text(text)
    plain_git(place, "add", "a.bin")
    assert mark.exists()
    mark.unlink()
    commit_everything(place)
    assert {".gitmodules", "a.bin"} <= {file.path for file in place.tree.changed()}
    assert not mark.exists()


def test_G15_a_lock_whose_owner_is_dead_is_taken_away(place: Place) -> None:
    """And it is told; plain git gives up."""
    lock = own_folder(place) / "index.lock"
    told: list[str] = []
    place.tree.git = dataclasses.replace(place.tree.git, notice=told.append)
    for _ in range(2):
        lock.touch()
        (place.tree.path / "a.txt").write_text("a\n")
        plain_git(place, "add", "a.txt")
        assert lock.exists()
        commit_everything(place)
        assert not lock.exists()
        (place.tree.path / "a.txt").unlink()
    assert len(told) == 2
    assert str(lock) in told[0]


def test_G15_a_lock_whose_owner_lives_is_waited_for(place: Place) -> None:
    """Until it lets go; one that never does is named."""
    lock = own_folder(place) / "index.lock"
    with lock.open("w"):
        with pytest.raises(EnvironmentProblem, match=f"held by process {os.getpid()}"):
            release(lock, print, seconds=0.3)
        assert lock.exists()
    hold = f"exec 9> {lock}; echo held; sleep 1; rm {lock}"
    with subprocess.Popen(["bash", "-c", hold], stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"held\n"
        commit_everything(place)
        assert owner.wait() == 0
    assert "new.txt" in [file.path for file in place.tree.changed()]


def own_folder(place: Place) -> Path:
    """Return the worktree's own folder in the repository."""
    assert place.tree.git.git_dir
    return place.tree.git.git_dir


def test_G16_what_runs_inside_cannot_move_a_branch(place: Place) -> None:
    """Neither the person's nor its own."""
    before = place.project.git("for-each-ref")
    who = "-c user.name=t -c user.email=t@t"
    attack = (
        f"git update-ref refs/heads/main $(git {who} commit-tree -m x HEAD^{{tree}});"
        f"git {who} commit --allow-empty -m x; git branch evil"
    )
    assert place.run(attack).status != 0
    assert place.project.git("for-each-ref") == before
    place.bare(attack)
    moved = place.project.git("for-each-ref")
    assert "refs/heads/evil" in moved
    assert not set(before.splitlines()) & set(moved.splitlines())


def test_G17_a_flood_of_files_is_not_committed(place: Place) -> None:
    """It is refused as a whole and named by its folder; ignoring it is the way out."""
    folder = place.tree.path / "cache"
    folder.mkdir()
    for number in range(20_001):
        (folder / f"{number}").touch()
    plain_git(place, "add", "cache")
    assert len(place.tree.git.names("ls-files", "-z", "cache")) == 20_001
    plain_git(place, "reset", "-q")
    with pytest.raises(Refused, match=r"20,001 .* cache/"):
        place.tree.commit("A task")
    (place.tree.path / ".gitignore").write_text("cache/\n")
    assert place.tree.commit("A task")


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", "sub/.git/HEAD", "a/.gitignore"])
def test_G17_git_waits_for_no_pipe(place: Place, name: str) -> None:
    """One in the place of a file that git reads would keep it for ever; it is taken away."""
    told: list[str] = []
    place.tree.git = dataclasses.replace(place.tree.git, notice=told.append)
    pipe = place.tree.path / name
    if pipe.parent.name == ".git":
        subprocess.run(["git", "init", "-q", pipe.parents[1]], check=True)
    assert place.run(f"mkdir -p {Path(name).parent}; rm -f {name}; mkfifo {name}").status == 0
    (pipe.parent / "a.txt").write_text("a\n")
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            ["git", "ls-files", "--others", "--modified", "--exclude-standard"],
            cwd=place.tree.path,
            timeout=1,
            check=False,
        )
    commit_everything(place)
    assert not pipe.exists()
    assert name in told[0]
    assert "new.txt" in [file.path for file in place.tree.changed()]


IGNORES = """\
import resource, subprocess, sys
from pathlib import Path
from tests.support.place import a_place
with a_place(Path(sys.argv[1])) as place:
    place.run("mkdir -p a/b; for d in a a/b; do truncate -s 150M $d/.gitignore; touch $d/x; done")
    if sys.argv[2] == "plain git":
        subprocess.run(["git", "add", "--all"], cwd=place.tree.path, check=True)
    else:
        place.tree.commit("A task")
        print(*sorted(file.path for file in place.tree.changed()))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize("how", ["plain git", "ours"])
def test_G17_git_holds_no_gigabytes_of_what_to_ignore(tmp_path: Path, how: str) -> None:
    """Holes cost no disk, and git reads the files of all folders above into memory."""
    done = subprocess.run(
        [sys.executable, "-c", IGNORES, str(tmp_path), how],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    *paths, kibibytes = done.stdout.split()
    assert (int(kibibytes) > 200_000) is (how == "plain git")
    assert paths == ([] if how == "plain git" else ["a/b/x", "a/x"])


def test_G18_nothing_is_ever_pushed(place: Place, tmp_path: Path) -> None:
    """Not even to a folder beside it."""
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    with pytest.raises(GitFailed, match="not allowed"):
        place.tree.git("push", str(remote), "HEAD:refs/heads/x")
    assert place.run(f"git push {remote} HEAD:refs/heads/x").status != 0
    assert not list((remote / "refs" / "heads").iterdir())
    plain_git(place, "push", str(remote), "HEAD:refs/heads/x")
    assert list((remote / "refs" / "heads").iterdir())


def test_attributes_that_no_file_fits_do_not_lose_the_work(place: Place) -> None:
    """A wrong encoding makes git refuse a file; it is committed as it is, and the others too."""
    (place.tree.path / ".gitattributes").write_text("*.txt working-tree-encoding=UTF-16\n")
    (place.tree.path / "a.txt").write_bytes(b"no byte order mark")
    (place.tree.path / "b.py").write_text("b = 1\n")
    commit = place.tree.commit("A task")
    assert commit
    assert place.tree.repository.read(commit, "a.txt") == b"no byte order mark"
    assert place.tree.repository.read(commit, "b.py") == b"b = 1\n"


def _planted(place: Place) -> str:
    """Plant an answer where a run could find it: on another branch, in the stash, in the reflog."""
    project, who = place.project, ("-c", "user.name=t", "-c", "user.email=t@t")
    project.git("checkout", "-q", "-b", "solved")
    project.write("answer.py", "ANSWER = 'on a branch'\n")
    project.git("add", "-A")
    project.git(*who, "commit", "-q", "-m", "Solve it")
    project.git("tag", "solved-tag")
    project.write("answer.py", "ANSWER = 'in the stash'\n")
    project.git(*who, "stash")
    project.write("answer.py", "ANSWER = 'dangling'\n")
    project.git("hash-object", "-w", "answer.py")
    project.git("checkout", "-q", "-f", "main")
    return project.git("rev-parse", "solved").strip()


@pytest.mark.parametrize(
    "command",
    [
        "git log --all --oneline; git branch -a; git tag; git stash list; git reflog --all",
        "git show {commit}:answer.py; git cat-file -p {commit}",
        "git fsck --lost-found --no-reflogs; git log --all -S ANSWER",
        "git cat-file --batch-all-objects --batch-check | while read id rest; do "
        "git cat-file -p $id; done",
        "grep -r solved {common}; cat {common}/packed-refs {common}/refs/heads/*",
    ],
)
def test_V24_an_answer_in_git_is_out_of_reach(place: Place, command: str) -> None:
    """Only the history of the base is there: no other branch, tag, stash, reflog or object."""
    commit, common = _planted(place), place.project.root / ".git"
    asked = command.format(commit=commit, common=common)
    hints = ("ANSWER =", "Solve it", "solved\n", "heads/solved")
    # Outside of the sandbox it is found
    plain = subprocess.run(
        ["bash", "-c", asked], cwd=place.tree.path, capture_output=True, text=True, check=False
    )
    assert any(hint in plain.stdout for hint in hints)
    said = place.run(asked).output.replace(asked, "")
    assert not any(hint in said for hint in hints), said


def test_V24_what_a_run_commits_is_in_its_own_history(place: Place) -> None:
    """Status, diff and log go on as in any checkout, with the tags that the base comes from."""
    place.project.git("tag", "v1.0")
    commit_everything(place)
    done = place.run("git status --porcelain && git log --oneline && git describe --tags")
    assert done.status == 0, done.output
    assert "A task" in done.output
    assert "v1.0-1-g" in done.output
    (place.tree.path / "README").write_text("changed\n")
    assert "+changed" in place.run("git diff").output
    assert place.run("git fsck --full").status == 0


def test_a_program_of_the_repository_is_not_taken_from_a_folder_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a PATH with the repository's own tools, then none is started, wherever one stands."""
    tools, below = tmp_path / "own" / "bin", tmp_path / "own" / "src" / "deep"
    elsewhere = tmp_path / "mine"
    for folder in (tools, below, elsewhere, tmp_path / "own" / ".git"):
        folder.mkdir(parents=True)
    for folder in (tools, elsewhere):
        (folder / "no-such-tool").write_text("#!/bin/sh\n")
        (folder / "no-such-tool").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{elsewhere}")
    # A shell takes the first that it finds.
    assert shutil.which("no-such-tool") == str(tools / "no-such-tool")
    for start in (tmp_path / "own", below):
        monkeypatch.chdir(start)
        assert trusted_program("no-such-tool") == str(elsewhere / "no-such-tool")
