"""Test runners write down what came of each test, whatever they print.

Each is asked by the environment, so that it doesn't matter whether a command names it or a script
does, and so that the command stays what the document says.
"""

import platform
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

REPORTERS = Path(__file__).parent / "reporters"
"""What the variables name: commands need to see this folder."""

_MOST_BYTES = 32 * 1024 * 1024
_MOST_FILES = 500


def reporting(folder: Path) -> dict[str, str]:
    """Return the variables by which test runners write reports into a folder.

    pytest writes JUnit's XML; node's runner, jest and vitest are given a reporter by a module that
    every node process loads; `go test` and `cargo test` run their programs through a script; locust
    writes its tables. A command that sets such a variable itself gets no report: then only what it
    prints tells.
    """
    variables = {
        "PRP_REPORTS": str(folder),
        "PYTEST_ADDOPTS": shlex.join([f"--junitxml={folder}/junit.xml"]),
        "LOCUST_CSV": f"{folder}/locust",
        "NODE_OPTIONS": f'--require "{REPORTERS / "node_modules/prp/node.cjs"}"',
    }
    if not re.search(r"[\s'\"]", str(REPORTERS)):
        variables["GOFLAGS"] = f"-exec={REPORTERS / 'go.sh'}"
        for name in _cargo_targets():
            variables[f"CARGO_TARGET_{name}_RUNNER"] = str(REPORTERS / "cargo.sh")
    return variables


def _cargo_targets() -> Iterator[str]:
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())
    for system in ("unknown-linux-gnu", "unknown-linux-musl", "apple-darwin"):
        yield f"{machine}-{system}".upper().replace("-", "_")


def read_reports(folder: Path | None, tree: Path) -> Mapping[str, str]:
    """Return what was written into a folder of reports, name to text.

    Args:
        folder: Code under test could write it: only plain files count, up to 500 and 32 MiB.
        tree: The checkout; paths in it are told relative to it, so that they are the same in any.

    """
    if folder is None:
        return {}
    found: dict[str, str] = {}
    left = _MOST_BYTES
    for path in sorted(folder.iterdir())[:_MOST_FILES]:
        content = _plain(path, left)
        left -= len(content)
        text = content.decode("utf-8", "replace")
        for root in dict.fromkeys((str(tree), str(tree.resolve()))):
            text = text.replace(f"{root}/", "")
        found[path.name] = text
    return found


def _plain(path: Path, most: int) -> bytes:
    """Return a file's first bytes; nothing where it is a link, a pipe or a folder."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return b""
        # The command has ended with everything that it started, so that nothing changes here.
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        return b""
