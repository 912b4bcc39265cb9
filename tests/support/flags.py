"""The flags of bubblewrap one by one, and which test turns red without each."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.workspace import Confinement
from agent.workspace.history import Histories
from agent.workspace.sandbox import bubblewrap

Words = tuple[str, ...]


def flags(confinement: Confinement, config: Path) -> dict[str, Words]:
    """Return the flags of a command by names that are the same for every worktree."""
    histories = Histories(place=config.with_name("histories"))
    words = bubblewrap.bubblewrap_arguments(confinement, git_config=config, histories=histories)
    named = {_name(group, confinement, config): group for group in _grouped(words)}
    return {name: group for name, group in named.items() if _does_something(group)}


def _grouped(words: Sequence[str]) -> Iterator[Words]:
    groups = list(bubblewrap.grouped(words))
    for group, following in zip(groups, [*groups[1:], ()], strict=True):
        # A size says something of the mount that follows: only the size can go alone.
        yield (*group, following[1]) if group[0] == "--size" else group


def _does_something(group: Words) -> bool:
    return group[0] != "--ro-bind-try" or Path(group[1]).exists()


def _name(group: Words, confinement: Confinement, config: Path) -> str:
    """Return a flag and its target, the places of this run by names."""
    flag, target = group[0], group[-1]
    if flag == "--setenv":
        return f"{flag} {group[1]}"
    if flag.startswith("--") and len(group) == 1:
        return flag
    places = {
        str(confinement.tree): "TREE",
        str(confinement.reports): "REPORTS",
        confinement.environment.get("HOME", "/home/prp"): "HOME",
        **{str(tool): "TOOL" for tool in confinement.tools},
        str(Path(sys.base_prefix)): "TOOL",
        str(_own(confinement.tree).parent.parent): "GIT",
        str(_own(confinement.tree)): "OWN",
    }
    if group[1] == str(config):
        return f"{flag} CONFIG"
    for place in sorted(places, key=len, reverse=True):
        if target == place or target.startswith(f"{place}/"):
            return f"{flag} {places[place]}{target.removeprefix(place)}"
    return f"{flag} {target}"


def _own(tree: Path) -> Path:
    pointer = tree / ".git"
    if not pointer.is_file():
        return tree / "no/no/no"
    return Path(pointer.read_text().removeprefix("gitdir:").strip())


LIMITS = ("--core", "--fsize", "--nofile", "--nproc")
"""Flags of prlimit, which runs inside."""

_SANDBOX, _WALLS = "tests/attacks/test_sandbox.py", "tests/attacks/test_walls.py"
_BOUNDS, _NETWORK = "tests/attacks/test_limits.py", "tests/attacks/test_network.py"
_GUARDS = {
    "--unshare-": f"{_WALLS}::test_S14_every_namespace_is_its_own",
    "--hostname": f"{_WALLS}::test_S14_every_namespace_is_its_own",
    "--disable-userns": f"{_SANDBOX}::TestPrivileges::test_S25_no_further_namespaces",
    "--die-with-parent": f"{_BOUNDS}::test_S39_nothing_survives_a_kill",
    "--new-session": f"{_WALLS}::test_S41_the_session_is_its_own",
    "--cap-drop": f"{_SANDBOX}::TestPrivileges::test_S26_no_capabilities",
    "--clearenv": f"{_WALLS}::test_S13_no_variable_comes_from_outside",
    "--setenv": f"{_WALLS}::test_S13_the_environment_is_what_was_asked_for",
    "--ro-bind TREE/.git": f"{_SANDBOX}::TestWriting::test_S17_the_git_pointer_stays",
    "--ro-bind-try TREE/.git": f"{_SANDBOX}::TestWriting::test_S17_the_git_pointer_stays",
    "--bind TREE/tests": f"{_SANDBOX}::TestWriting::test_S43_a_protected_file_stays",
    "--ro-bind TREE/tests/test_a": f"{_SANDBOX}::TestWriting::test_S43_a_protected_file_stays",
    "--ro-bind TREE/packages": f"{_WALLS}::test_installed_packages_are_shown_and_stay",
    "--bind TREE": f"{_SANDBOX}::TestWriting::test_S19_git_can_look",
    "--bind REPORTS": f"{_WALLS}::test_reports_can_be_written",
    "--ro-bind TOOL": f"{_WALLS}::test_S46_what_tests_and_install_scripts_run_sees_nothing",
    **dict.fromkeys(
        ("--ro-bind GIT", "--ro-bind-try GIT", "--ro-bind OWN", "--ro-bind CONFIG", "--dir GIT"),
        f"{_WALLS}::test_S19_git_shows_what_it_should",
    ),
    "--ro-bind OWN/config.worktree": f"{_SANDBOX}::TestReading::"
    "test_S20_nor_is_what_git_copied_into_the_worktrees_own_configuration",
    "--tmpfs GIT": f"{_WALLS}::test_S19_git_shows_what_it_should",
    "--remount-ro GIT": f"{_WALLS}::test_S18_hooks_are_hidden_and_cannot_be_written",
    "--ro-bind /run/prp-proxy": f"{_NETWORK}::TestAllowed::test_S48_curl_finds_the_proxy_by_itself",
    "--remount-ro": f"{_SANDBOX}::TestWriting::test_S16_the_system_is_read_only",
    "--size": f"{_BOUNDS}::test_S31_private_folders_have_a_size",
    "--tmpfs": f"{_BOUNDS}::test_S31_private_folders_have_a_size",
    "--dir /var/tmp": f"{_BOUNDS}::test_S31_private_folders_have_a_size",
    "--proc": f"{_SANDBOX}::TestReading::test_S14_other_processes_are_invisible",
    "--dev": f"{_SANDBOX}::TestNetwork::test_S01_tcp_to_outside_is_refused",
    "--chdir": f"{_WALLS}::test_a_command_begins_in_the_worktree",
    **dict.fromkeys(LIMITS, f"{_WALLS}::test_S32_limits_hold_inside"),
    "--ro-bind /": f"{_WALLS}::test_the_system_is_there",
    "--ro-bind-try /": f"{_WALLS}::test_the_system_is_there",
    "--symlink /": f"{_WALLS}::test_the_system_is_there",
}


def guard_of(flag: str) -> str | None:
    """Return the test that turns red without a flag; None where nobody has named one."""
    fitting = [start for start in _GUARDS if flag.startswith(start)]
    return _GUARDS[max(fitting, key=len)] if fitting else None


def guarding_tests() -> frozenset[str]:
    """Return all tests that turn red without one flag or another."""
    return frozenset(_GUARDS.values())


_taken: list[str] = [""]


def taken_away() -> str:
    """Return the flag that is gone, for other processes of a test."""
    return _taken[-1]


@contextmanager
def without(flag: str) -> Iterator[None]:
    """Take one flag away from every command that is started meanwhile."""
    build, limits = bubblewrap.bubblewrap_arguments, bubblewrap._LIMITS

    def fewer(confinement: Confinement, *, git_config: Path, histories: Histories) -> list[str]:
        words = build(confinement, git_config=git_config, histories=histories)
        kept: list[str] = []
        for group in _grouped(words):
            if _name(group, confinement, git_config) != flag:
                kept += group[:2] if group[0] == "--size" else group
        return kept

    bubblewrap.bubblewrap_arguments = fewer
    bubblewrap._LIMITS = tuple(w for w in limits if w.split("=")[0] != flag)  # type: ignore[assignment]
    _taken.append(flag)
    try:
        yield
    finally:
        _taken.pop()
        bubblewrap.bubblewrap_arguments, bubblewrap._LIMITS = build, limits


class _Without:
    """A plugin of pytest that takes a flag away while a test runs."""

    def __init__(self, flag: str) -> None:
        self._flag = flag

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        with without(self._flag):
            return (yield)


def turns_red(flag: str, test: str) -> bool:
    """Return whether a test fails without a flag."""
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
        status = pytest.main([test, "-x"], plugins=[_Without(flag)])
    if status not in (0, 1):
        raise AssertionError(f"{test} could not be run: {said.getvalue()}")
    return status == 1


def binds_only_as_root(flag: str) -> bool:
    """Return whether a flag changes nothing for anybody but root."""
    return flag.startswith("--cap-drop") and os.geteuid() != 0
