"""Loads what a run needs, for a process that runs are copied from; see `warm.py`."""

import signal

# The copies set these as they need them. This one must outlive those that a signal to all of a
# worker's processes makes save themselves: it is asked what became of them.
for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, signal.SIG_IGN)

import agent.runs.loaded  # noqa: E402, F401 - seconds of it, in which signals come
