"""Outcome to report: what a person and a machine get of a run."""

from agent.deliver.html import html
from agent.deliver.learnt import as_patch, lessons
from agent.deliver.machine import as_json, junit, sarif
from agent.deliver.report import markdown, summary
from agent.deliver.story import Story, tell
from agent.deliver.timeline import steps_of

__all__ = [
    "Story",
    "as_json",
    "as_patch",
    "html",
    "junit",
    "lessons",
    "markdown",
    "sarif",
    "steps_of",
    "summary",
    "tell",
]
