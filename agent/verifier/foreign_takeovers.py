"""Whether given tests of JavaScript still are about the code, and Go's and Rust's about theirs."""

import posixpath
import re
from collections.abc import Collection, Iterator

from agent.verifier.changes import Edited
from agent.verifier.objections import Objection, Weight

_SCRIPT = re.compile(r"\.[cm]?[jt]sx?$")
_IMPORTED = re.compile(
    r"^[ \t]*(?:import\s+(?P<names>[^'\"\n;]+?)\s+from\s*|"
    r"(?:const|let|var)\s+(?P<bound>[^=\n]+?)\s*=\s*(?:await\s+import|require)\s*\(\s*)"
    r"['\"](?P<path>[^'\"\n]+)['\"]",
    re.MULTILINE,
)
_REPLACED = re.compile(
    r"\b(?:jest|vi)\.(?:do|unstable_)?[mM]ock\w*\(\s*['\"](?P<path>\.[^'\"]*)['\"]|"
    r"\bmock\.module\(\s*['\"](?P<module>\.[^'\"]*)['\"]"
)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


def foreign_takeovers(edit: Edited, files: Collection[str]) -> Iterator[Objection]:
    """Yield what an edited file of given tests does to the code that these are about.

    Args:
        edit: A changed file of tests.
        files: All files of the branch; what moved has to be imported from elsewhere.

    """
    if edit.before is None or edit.after is None or not _SCRIPT.search(edit.path):
        return
    before, after = _imports(edit.before), _imports(edit.after)
    for name, path in before.items():
        now = after.get(name, path)
        if now != path and _is_there(path, edit.path, files):
            yield _asked(edit.path, f"`{name}` came from `{path}` and comes from `{now}` now")
    for number, line in edit.added_lines:
        if found := _REPLACED.search(line):
            path = found["path"] or found["module"]
            yield _asked(f"{edit.path}:{number}", f"it replaces `{path}` for every given test")


def _imports(text: str) -> dict[str, str]:
    """Return where each imported name of a file comes from."""
    return {
        name: found["path"]
        for found in _IMPORTED.finditer(text)
        for name in _NAME.findall(found["names"] or found["bound"])
        if name not in ("as", "type")
    }


def _is_there(path: str, importing: str, files: Collection[str]) -> bool:
    if not path.startswith("."):
        return True
    place = posixpath.normpath(posixpath.join(posixpath.dirname(importing), path))
    stem = re.sub(r"\.[cm]?[jt]sx?$", "", place)
    return any(file.startswith((f"{stem}.", f"{stem}/index.")) for file in files)


_SWAPPED = {
    "go.mod": re.compile(r"=>"),
    "Cargo.toml": re.compile(r"^\s*(?:\[patch\b|\[replace\]|(?:harness|test)\s*=\s*false)"),
}


def swapped_packages(edit: Edited) -> Iterator[Objection]:
    """Yield the lines of a manifest that put other code in the place of a package or its tests."""
    pattern = _SWAPPED.get(edit.path.rsplit("/", 1)[-1])
    for number, line in edit.added_lines if pattern else ():
        if pattern and pattern.search(line):
            what = f"`{line.strip()}` changes what tests run, or what they are run with"
            yield _asked(f"{edit.path}:{number}", what)
    if edit.path.endswith("vendor/modules.txt") and edit.before is None:
        yield _asked(edit.path, "packages of the branch's own are used instead of the published")


_GO_MAIN = re.compile(r"^func\s+TestMain\s*\(.*?^\}", re.MULTILINE | re.DOTALL)
_GO_TAG = re.compile(r"^//\s?(?:go:build|\+build)\s+(?P<tag>.+)", re.MULTILINE)


def own_main(edit: Edited) -> Iterator[Objection]:
    """Yield what a file of Go's tests does to how all tests of its package run."""
    if not edit.path.endswith("_test.go") or edit.after is None:
        return
    before = edit.before or ""
    main = _GO_MAIN.search(edit.after)
    if main and main[0] not in before:
        what = ""
        if ".Run()" not in main[0]:
            what = "`TestMain` runs none of the package's tests"
        elif re.search(r"os\.Exit\(\s*0\s*\)", main[0]):
            what = "`TestMain` ends with status 0 whatever the package's tests say"
        if what:
            yield Objection(weight=Weight.REFUSED, place=edit.path, what=what)
    for tag in _GO_TAG.finditer(edit.after):
        if tag[0] not in before:
            what = f"its tests are left out where `{tag['tag'].strip()}` does not hold"
            yield Objection(weight=Weight.NOTED, place=edit.path, what=what)


def _asked(place: str, what: str) -> Objection:
    return Objection(weight=Weight.ASKED, place=place, what=what)
