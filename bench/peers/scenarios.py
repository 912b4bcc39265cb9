"""What the scripted model does, in terms no harness owns: repositories and moves.

A scenario is a git repository builder plus a list of *moves*. A move is one model
turn in neutral terms; an adapter's dialect turns it into that harness's own tool
calls. Moves:

* ``Read(path)``, ``Write(path, text)``, ``Edit(path, old, new)``, ``Run(command)``, ``Finish(text)``

``expect`` on a move is a regular expression that the result of the move before it
must show; it proves that the harness really did the work.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Read:
    path: str
    expect: str | None = None


@dataclass(frozen=True)
class Write:
    path: str
    text: str
    expect: str | None = None


@dataclass(frozen=True)
class Edit:
    path: str
    old: str
    new: str
    expect: str | None = None


@dataclass(frozen=True)
class Run:
    command: str
    expect: str | None = None


@dataclass(frozen=True)
class Finish:
    text: str = "Done: the feature is in and the tests pass."
    expect: str | None = None


Move = Read | Write | Edit | Run | Finish


@dataclass(frozen=True)
class Scenario:
    """A repository, a task text, the moves and the files the repository must hold afterwards."""

    name: str
    task: str
    build: Callable[[Path], None]
    moves: tuple[Move, ...]

    def final_files(self, repo: Path) -> dict[str, str]:
        """The content that each touched file must have after a faithful run, from the pristine repository."""
        files: dict[str, str] = {}
        for move in self.moves:
            if isinstance(move, Write):
                files[move.path] = move.text
            elif isinstance(move, Edit):
                text = files.get(move.path) or (repo / move.path).read_text()
                if text.count(move.old) != 1:
                    raise ValueError(f"{self.name}: edit of {move.path} is ambiguous")
                files[move.path] = text.replace(move.old, move.new)
        return files


def git(repo: Path, *args: str) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(repo),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "bench",
        "GIT_AUTHOR_EMAIL": "bench@example.invalid",
        "GIT_COMMITTER_NAME": "bench",
        "GIT_COMMITTER_EMAIL": "bench@example.invalid",
    }
    subprocess.run(["git", *args], cwd=repo, env=env, check=True, capture_output=True)


def commit_all(repo: Path) -> None:
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "start")


# --------------------------------------------------------------------------- A: a small feature

SLUG = '''"""Slugs for titles."""

import re


def slugify(title):
    """Turn a title into a slug."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    return "-".join(words)
'''

SLUG_TEST = """from textkit.slug import slugify


def test_plain():
    assert slugify("Hello World") == "hello-world"


def test_stopwords_go():
    assert slugify("The Art of the Deal") == "art-deal"


def test_only_stopwords_stay():
    assert slugify("The Of") == "the-of"
"""

STOPWORDS = '''"""Words that carry no meaning in a slug."""

STOPWORDS = frozenset({"a", "an", "and", "of", "the"})


def drop(words):
    """Return the words that are no stop words."""
    return [word for word in words if word not in STOPWORDS]
'''


def build_small(repo: Path) -> None:
    """A package with one module and one test file that fails."""
    (repo / "textkit").mkdir(parents=True)
    (repo / "tests").mkdir()
    (repo / "textkit" / "__init__.py").write_text('"""Text helpers."""\n')
    (repo / "textkit" / "slug.py").write_text(SLUG)
    (repo / "tests" / "test_slug.py").write_text(SLUG_TEST)
    (repo / "README.md").write_text(
        "# textkit\n\nText helpers. Run the tests with `python -m pytest -q`.\n"
    )
    (repo / "pyproject.toml").write_text('[project]\nname = "textkit"\nversion = "0.1.0"\n')
    (repo / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n.aider*\n")
    commit_all(repo)


TEST = "python -m pytest -q"

SMALL = Scenario(
    name="A",
    task=(
        "slugify() in textkit/slug.py must drop the stop words a, an, and, of, the, unless nothing would be left. "
        "Put the list in a new module textkit/stopwords.py. Run `python -m pytest -q` until it passes."
    ),
    build=build_small,
    moves=(
        Read("textkit/slug.py"),
        Read("tests/test_slug.py", expect="def slugify"),
        Write("textkit/stopwords.py", STOPWORDS, expect="test_stopwords_go"),
        Edit(
            "textkit/slug.py",
            old='    return "-".join(words)\n',
            new='    from textkit.stopwords import drop\n\n    return "-".join(drop(words))\n',
        ),
        Run(TEST),
        Edit(
            "textkit/slug.py",
            old='    return "-".join(drop(words))\n',
            new='    return "-".join(drop(words) or words)\n',
            expect="1 failed",
        ),
        Run(TEST),
        Finish(expect="3 passed"),
    ),
)


# --------------------------------------------------------------------------- B: long, in a large repository

PACKAGES, MODULES = 20, 50  # 20 packages x 50 modules + as many tests: 2,000 files and a few more


def module_text(p: int, m: int) -> str:
    lines = [f'"""Module {m} of package {p}."""', "", f"FACTOR = {m + 1}", ""]
    for k in range(12):
        lines += [
            "",
            f"def scale_{k}(value):",
            f'    """Scale a value by the factor, then add {k}."""',
            f"    return value * FACTOR + {k}",
            "",
        ]
    return "\n".join(lines)


def build_large(repo: Path) -> None:
    """About 2,000 Python files in 20 packages, each module with a test of its own."""
    for p in range(PACKAGES):
        package, tests = repo / "src" / f"pkg_{p:02d}", repo / "tests" / f"pkg_{p:02d}"
        package.mkdir(parents=True)
        tests.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        for m in range(MODULES):
            (package / f"mod_{m:02d}.py").write_text(module_text(p, m))
            (tests / f"test_p{p:02d}_mod_{m:02d}.py").write_text(
                f"from pkg_{p:02d}.mod_{m:02d} import scale_0\n\n\n"
                f"def test_scale():\n    assert scale_0(2) in ({2 * (m + 1)}, {2 * (m + 1) + 100})\n"
            )
    (repo / "pyproject.toml").write_text(
        '[project]\nname = "large"\nversion = "0.1.0"\n\n[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    )
    (repo / "README.md").write_text("# large\n\nMany modules.\n")
    (repo / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n.aider*\n")
    commit_all(repo)


def long_moves(cycles: int) -> tuple[Move, ...]:
    """`cycles` rounds of read, edit, test on different modules, then the end."""
    moves: list[Move] = []
    passed: str | None = None
    for c in range(cycles):
        p, m = c % PACKAGES, (c * 7) % MODULES
        path = f"src/pkg_{p:02d}/mod_{m:02d}.py"
        moves.append(Read(path, expect=passed))
        moves.append(
            Edit(
                path,
                old='    """Scale a value by the factor, then add 0."""\n    return value * FACTOR + 0\n',
                new='    """Scale a value by the factor, then add 100."""\n    return value * FACTOR + 100\n',
                expect=f"FACTOR = {m + 1}",
            )
        )
        moves.append(Run(f"python -m pytest -q tests/pkg_{p:02d}/test_p{p:02d}_mod_{m:02d}.py"))
        passed = "1 passed"
    moves.append(Finish(expect=passed))
    return tuple(moves)


LONG = Scenario(
    name="B",
    task="In the modules I name one by one, make scale_0 add 100 and run that module's test after each change.",
    build=build_large,
    moves=long_moves(13),
)


# --------------------------------------------------------------------------- N: no-op turns
# The commands differ because some harnesses stop a model that repeats itself (gemini-cli at 5 equal calls,
# OpenHands at 4).

NOOP = Scenario(
    name="N",
    task="Run `true` a few times, then stop.",
    build=build_small,
    moves=(*(Run(f"true {n}") for n in range(12)), Finish()),
)

# C is A eight times at once; the runner does the fan-out.
SCENARIOS = {"A": SMALL, "B": LONG, "C": SMALL, "N": NOOP}
