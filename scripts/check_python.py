"""Say in words what is missing before the set-up begins."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what older ones run into
    sys.exit(
        f"prp needs Python 3.11 or newer, this is {sys.version.split()[0]}: make PYTHON=python3.12"
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit("Python's venv module is missing: sudo apt-get install python3-venv, then again")
