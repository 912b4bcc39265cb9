"""What packages can't do while they are installed: the host uses the folder that they fill."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.workspace import installing
from agent.workspace.installing import Installed, Installer
from agent.workspace.recipes import Recipe
from tests.support.place import Place, a_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A worktree of a fresh repository."""
    with a_place(tmp_path / "place") as place:
        yield place


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """A folder of the person's that nothing inside is shown."""
    folder = tmp_path / "person"
    (folder / "other" / "node_modules").mkdir(parents=True)
    for file in ("key", "settings", "other/node_modules/own"):
        (folder / file).write_text("planted")
    return folder


def install(place: Place, script: str, environments: Path, *, build: str = "") -> Installed:
    """Install by a script, which runs in the copy of the project."""
    installer = Installer(
        place=environments,
        repository=place.tree.repository,
        commit=place.tree.base,
        sandbox=place.sandbox,
        toolchain=place.toolchain,
        private=(),
        seconds=30,
        record=lambda _: None,
    )
    recipe = Recipe(kind="own", folder="", program="bash", shown="x", fetch=script, build=build)
    return asyncio.run(installer.install(recipe))


def left(folder: Path) -> dict[str, str]:
    """Return the person's files, and what they say."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


WRITES = {
    "a file is written over": "ln -s {person}/settings ../ready.json",
    "packages are laid elsewhere": "ln -s {person} ../laid; mkdir node_modules; touch "
    "node_modules/x",
    "packages are taken from elsewhere": "mv ../project ../away; ln -s {person}/other ../project",
}


def leave_all(_: Path) -> None:
    """Take nothing away: the guard is gone."""


@pytest.mark.parametrize("script", [pytest.param(s, id=name) for name, s in WRITES.items()])
@pytest.mark.parametrize("guarded", [True, False])
def test_S22_a_link_in_the_place_of_a_folder_is_not_written_through(
    place: Place,
    person: Path,
    tmp_path: Path,
    script: str,
    guarded: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of the person's is changed, moved or added."""
    if not guarded:
        monkeypatch.setattr(installing, "_clear_strangers", leave_all)
    before = left(person)
    install(place, script.format(person=person), tmp_path / "environments")
    assert (left(person) == before) is guarded


@pytest.mark.parametrize("name", ["venv", "go", "cargo"])
@pytest.mark.parametrize("guarded", [True, False])
def test_S10_a_link_in_the_place_of_packages_is_not_shown(
    place: Place,
    person: Path,
    tmp_path: Path,
    name: str,
    guarded: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Later commands would find behind it what it names on the host."""
    if not guarded:
        monkeypatch.setattr(installing, "_clear_strangers", leave_all)
    environments = tmp_path / "environments"
    installed = install(place, f"rm -rf ../{name}; ln -s {person} ../{name}", environments)
    place.toolchain = installed.in_front_of(place.toolchain)
    said = place.run(f"cat {environments}/*/{name}/key").output
    assert ("planted" in said) is not guarded


@pytest.mark.parametrize("guarded", [True, False])
def test_S11_a_pointer_to_a_repository_is_not_followed(
    place: Place, tmp_path: Path, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs after it would be shown the history of whichever it names."""
    if not guarded:
        monkeypatch.setattr(installing, "_clear_strangers", leave_all)
    own = place.tree.git.git_dir
    install(
        place,
        f"mkdir ../venv; echo gitdir: {own} > ../.git",
        tmp_path / "environments",
        build=f"cat {own}/gitdir > ../venv/said; true",
    )
    (said,) = tmp_path.glob("environments/*/venv/said")
    assert (said.read_text() == "") is guarded


def test_caches_that_are_no_folders_end_nothing(place: Place, tmp_path: Path) -> None:
    """Packages may bring anything under these names."""
    script = "mkdir node_modules; touch node_modules/.cache; ln -s nowhere node_modules/.vite"
    assert install(place, script, tmp_path / "environments").laid
