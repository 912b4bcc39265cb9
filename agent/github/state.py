"""What the repository remembers of an issue's runs: one ref for each, never a branch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.errors import Refused
from agent.github.papers import Account, Request, Spent, parse
from agent.workspace import Repository
from agent.workspace.git import GitFailed
from agent.workspace.remote import Remote, keep_files

_THERE = "refs/prp/state"
_HERE = "refs/prp-in/state"


@dataclass(frozen=True, kw_only=True)
class State:
    """What is known of the runs of one issue; only who can push could have written it."""

    key: str
    request: Request
    outcome: str
    """Of the last run."""
    commit: str
    """What its branch ended with; empty where it changed nothing."""
    account: Account


def bring(remote: Remote) -> None:
    """Fetch the states of all issues."""
    remote.fetch(f"+{_THERE}/*:{_HERE}/*")


def recall(repository: Repository, key: str) -> State | None:
    """Return the state of an issue that `bring` has fetched; None where there is none.

    Raises:
        Refused: What is there was written by something else.

    """
    try:
        files = {name: repository.read(f"{_HERE}/{key}", name) for name in _FILES}
    except GitFailed:
        return None
    words = files["outcome"].decode("utf-8", "replace").split("\n")
    return State(
        key=key,
        request=parse(Request, files["request.json"], name="request.json"),
        outcome=words[0],
        commit=words[1] if len(words) > 1 else "",
        account=parse(Account, files["account.json"], name="account.json"),
    )


_FILES = ("request.json", "account.json", "outcome")


def saved(repository: Repository, state: State, files: Mapping[str, bytes]) -> str:
    """Make the commit that holds a state, and return what to push.

    Args:
        repository: Holds the branch's commit.
        state: What to remember.
        files: Further files of the run, for instance its journal.

    """
    own = {
        "request.json": state.request.model_dump_json(indent=2).encode(),
        "account.json": state.account.model_dump_json(indent=2).encode(),
        "outcome": f"{state.outcome}\n{state.commit}\n".encode(),
    }
    # The work as a parent, so that the server keeps it as long as the state.
    parents = [state.commit] if state.commit else []
    made = keep_files(repository, {**files, **own}, parents=parents, message="State of a run")
    return f"+{made}:{_THERE}/{state.key}"


def with_spent(repository: Repository, key: str, spent: Spent) -> str:
    """Make the commit that adds to an account without runs, and return what to push."""
    try:
        known = parse(Account, repository.read(f"{_HERE}/{key}", "account.json"), name=key)
    except (GitFailed, Refused):
        known = Account()
    account = Account(runs=(*known.runs, spent)[-200:])
    content = account.model_dump_json(indent=2).encode()
    made = keep_files(repository, {"account.json": content}, parents=[], message="Account")
    return f"+{made}:{_THERE}/{key}"


def spent_today(repository: Repository, *, now: datetime) -> Iterator[Spent]:
    """Return the runs of all issues that ended on a day, by UTC."""
    today = now.astimezone(UTC).date().isoformat()
    listed = repository.git.text("for-each-ref", "--format=%(refname)", f"{_HERE}/")
    for ref in listed.splitlines():
        try:
            account = parse(Account, repository.read(ref, "account.json"), name=ref)
        except (GitFailed, Refused):
            continue
        yield from (spent for spent in account.runs if spent.at.startswith(today))


def dollars(runs: Iterator[Spent]) -> float:
    """Return what runs cost together; those whose price nobody knows count as nothing."""
    return sum(spent.usd or 0.0 for spent in runs)
