"""What a document is held against: the repository and the tools around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.prp.known import KnownFiles


class Nature(StrEnum):
    """What lies at a path."""

    FILE = "file"
    LARGE = "large file"
    """A file larger than 1 MiB."""
    FOLDER = "folder"
    OUTSIDE = "link out of the repository"
    SPECIAL = "pipe, socket or device"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Facts and questions about the place of a document; the questions change nothing."""

    known: KnownFiles
    """The repository's files, those that git ignores excepted."""
    nature: Callable[[str], Nature]
    """What lies at a path below the repository's root."""
    read: Callable[[str], str]
    """A file's text; raises `ValueError` with the reason why there is none."""
    has_tool: Callable[[str], bool]
    """Whether a program is on the path that checks run with."""
    syntax_errors: Callable[[Sequence[str]], Mapping[int, str]]
    """What bash can't parse, by the command's place in the sequence."""
    folder: str = ""
    """The document's folder below the repository's root; empty at the root."""
    is_link: bool = False
    """Whether the document itself is a symbolic link."""
    is_outside: bool = False
    """Whether the document lies outside of the repository."""
