"""Whether an id of a test report and a test in a file are the same test."""

import re


def is_named(test: str, path: str, name: str) -> bool:
    """Return whether an id means a test of a file.

    Args:
        test: As reports tell it: `tests.test_x.TestY::test_z[1]` from JUnit's XML,
            `src/x.test.js::suite::works`, `./price::TestX/case`, `crate::tests::works`.
        path: For instance `sub/tests/test_x.py`.
        name: For instance `TestY::test_z`; empty for any of the file.

    """
    if path.endswith(".go"):
        return _in_go(test, path, name)
    if path.endswith(".rs"):
        return bool(name) and test.endswith(f"::{name}")
    if test.startswith(f"{path}::"):
        return not name or _ends_with(test.removeprefix(path), name)
    return _in_python(test, path, name)


def _in_go(test: str, path: str, name: str) -> bool:
    """Return whether an id names a test of a file's package: reports don't tell the file."""
    folder = path.rpartition("/")[0]
    own = f"./{folder}::{name}" if folder else f".::{name}"
    return test.startswith(own) if not name else test == own or test.startswith(f"{own}/")


# `adds %i and %i`, `adds $a`, and a template's `${a}`; the second of one name has a number here.
_FILLED_IN = re.compile(r"%[sdifjop#]|\$\{[^}]*\}|\$\w[\w.]*| \(\d+\)$")


def _ends_with(test: str, name: str) -> bool:
    parts = (re.escape(part) for part in _FILLED_IN.split(name))
    return re.search(f"::{'.*'.join(parts)}$", test, re.DOTALL) is not None


def _in_python(test: str, path: str, name: str) -> bool:
    plain = re.sub(r"\[.*\]$", "", test).replace("::", ".")
    module = path.rsplit(".", 1)[0].replace("/", ".")
    if not name:
        return f".{plain}".startswith(f".{module}.") or f".{module}.".endswith(
            f".{plain.rsplit('.', 1)[0]}."
        )
    whole = f"{module}.{name.replace('::', '.')}"
    return f".{whole}".endswith(f".{plain}") or f".{plain}".endswith(f".{whole}")
