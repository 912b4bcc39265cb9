"""Where packages come from, as the tools themselves know it: nothing of that is written down here.

Each script prints host names, one a line. It runs in the sandbox without a network and away from
the repository, so that neither a manifest nor a package can name a host.
"""

import re

from agent.hosts import host_name

# pip comes with Python, as a package or as the wheel that new environments are made of.
_OF_PIP = """\
python3 - <<'END'
import glob, sys
for place in ("", "/usr/share/python-wheels"):
    if not place:
        try:
            import ensurepip
            place = ensurepip.__path__[0] + "/_bundled"
        except ImportError:
            continue
    sys.path += glob.glob(place + "/pip-*.whl")
from pip._internal.models.index import PyPI
print(PyPI.netloc, PyPI.file_storage_domain, sep="\\n")
END
"""
ASKING = {
    "pip": _OF_PIP,
    "npm": "npm config get registry",
    # Commands without a network are told that there is no proxy; asked is the one that there is.
    "go": "env -u GOPROXY go env GOPROXY GOSUMDB | tr ',| ' '\\n\\n\\n'",
    # It tells nobody; its hosts are the person's to name.
    "cargo": ":",
}
"""bash by the kind of registry."""

_HOST = re.compile(r"(?:\w+://)?(?P<host>[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+)(?::\d+)?(?:/\S*)?")
_MOST = 20


def hosts_in(said: str) -> tuple[str, ...]:
    """Return the host names that a tool printed, each once."""
    found = (_HOST.fullmatch(line.strip().lower()) for line in said.splitlines())
    names = dict.fromkeys(match["host"] for match in found if match)
    return tuple(name for name in names if host_name(name))[:_MOST]
