"""A PRP for what somebody wants: the repository studied, the document written, its checks run."""

import dataclasses
import posixpath
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.coder import Hands
from agent.drafter import Byline, Draft, Looked, make_draft, written
from agent.errors import Refused
from agent.journal import Record
from agent.prp import Prp, parse_prp, slug
from agent.prp.briefing import Document, brief_wish
from agent.prp.fmt import format_prp
from agent.prp.lint import lint
from agent.prp.readiness import readiness_of
from agent.runs.baseline import Baseline
from agent.runs.beginning import masked, office_of, warn
from agent.runs.desk import Desk, Order, lay_out_draft
from agent.runs.drafted import Drafted
from agent.runs.folder import RunFolder
from agent.runs.lost import whole_or_lost
from agent.runs.office import Office
from agent.runs.opening import opened
from agent.shown import seen
from agent.verifier import Contract
from agent.workspace import clip
from agent.workspace.files import FileTaken, write_new
from agent.workspace.git import GitFailed
from agent.workspace.passing import passing_folder
from agent.workspace.surroundings import look_around

Questions = Callable[[Sequence[str]], Sequence[str]]
"""Puts questions to a person, and returns an answer for each; an empty one is none."""
FOLDER = "PRPs"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants."""

    words: str = ""
    """The person's own."""
    issue: str = ""
    """Words of others."""
    ask: Questions | None = None
    """Asks the person; None where nobody is to be asked."""


def draft_order(order: Order, wish: Wish, *, search_path: str, listen: Record) -> Drafted:
    """Write a PRP; nothing in the repository changes.

    Args:
        order: The settings. Its document is where the PRP is to be, and need not exist.
        wish: What the PRP is to ask for.
        search_path: The person's PATH.
        listen: Is told of every event.

    Raises:
        PrpError: The order can't be carried out, or the model writes no PRP that can be executed.

    """
    order = for_drafting(order, wish)
    desk = lay_out_draft(order)
    return whole_or_lost(
        "prp draft",
        listen,
        lambda told: draft_at(desk, order, wish, search_path=search_path, listen=told),
    )


def for_drafting(order: Order, wish: Wish) -> Order:
    """Return an order as it is laid out for a draft."""
    # Whoever wrote an issue could have the repository's files sent to a host that others may ask.
    closed = {"allow_hosts": ()} if wish.issue else {}
    return dataclasses.replace(order, roles=("drafter",), flags={**order.flags, **closed})


async def draft_at(
    desk: Desk, order: Order, wish: Wish, *, search_path: str, listen: Record
) -> Drafted:
    """Write a PRP for an order that was laid out.

    Raises:
        PrpError: It can't be carried out, or the model writes no PRP that can be executed.

    """
    if wish.issue and desk.sandbox.name == "none":
        raise Refused(
            "An issue's words come from others; without a sandbox nothing is run for them",
            hint="Say in your own words what you want, or leave --no-sandbox away.",
        )
    listen = masked(desk, listen)
    warn(desk, listen)
    async with _office(desk, order, listen) as office, office.meter.within_time():
        return await _Study(office, order.prp, search_path).write(wish)


@asynccontextmanager
async def _office(desk: Desk, order: Order, record: Record) -> AsyncIterator[Office]:
    with passing_folder("draft") as place:
        folder = RunFolder(id="draft", path=place)
        folder.logs.mkdir()
        async with (
            opened(desk, commit=desk.base, record=record) as equipped,
            aclosing(office_of(equipped, order, folder, record)) as office,
        ):
            yield office


class _Study:
    """One drafting of a document in one repository."""

    def __init__(self, office: Office, place: Path, search_path: str) -> None:
        self._office, self._place, self._search_path = office, place, search_path
        self._desk = office.desk
        self._files = self._desk.repository.files(self._desk.base)
        self._baseline = Baseline(office)

    async def write(self, wish: Wish) -> Drafted:
        """Let the drafter study the base commit and write."""
        desk, office = self._desk, self._office
        nothing = Contract(prp=desk.prp, checks=(), files={}, granted=())
        async with office.room(nothing, desk.base) as room:
            for _, below in room.toolchain.laid:
                # Where everything is read-only nothing can be laid on a place that is not there.
                (room.path / below).mkdir(parents=True, exist_ok=True)
            hands = Hands(
                room.path,
                sandbox=desk.sandbox,
                toolchain=room.toolchain,
                logs=office.folder.logs,
                record=office.record,
                forbids=lambda _: "",
                role="drafter",
                writable=False,
            )
            draft = await make_draft(
                model=office.model("drafter"),
                briefing=self._briefing(wish),
                environment=room.toolchain.describe(desk.sandbox, writable=False),
                files=self._files,
                tools=hands.reading,
                alone=[hands.run, *_asking(wish.ask)],
                write=self._text,
                look=self._looked,
                measure=self._baseline.tell,
                record=office.record,
                max_requests=desk.budget.max_requests_per_task,
            )
        return self._drafted(draft)

    def _briefing(self, wish: Wish) -> str:
        from agent.workspace.map import repository_map  # noqa: PLC0415 - no command needs it to start

        repository, base = self._desk.repository, self._desk.base
        documents = [
            Document(name=path, why="", content=text)
            for path, text in _own_words(self._files, lambda path: _read(self._desk, path))
        ]
        return brief_wish(
            wish.words,
            issue=seen(wish.issue) if wish.issue else "",
            documents=documents,
            repository_map=repository_map(
                repository,
                base,
                text=wish.words,
                budget_tokens=1_500,
                store=self._desk.settings.state_dir / "maps.sqlite",
            ),
        )

    def _text(self, draft: Draft) -> str:
        models = self._desk.models["drafter"]
        byline = Byline(
            day=datetime.now(UTC).strftime("%Y-%m-%d"),
            author=f"prp draft, {models}",
            files=self._files,
        )
        return format_prp(written(draft, byline))

    def _looked(self, text: str) -> Looked:
        prp = parse_prp(text, path=self._place)
        around = look_around(self._place, search_path=self._search_path, home=Path.home())
        return Looked(prp=prp, examined=lint(prp, around))

    def _drafted(self, draft: Draft) -> Drafted:
        looked = self._looked(self._text(draft))
        meter = self._office.meter.spent()
        return Drafted(
            name=self._place.name,
            prp=looked.prp,
            findings=looked.examined.findings,
            readiness=readiness_of(looked.prp, looked.examined),
            baseline=self._baseline.results,
            questions=[f"{q.question} Assumed: {q.assumed}" for q in draft.questions],
            cost_usd=None if meter.unpriced else meter.cost_usd,
        )


def _asking(ask: Questions | None) -> list[Callable[..., Any]]:
    """Return the tool that asks the person, where there is one."""
    if ask is None:
        return []
    put = ask

    async def ask_person(questions: list[str]) -> str:
        """Ask the person what neither the repository nor common sense decides.

        Args:
            questions: All that you have, each with the choices that you see.

        """
        answers = put(questions)
        pairs = zip(questions, answers, strict=True)
        return "\n".join(f"{question}\n> {answer or '(no answer)'}" for question, answer in pairs)

    ask_person.__name__ = "ask"
    return [ask_person]


# What a repository says of itself, and what builds and checks it.
_OWN_WORDS = (
    *("readme.md", "readme.rst", "readme", "agents.md", "claude.md", "contributing.md"),
    ".github/copilot-instructions.md",
    *("pyproject.toml", "setup.cfg", "tox.ini", "noxfile.py", "package.json", "go.mod"),
    *("cargo.toml", "makefile", "justfile", "composer.json", "gemfile", "pom.xml"),
)
_MOST_OF_ONE, _MOST_OF_ALL = 5_000, 24_000


def _own_words(files: Sequence[str], read: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Yield the files at the top that say what the repository is, shortened where long."""
    left = _MOST_OF_ALL
    named = {path.lower(): path for path in files}
    for name in _OWN_WORDS:
        if name in named and left > 1_000:
            text = clip(read(named[name]), limit=min(_MOST_OF_ONE, left))
            left -= len(text)
            if text.strip():
                yield named[name], text


def _read(desk: Desk, path: str) -> str:
    try:
        return desk.repository.read(desk.base, path).decode("utf-8", "replace")
    except GitFailed:
        return ""


def keep(drafted: Drafted, root: Path, *, name: str = "") -> Drafted:
    """Write a draft into the repository, as a file that was not there.

    Args:
        drafted: The draft.
        root: Top of the repository.
        name: Its path below; by default `PRPs/`, its title, and a number where that is taken.

    Raises:
        Refused: There is such a file.
        FileProblem: It can't be written.

    """
    for path in [name] if name else _free_names(drafted.prp):
        try:
            write_new(root, path, drafted.prp.text)
        except FileTaken:
            continue
        return dataclasses.replace(drafted, name=path)
    raise taken(name or FOLDER)


def taken(name: str) -> Refused:
    """Return the error for a document that is there already."""
    return Refused(
        f"{name} exists already, and is not written over", hint="Name another: --output PRPs/X.md."
    )


_LONGEST_NAME = 50


def _free_names(prp: Prp) -> Iterator[str]:
    title = Path(prp.title.text.replace("/", " ").replace(".", " "))
    whole, name = slug(title, limit=1_000), slug(title, limit=_LONGEST_NAME)
    if len(whole) > len(name) and whole[len(name)] != "-" and "-" in name:
        name = name.rpartition("-")[0]
    yield posixpath.join(FOLDER, f"{name}.md")
    yield from (posixpath.join(FOLDER, f"{name}-{number}.md") for number in range(2, 100))
