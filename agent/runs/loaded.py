"""Loads what a run needs, for processes that commands and runs are copied from."""

import gc
from importlib import import_module

from agent.llm.loading import load_all
from agent.workspace.repository import load_gitpython

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
