"""No sandbox at all: what the person gets who typed --no-sandbox."""

from agent.workspace.sandbox.confinement import SHELL, Confinement, Launch


class Unconfined:
    """Runs commands as the person, with the environment of the sandbox but none of its walls."""

    name = "none"
    lacks = "there are no walls at all"

    def launch(self, confinement: Confinement, script: str) -> Launch:
        """Return how to start a bash script in the worktree."""
        return Launch(argv=(*SHELL, script), environment=confinement.environment)
