"""Installed packages in the sandbox: read-only, but for the caches that their tools keep inside."""

import dataclasses
from pathlib import Path

from tests.support.place import a_place


def test_tools_may_keep_a_cache_inside_of_packages(tmp_path: Path) -> None:
    """Given packages with a place for one, then it can be written, and stays empty outside."""
    packages = tmp_path / "node_modules"
    (packages / ".cache").mkdir(parents=True)
    (packages / "tool").mkdir()
    with a_place(tmp_path) as place:
        laid = ((packages, "node_modules"),)
        place.toolchain = dataclasses.replace(place.toolchain, laid=laid)
        done = place.run("mkdir node_modules/.cache/ava && touch node_modules/.cache/ava/x")
        assert done.status == 0, done.output
        refused = place.run("touch node_modules/tool/x")
        assert "Read-only file system" in refused.output
    assert list((packages / ".cache").iterdir()) == []
