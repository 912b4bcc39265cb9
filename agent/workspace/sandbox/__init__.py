"""Where commands run: a place that sees neither secrets nor the network."""

from agent.workspace.sandbox.bubblewrap import Bubblewrap
from agent.workspace.sandbox.confinement import Confinement, Launch, Sandbox
from agent.workspace.sandbox.find import find_sandbox
from agent.workspace.sandbox.unconfined import Unconfined

__all__ = ["Bubblewrap", "Confinement", "Launch", "Sandbox", "Unconfined", "find_sandbox"]
