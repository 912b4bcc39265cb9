"""THE DOCUMENT: studies a repository and writes a PRP for what somebody wants."""

from agent.drafter.answer import Draft
from agent.drafter.draft import Looked, make_draft
from agent.drafter.writing import Byline, written

__all__ = ["Byline", "Draft", "Looked", "make_draft", "written"]
