"""A person's word before commands of a document run, bound to the text and to the commands."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.errors import NeedsApproval
from agent.prp import Check, CheckKind, Prp, ReferenceKind
from agent.prp.read import same_text
from agent.shown import printable
from agent.workspace import Repository

Ask = Callable[["Request"], bool]
"""Shows a request to a person and returns the answer."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One command of a document, and what running it would mean."""

    place: str
    """Id of its check, with `server` behind it for a server that must be up before."""
    kind: str
    command: str
    runs: bool
    """Whether it would run at all; commands that a person must judge are only shown."""
    paths: tuple[str, ...]
    """Places outside of the project that its words name."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a document would do on this machine."""

    document: str
    wishes: tuple[Wish, ...]
    urls: tuple[str, ...]
    """Pages that would be downloaded for the agents to read."""
    sandbox: str
    hosts: tuple[str, ...]
    """Hosts that its commands could reach."""
    digest: str
    """SHA-256 of the text and of everything above; a changed document needs a new word."""

    def lines(self) -> Iterable[str]:
        """Return the request for a terminal; nothing in it can drive one."""
        yield f"{printable(self.document)} asks to run:"
        yield ""
        for wish in self.wishes:
            shown = wish.command.splitlines() or [""]
            kind = wish.kind if wish.runs else f"{wish.kind}, not run"
            yield f"  {wish.place:<12} {kind:<18} {printable(shown[0])}"
            yield from (f"  {'':<12} {'':<18} {printable(line)}" for line in shown[1:])
            if wish.paths:
                yield f"  {'':<12} {'':<18} names {printable(', '.join(wish.paths))}"
        if self.urls:
            yield ""
            yield "and to download:"
            yield from (f"  {printable(url)}" for url in self.urls)
        yield ""
        net = _NETWORK.get(self.sandbox) or ", ".join(self.hosts) or "none"
        yield f"sandbox: {self.sandbox}; network: {printable(net)}"
        yield f"hash of text and commands: {self.digest[:12]}"


_NETWORK = {"none": "yours, for there is no sandbox"}


def request_of(
    prp: Prp, *, document: str, sandbox: str, fetches: bool, hosts: tuple[str, ...] = ()
) -> Request:
    """Return what a document would do.

    Args:
        prp: The document.
        document: Its path as people know it.
        sandbox: Name of the sandbox that its commands would run in.
        fetches: Whether pages that it names would be downloaded.
        hosts: Hosts that its commands could reach.

    """
    wishes = tuple(wish for check in prp.checks for wish in _wishes(check))
    urls = tuple(r.target for r in prp.references if r.kind is ReferenceKind.URL and fetches)
    parts = [prp.text, *(f"{w.place}\t{w.kind}\t{w.command}" for w in wishes), *urls, *hosts]
    whole = "\0".join(parts).encode("utf-8", "surrogatepass")
    return Request(
        document=document,
        wishes=wishes,
        urls=urls,
        sandbox=sandbox,
        hosts=hosts,
        digest=hashlib.sha256(whole).hexdigest(),
    )


def _wishes(check: Check) -> Iterable[Wish]:
    runs = check.kind in (CheckKind.RUN, CheckKind.SERVER, CheckKind.MUTATING)
    for server in check.servers:
        yield _wish(f"{check.id} server", "server", (*server.setup, server.command), runs=runs)
    yield _wish(check.id, check.kind.value, (*check.setup, check.command), runs=runs)


def _wish(place: str, kind: str, commands: Iterable[str], *, runs: bool) -> Wish:
    command = "\n".join(commands)
    found = (path.rstrip(".,:;") for path in _OUTSIDE.findall(command))
    paths = tuple(dict.fromkeys(path for path in found if path not in _HARMLESS))
    return Wish(place=place, kind=kind, command=command, runs=runs, paths=paths)


# Absolute paths, those of a home, and those that climb out of their folder.
_OUTSIDE = re.compile(r"(?<![\w/.:)-])(?:~|/|(?:\.\./)+)[\w.~+@%-]*(?:/[\w.~+@%*-]+)*")
_HARMLESS = frozenset(("/dev/null", "/", "~", "../"))


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What was allowed before; an answer counts for one repository."""

    folder: Path
    root: Path
    """Top of the repository."""

    def know(self, request: Request) -> bool:
        """Return whether exactly this was allowed."""
        return self._place(request).is_file()

    def keep(self, request: Request) -> None:
        """Remember that this was allowed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._place(request).write_text(f"{request.document}\n", encoding="utf-8")

    def _place(self, request: Request) -> Path:
        whole = f"{self.root}\0{request.digest}".encode("utf-8", "surrogatepass")
        return self.folder / hashlib.sha256(whole).hexdigest()


def require_approval(
    request: Request,
    *,
    approve: str,
    in_history: Callable[[], bool],
    answers: Answers,
    given: str,
    yes: bool,
    ask: Ask | None,
) -> str:
    """Make sure that a person allows what a document asks for.

    Args:
        request: What it asks for.
        approve: `auto` asks for documents that the history does not hold, `commands` for all,
            `none` for none.
        in_history: Tells whether the repository's history holds the document's text.
        answers: What was allowed before.
        given: Beginning of a hash that was allowed elsewhere, 12 characters at least.
        yes: Whether everything is allowed.
        ask: Asks a person; None where nobody can answer.

    Returns:
        Who allowed it, in words.

    Raises:
        NeedsApproval: Nobody did. Nothing was run.

    """
    if given:
        return _by_hash(request, given)
    if yes:
        return "allowed by --yes"
    if approve == "none":
        return "nobody was to be asked"
    if approve == "auto" and in_history():
        return "the repository's history holds the PRP"
    if not (request.urls or any(wish.runs for wish in request.wishes)):
        return "the PRP asks for none"
    if answers.know(request):
        return "allowed before, word for word"
    if ask is None:
        raise NeedsApproval(
            "\n".join([*request.lines(), "", "Nobody is here to allow that"]),
            hint=f"Commit the PRP, or pass --approved {request.digest[:_SHORTEST]} for exactly "
            "this, or --yes.",
            digest=request.digest,
        )
    if not ask(request):
        raise NeedsApproval(
            f"{request.document}: its commands were not allowed; nothing was run",
            digest=request.digest,
        )
    answers.keep(request)
    return f"allowed by a person who was asked ({request.digest[:_SHORTEST]})"


_SHORTEST = 12


def _by_hash(request: Request, given: str) -> str:
    if len(given) >= _SHORTEST and request.digest.startswith(given.lower()):
        return f"allowed by --approved {given.lower()}"
    raise NeedsApproval(
        "\n".join([*request.lines(), "", f"--approved {printable(given)} was for something else"]),
        hint=f"Pass --approved {request.digest[:_SHORTEST]} if this is what you want.",
        digest=request.digest,
    )


def is_in_history(repository: Repository, name: str, prp: Prp) -> bool:
    """Return whether a commit before the checkout's holds a document as it is now.

    Args:
        repository: Where to look; of a path with a long history the latest 50 versions.
        name: Path of the document below the repository.
        prp: The document as it was read.

    """
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return False
    return any(same_text(blob, prp.text) for blob in repository.versions(name, most=50))
