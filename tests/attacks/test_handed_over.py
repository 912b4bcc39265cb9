"""Changes that must not be pushed, whoever says that they are fine."""

from pathlib import Path

import pytest

from agent.github.papers import Screened
from agent.github.screening import LARGEST_CHANGE, MOST_FILES, screen
from tests.support.handed import OUT, Handed
from tests.support.scripts import GOOD, GREET_PRP

TOKEN = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3gH5"


@pytest.fixture
def handed(tmp_path: Path) -> Handed:
    """Nothing yet."""
    return Handed(tmp_path)


def blocked(handed: Handed) -> str:
    """Return why a change may not be pushed."""
    screened: Screened = screen(handed.job)
    return "\n".join(screened.blocked)


def test_work_passes(handed: Handed) -> None:
    """What the PRP names, tests beside it, and other files that are only told of."""
    files = {"greet.py": GOOD, "tests/test_greet.py": "def test(): ...\n", "notes.md": "x\n"}
    handed.hand_over(handed.commit(files))
    screened = screen(handed.job)
    assert screened.blocked == ()
    assert screened.notes == ("notes.md: outside of the blueprint",)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".github/workflows/x.yml", "hidden folder"),
        (".github/CODEOWNERS", "hidden folder"),
        (".vscode/tasks.json", "hidden folder"),
        ("src/.husky/pre-commit", "hidden folder"),
        (".envrc", "hidden file"),
        (".gitattributes", "hidden file"),
        ("CODEOWNERS", "no task names it"),
        ("docs/CODEOWNERS", "no task names it"),
        ("package.json", "no task names it"),
        ("web/package-lock.json", "no task names it"),
        ("requirements-dev.txt", "no task names it"),
        ("pyproject.toml", "no task names it"),
        ("prp.toml", "no task names it"),
        ("AGENTS.md", "no task names it"),
        ("PRPs/greet.md", "the PRP itself"),
        ("a\\b.py", "no name for a file"),
        ("a\x1b[2J.py", "no name for a file"),
        ("a\nb.py", "no name for a file"),
    ],
)
def test_a04_paths_that_no_run_may_change(handed: Handed, path: str, why: str) -> None:
    """Also where a later commit takes the file away again."""
    handed.commit({path: "x\n"})
    handed.git("rm", "-q", "--", path)
    handed.hand_over(handed.commit({"greet.py": GOOD}))
    assert why in blocked(handed)


def test_a04_what_a_task_names_may_change(handed: Handed) -> None:
    """A manifest, not a hidden folder."""
    prp = GREET_PRP.replace(
        "  CREATE greet.py:",
        "  CREATE .github/x.yml:\n  CREATE pyproject.toml:\n  CREATE greet.py:",
    )
    handed.hand_over(handed.commit({"pyproject.toml": "[x]\n", "greet.py": GOOD}), prp=prp)
    assert blocked(handed) == ""
    handed.hand_over(handed.commit({".github/x.yml": "x\n"}), prp=prp)
    assert "hidden folder" in blocked(handed)


def test_a04_protected_paths_of_the_repository(handed: Handed) -> None:
    """Globs that the workflow names."""
    handed.variables["PRP_GH_PROTECTED_PATHS"] = "billing/* *.sql"
    handed.hand_over(handed.commit({"billing/a/b.py": "x\n", "x.sql": "x\n"}))
    assert blocked(handed).count("protected-paths") == 2


@pytest.mark.parametrize(
    ("mode", "kind", "path", "why"),
    [
        ("120000", "blob", "link", "a link or a repository inside"),
        ("160000", "commit", "inner", "a link or a repository inside"),
        ("100755", "blob", "tool.sh", "a new program"),
        ("100755", "blob", "run.sh", "its mode changes"),
        ("100644", "blob", ".git/hooks/pre-commit", "belongs to git"),
        ("100644", "blob", ".GIT/config", "belongs to git"),
        ("100644", "blob", "git~1/config", "belongs to git"),
        ("100644", "blob", "../outside", "no name for a file"),
    ],
)
def test_a04_forms_that_no_change_may_have(
    handed: Handed, mode: str, kind: str, path: str, why: str
) -> None:
    """Links, repositories inside, programs, and ways out of the folder."""
    commit = handed.commit_entry(mode, kind, path, "/etc/passwd")
    handed.hand_over(commit)
    assert why in blocked(handed)


def test_a04_size_is_bounded(handed: Handed) -> None:
    """In bytes and in files."""
    handed.hand_over(handed.commit({"greet.py": "x" * (LARGEST_CHANGE + 1)}))
    assert "bytes changed" in blocked(handed)
    many = {f"f{number}.py": "x\n" for number in range(MOST_FILES + 1)}
    handed.hand_over(handed.commit(many))
    assert "files changed" in blocked(handed)


@pytest.mark.parametrize("place", ["file", "message", "gone"])
def test_a04_secrets_are_found(handed: Handed, place: str) -> None:
    """In files, in messages, and in what a later commit takes away."""
    handed.commit(
        {"a.py": f"TOKEN = '{TOKEN}'\n" if place != "message" else "x\n"},
        f"add {TOKEN}" if place == "message" else "work",
    )
    commit = handed.commit({"a.py": "x\n"} if place == "gone" else {"greet.py": GOOD})
    handed.hand_over(commit)
    assert "a GitHub token" in blocked(handed)
    assert TOKEN not in blocked(handed)


def test_what_only_looks_like_a_secret_is_for_a_person(handed: Handed) -> None:
    """It keeps the pull request a draft."""
    handed.hand_over(handed.commit({"greet.py": "password = 'kJ8sW2nQ5vB7xL3mR9tY4zC6'\n"}))
    screened = screen(handed.job)
    assert screened.blocked == ()
    assert "looks like a password" in screened.doubts[0]


def test_a_name_twice_in_one_folder(handed: Handed) -> None:
    """What is looked at and what is checked out could be two things."""
    blob = handed.git("hash-object", "-w", "--stdin", given="evil")
    entry = f"100644 blob {blob}\tREADME.md\n"
    tree = handed.git("mktree", given=handed.git("ls-tree", "HEAD") + "\n" + entry)
    commit = handed.git("commit-tree", tree, "-p", "HEAD", "-m", "work")
    handed.hand_over(commit)
    assert "a name twice" in blocked(handed)


class TestBundles:
    """Files that are no honest hand-over."""

    def test_two_refs(self, handed: Handed) -> None:
        """One could be looked at and the other pushed."""
        commit = handed.commit({"greet.py": GOOD})
        handed.hand_over(commit, refs=(OUT, "refs/heads/main"))
        assert "2 refs" in blocked(handed)

    def test_another_ref(self, handed: Handed) -> None:
        """Only the name that the request leads to."""
        handed.hand_over(handed.commit({"greet.py": GOOD}), refs=("refs/heads/x",))
        assert "something else" in blocked(handed)

    def test_another_commit(self, handed: Handed) -> None:
        """The result must say what the bundle holds."""
        first = handed.commit({"greet.py": GOOD})
        handed.hand_over(first)
        file = handed.job.artifact("result") / "branch.bundle"
        second = handed.commit({"x.py": "x\n"})
        handed.git("update-ref", OUT, second)
        handed.git("bundle", "create", "-q", str(file), OUT, f"^{handed.base}")
        assert "something else" in blocked(handed)

    def test_history_of_its_own(self, handed: Handed) -> None:
        """What does not follow from the base, commit by commit, is no work on it."""
        handed.git("checkout", "-q", "--orphan", "alone")
        handed.hand_over(handed.commit({"greet.py": GOOD}))
        assert "does not follow" in blocked(handed)

    def test_merges(self, handed: Handed) -> None:
        """A second parent could bring anything."""
        handed.git("checkout", "-q", "-b", "side")
        handed.commit({".github/x.yml": "x\n"})
        handed.git("checkout", "-q", "main")
        handed.commit({"greet.py": GOOD})
        handed.git("merge", "-q", "--no-ff", "side", "-m", "merge")
        handed.hand_over(handed.git("rev-parse", "HEAD"))
        assert "does not follow" in blocked(handed)

    @pytest.mark.parametrize("content", [b"", b"# v2 git bundle\n", b"x" * 1000])
    def test_no_bundle(self, handed: Handed, content: bytes) -> None:
        """Told, and not a traceback."""
        handed.hand_over(handed.commit({"greet.py": GOOD}))
        (handed.job.artifact("result") / "branch.bundle").write_bytes(content)
        assert "branch.bundle" in blocked(handed)

    def test_a_link_in_place_of_a_file(self, handed: Handed) -> None:
        """Artifacts hold files."""
        handed.hand_over(handed.commit({"greet.py": GOOD}))
        file = handed.job.artifact("result") / "branch.bundle"
        file.rename(handed.folder / "elsewhere")
        file.symlink_to(handed.folder / "elsewhere")
        assert "There is no branch.bundle" in blocked(handed)

    def test_a_result_for_another_request(self, handed: Handed) -> None:
        """A paper of another run does not count."""
        handed.hand_over(handed.commit({"greet.py": GOOD}))
        file = handed.job.artifact("result") / "result.json"
        file.write_text(file.read_text().replace("d" * 64, "e" * 64))
        assert "another request" in blocked(handed)
