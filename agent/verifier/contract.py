"""The contract: what the verdict rests on, put down before any code is written."""

import fnmatch
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.prp import Check, Prp
from agent.prp.programs import scripts_of

# Files that decide what a check means: a coder who may edit them can make any check pass.
_CONFIGURATION = (
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
    "*.pyc",
    "entry_points.txt",
    "pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    ".pytest.ini",
    "tox.ini",
    "setup.cfg",
    "noxfile.py",
    "pyproject.toml",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    ".coveragerc",
    "ruff.toml",
    ".ruff.toml",
    "mypy.ini",
    ".mypy.ini",
    ".pre-commit-config.yaml",
    "package.json",
    ".npmrc",
    ".yarnrc*",
    "tsconfig*.json",
    "jest.config.*",
    "vitest.config.*",
    "vitest.workspace.*",
    "vite.config.*",
    "babel.config.*",
    ".babelrc*",
    ".swcrc",
    ".mocharc*",
    ".nycrc*",
    ".c8rc*",
    "playwright.config.*",
    ".eslintrc*",
    "eslint.config.*",
    ".prettierrc*",
    "biome.json",
    ".golangci.y*ml",
    "go.work",
    "clippy.toml",
    "phpunit.xml*",
    ".rspec",
)
_TESTS = ("test_*.py", "*_test.py", "*_test.go", "*.test.*", "*.spec.*", "*Test.java", "*_test.rs")
_TEST_FOLDERS = {"tests", "test", "__tests__", "spec"}


def _one_of(patterns: Sequence[str]) -> Callable[[str], re.Match[str] | None]:
    # One expression for all: every file of a repository is asked, several times in a run.
    return re.compile("|".join(map(fnmatch.translate, patterns))).match


_is_test_name = _one_of(_TESTS)
_is_configuration_name = _one_of(_CONFIGURATION)


_MOST_PROTECTED = 24


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Checks and files that stay as they were when the run began."""

    prp: Prp
    checks: tuple[Check, ...]
    files: Mapping[str, str]
    """Path to git's hash of each file that the verifier puts back before it checks."""
    granted: Collection[str]
    """Paths that the PRP's tasks name, so that the coder may change them."""

    @property
    def protected(self) -> tuple[str, ...]:
        """Return the files that no command of the coder can write, what decides most first.

        Each is a mount of its own, and a thousand of them take a sandbox 1.5 s to start. What
        commands change of the others is put back after each of them.
        """
        ordered = sorted(self.files, key=lambda path: (not is_configuration(path), path))
        return tuple(ordered[:_MOST_PROTECTED])

    def is_stray(self, path: str) -> bool:
        """Return whether a new file would change how checks run and no task names it."""
        helper = path.endswith("conftest.py") and _in_test_folder(path)
        return path not in self.granted and is_configuration(path) and not helper

    def is_helper(self, path: str) -> bool:
        """Return whether a new file helps tests, if nothing in it decides how they end."""
        own = path not in self.granted and path not in self.files
        return own and path.endswith("conftest.py") and _in_test_folder(path)

    def is_test(self, path: str) -> bool:
        """Return whether a file belongs to the tests."""
        return _is_test_file(path) or _in_test_folder(path)

    def forbids(self, path: str) -> str:
        """Return why the coder may not write `path`, or nothing where it may."""
        if path in self.files:
            return (
                f"{path} is frozen: the verdict rests on it and no task of the PRP names it. "
                "Reach the goal without changing it; put new tests into a new file."
            )
        if self.is_stray(path):
            return (
                f"{path} would change how checks run and no task of the PRP names it. "
                "Reach the goal without it."
            )
        return ""


def freeze(prp: Prp, *, files: Mapping[str, str], levels: Sequence[int] = ()) -> Contract:
    """Put down what the verdict will rest on.

    Args:
        prp: The document; a file that one of its tasks names is the coder's to change.
        files: Every file of the base commit, with git's hash of its content.
        levels: Only the checks of these levels; empty means all.

    """
    granted = {change.path.removeprefix("./") for task in prp.tasks for change in task.changes}
    granted |= {path.text.removeprefix("./") for path in prp.desired_files}
    wanted = [level for level in prp.levels if not levels or level.number in levels]
    checks = tuple(check for level in wanted for check in level.checks)
    every = (*checks, *prp.loose_checks)
    scripts = {script.removeprefix("./") for check in every for script in scripts_of(check.command)}
    frozen = [p for p in files if p not in granted and (decides(p) or p in scripts)]
    return Contract(
        prp=prp,
        checks=checks if levels else every,
        files={path: files[path] for path in frozen},
        granted=frozenset(granted),
    )


def decides(path: str) -> bool:
    """Return whether a file is a test, a help for tests, or configuration of what checks."""
    name = path.rsplit("/", 1)[-1]
    return _is_test_file(name) or is_configuration(path) or _in_test_folder(path)


def _is_test_file(path: str) -> bool:
    return _is_test_name(path.rsplit("/", 1)[-1]) is not None


def is_configuration(path: str) -> bool:
    """Return whether a file is configuration of what checks, and says how they come out."""
    *folders, name = path.split("/")
    # What lies in these is run instead of what is installed: `npm` looks there for any program.
    own = "node_modules" in folders or ".cargo" in folders
    return own or _is_configuration_name(name) is not None


def _in_test_folder(path: str) -> bool:
    return not _TEST_FOLDERS.isdisjoint(path.split("/")[:-1])
