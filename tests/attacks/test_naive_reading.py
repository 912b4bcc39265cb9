"""What bad input does to who reads it without care: each attack of the matrix works there.

Its sibling of the same id, in `test_documents.py`, shows that nothing comes of it in `prp lint`.
"""

import json
import re
import subprocess
import tracemalloc
from pathlib import Path

import pytest
import yaml

from tests.support.documents import GOOD, after

BOMB = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    + [f"{n}: &{n} [{', '.join([f'*{m}'] * 10)}]" for m, n in zip("abcd", "bcde", strict=True)]
)


def test_I16_a_fence_in_a_fence_runs() -> None:
    """Who looks for fences with a regular expression finds the inner one."""
    nested = after("## Goal", "````markdown\n```bash\nrm -rf /\n```\n````")
    unguarded = re.findall(r"```bash\n(.*?)```", nested, re.DOTALL)
    assert "rm -rf /\n" in unguarded


def test_I20_billion_laughs_grow() -> None:
    """Five lines become half a megabyte, and each more ten times as much."""
    unguarded = yaml.safe_load(BOMB)
    assert len(json.dumps(unguarded)) > 500_000 > 1_000 * len(BOMB.splitlines())


def test_I21_brackets_end_the_reader() -> None:
    """Each level is a call."""
    unguarded = yaml.safe_load
    with pytest.raises(RecursionError):
        unguarded("[" * 3_000)


def test_I22_an_object_is_made(tmp_path: Path) -> None:
    """By whatever the tag names."""
    made = tmp_path / "made"
    tag = f"a: !!python/object/apply:os.system ['touch {made}']"
    unguarded = yaml.unsafe_load(tag)
    assert unguarded == {"a": 0}
    assert made.exists()


def test_I23_the_last_of_two_keys_wins() -> None:
    """Nobody is told of the first."""
    unguarded = yaml.safe_load("a: harmless\na: harmful")
    assert unguarded == {"a": "harmful"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../secret", id="I27 above the repository"),
        pytest.param("~/secret", id="I29 home"),
        pytest.param("link", id="I30 link"),
        pytest.param(".env", id="I32 secrets"),
    ],
)
def test_I27_I29_I30_I32_what_a_reference_names_is_read(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it lies."""
    repository = tmp_path / "repository"
    repository.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    for file in (tmp_path / "secret", repository / ".env"):
        file.write_text("planted")
    (repository / "link").symlink_to("../secret")
    unguarded = (repository / Path(path).expanduser()).read_text()
    assert unguarded == "planted"


def test_I31_a_pipe_is_waited_for(tmp_path: Path) -> None:
    """For ever: nobody writes to it."""
    unguarded = f"mkfifo {tmp_path}/pipe && cat {tmp_path}/pipe"
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["bash", "-c", unguarded], timeout=0.5, check=False)
    assert (tmp_path / "pipe").exists()


def test_I12_I34_a_file_of_50_megabytes_is_held(tmp_path: Path) -> None:
    """In memory as a whole, though its hole costs no disk."""
    with (tmp_path / "big.md").open("wb") as file:
        file.truncate(50 * 1024**2)
    tracemalloc.start()
    unguarded = (tmp_path / "big.md").read_bytes()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak >= len(unguarded) == 50 * 1024**2


def test_I35_what_a_task_names_is_written(tmp_path: Path) -> None:
    """Above the repository, or where git looks for hooks."""
    repository = tmp_path / "repository"
    (repository / ".git" / "hooks").mkdir(parents=True)
    for path in ("../x.py", ".git/hooks/x"):
        unguarded = repository / path
        unguarded.write_text("planted")
        assert unguarded.resolve().read_text() == "planted"
    assert (tmp_path / "x.py").exists()


@pytest.mark.parametrize("tail", ["|| true", "; true", "; echo $?"])
def test_I51_a_hidden_failure_is_a_pass(tail: str) -> None:
    """For who looks at the exit status alone."""
    unguarded = subprocess.run(["bash", "-c", f"false {tail}"], capture_output=True, check=False)
    assert unguarded.returncode == 0


@pytest.mark.parametrize("sign", ["\x1b[31m", "\x1b]8;;http://x\x07", "\x9b31m"])
def test_I53_what_is_read_would_drive_the_terminal(tmp_path: Path, sign: str) -> None:
    """A file holds it as it is."""
    (tmp_path / "x.md").write_text(GOOD.replace("Greet people", f"Greet{sign} people"))
    unguarded = (tmp_path / "x.md").read_text()
    assert sign in unguarded.splitlines()[0]
