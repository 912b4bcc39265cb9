"""A PRP in the template's form: what it says stays, how it is written becomes one."""

from agent.prp.fmt.write import format_prp

__all__ = ["format_prp"]
