"""Whether the words that somebody wrote may run, or a person has to look at their commands."""

from pathlib import Path
from typing import Literal

from agent.errors import DocumentError, Refused
from agent.github import progress, words
from agent.github.sources import Found
from agent.github.table import Decision, Gate
from agent.github.trigger import Act
from agent.prp import parse_prp, require_executable
from agent.prp.lint import lint
from agent.runs.approval import Request as Wanted
from agent.runs.approval import request_of
from agent.runs.desk import reaching
from agent.workspace.surroundings import at_commit

_SHORT = 12
LARGEST = 1024 * 1024
"""Bytes of a document, and characters of an issue."""


def examined(gate: Gate, found: Found, base: str) -> Wanted:
    """Return what a document would run, after the rules that every document must keep.

    Raises:
        DocumentError: It can't be executed.

    """
    if len(found.text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise DocumentError("it is larger than 1 MiB", path=Path(found.name))
    place = gate.repository.root / found.name
    prp = parse_prp(found.text, path=Path(found.name))
    around = at_commit(gate.repository, base, document=place)
    require_executable(prp, lint(prp, around).findings)
    return request_of(
        reaching(prp, gate.settings),
        document=found.name,
        sandbox="bubblewrap",
        fetches=gate.settings.fetch_urls,
        hosts=gate.settings.allow_hosts,
    )


def trust_in(
    gate: Gate, found: Found, wanted: Wanted
) -> Literal["repo", "maintainer", "approved"] | None:
    """Return why a text may run; None where a person has to look at its commands first.

    Raises:
        Refused: What was approved is something else.

    """
    trigger = gate.trigger
    if trigger.act is Act.APPROVE:
        if not trigger.digest or not wanted.digest.startswith(trigger.digest):
            raise Refused(
                f"What was approved is not what the issue asks for now: its hash is "
                f"{wanted.digest[:_SHORT]}",
                hint="Look at the issue again, and at its commands; set the label once more to "
                "have them shown.",
            )
        return "approved"
    strict = gate.job.asked("TRUST", "maintainer")
    if found.kind == "path":
        return "repo" if strict != "nobody" else None
    if strict == "maintainer" and _is_written_by_writers(gate):
        return "maintainer"
    return None


def _is_written_by_writers(gate: Gate) -> bool:
    """Return whether everybody who had a hand in the issue's words could push them as well."""
    if not gate.number:
        return False
    who = gate.github.authorship(gate.number)
    if who.author is None or (who.edited_at and who.editor is None):
        return False
    # Somebody changed the words meanwhile: who wrote those that we hold is not known.
    if who.body.replace("\r\n", "\n") != gate.trigger.body.replace("\r\n", "\n"):
        return False
    people = {who.author.login, *([who.editor.login] if who.editor else [])}
    return all(gate.github.may_write(login) for login in people)


def ask_for_approval(gate: Gate, found: Found, wanted: Wanted) -> Decision:
    """Show what would run, and wait for a person."""
    short = wanted.digest[:_SHORT]
    told = [
        "### Somebody has to look at this first\n\nNot everybody who wrote this text can push to "
        "this repository. Read what it would run, in a sandbox with network "
        f"{words.code(', '.join(wanted.hosts) or 'none')}:",
        words.fence("\n".join(wanted.lines())),
        f"If that is fine, answer with:\n\n```text\n/prp approve {short}\n```\n\n"
        "It counts for exactly this text and these commands; any change of the issue makes it void."
        f"\n\nSHA-256: `{wanted.digest}`",
        words.details("The PRP as it was read", words.fence(found.text)),
    ]
    key = str(gate.number)
    progress.show(gate.github, gate.number, key, words.within(told))
    progress.label(gate.github, gate.number, progress.WAITING)
    gate.job.summarise(words.within(told))
    gate.job.put(digest=wanted.digest)
    return Decision.WAITS
