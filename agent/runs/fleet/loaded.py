"""Loads what a run needs, for a process that runs are copied from; see `warm.py`."""

import gc
import signal
from importlib import import_module

from agent.llm.loading import load_all
from agent.workspace.repository import load_gitpython

# The copies set these as they need them. This one must outlive those that a signal to all of a
# worker's processes makes save themselves: it is asked what became of them.
for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, signal.SIG_IGN)

for _name in (
    "agent.cli.app",
    "agent.cli.asking",
    "agent.cli.telling",
    "agent.runs.start",
    "agent.runs.engine",
    "agent.runs.life",
    "agent.workspace.map.ranking",
):
    import_module(_name)
load_gitpython()
load_all()
# What is loaded stays, so that copies share its pages: nobody looks for garbage among it.
gc.collect()
gc.freeze()
