"""Looks at a change without running it: paths, modes, sizes, secrets, and what the PRP named."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from agent.errors import Refused
from agent.github.attesting import take
from agent.github.job import Job
from agent.github.papers import Request, Result, Screened, read, write
from agent.masking import Mask
from agent.prp import Prp, parse_prp
from agent.prp.lint.secret_text import find_secrets
from agent.shown import printable
from agent.workspace import Repository
from agent.workspace.remote import Entry, commits_between, entries, message_of

MOST_FILES = 100
LARGEST_CHANGE = 1024 * 1024
"""Bytes of all changed files of one commit together."""
_MOST_COMMITS = 200
_PLAIN = ("100644", "100755", "000000")
# They decide what is installed, who must review, and what runs where; a task has to name them.
_NAMED_ONLY = frozenset(
    (
        *("pyproject.toml", "setup.py", "setup.cfg", "package.json", "go.mod", "cargo.toml"),
        *("uv.lock", "poetry.lock", "pdm.lock", "pipfile", "pipfile.lock", "package-lock.json"),
        *("yarn.lock", "pnpm-lock.yaml", "bun.lockb", "bun.lock", "cargo.lock", "go.sum"),
        *("gemfile", "gemfile.lock", "composer.json", "composer.lock", "codeowners"),
        *("dockerfile", "makefile", "prp.toml", "agents.md", "claude.md", "gemini.md"),
    )
)
_REQUIREMENTS = re.compile(r"requirements[\w.-]*\.(?:txt|in|lock)")


def screen(job: Job) -> Screened:
    """Look at what was handed over, and leave what was found for the job that pushes.

    Raises:
        Refused: There is no request or no result.

    """
    request = read(Request, job.artifact("request") / "request.json")
    result = read(Result, job.artifact("result") / "result.json")
    screened = Screened()
    if result.commit:
        repository = Repository.open(job.workspace)
        screened = screened_change(job, request, result, repository)
    write(screened, job.artifact("screening") / "screening.json")
    for reason in screened.blocked:
        job.summarise(f"- blocked: {printable(reason)}")
    job.put(status="blocked" if screened.blocked else "passed")
    return screened


def screened_change(job: Job, request: Request, result: Result, repository: Repository) -> Screened:
    """Return what speaks against a change; the job that pushes looks with its own eyes too."""
    try:
        commit = take(job, request, result, repository)
        prp = parse_prp(request.prp, path=Path(request.prp_name))
        since = request.start or request.base
        commits = commits_between(repository, since, commit)
    except Refused as error:
        return Screened(blocked=(str(error),))
    if len(commits) > _MOST_COMMITS:
        return Screened(blocked=(f"{len(commits)} commits; {_MOST_COMMITS} are allowed",))
    blocked: list[str] = []
    doubts: list[str] = []
    # What one commit adds and the next takes away would be pushed all the same.
    for parent, child in zip([since, *commits[:-1]], commits, strict=True):
        found = entries(repository, parent, child)
        blocked += _forbidden(found, prp, request, job.asked("PROTECTED_PATHS").split())
        if len(set(names := repository.files(child))) != len(names):
            blocked.append(f"{child[:12]} holds a name twice")
        for words, is_certain in _secrets(repository, parent, child):
            (blocked if is_certain else doubts).append(words)
    whole = entries(repository, request.base, commit)
    return Screened(
        commit=commit,
        blocked=tuple(dict.fromkeys(blocked)),
        doubts=tuple(dict.fromkeys([*doubts, *_doubts(whole)])),
        notes=tuple(_notes(whole, prp)),
    )


def _forbidden(
    found: Sequence[Entry], prp: Prp, request: Request, globs: Sequence[str]
) -> Iterable[str]:
    """Return the files that no run may change, and the forms that no change may have."""
    if len(found) > MOST_FILES:
        yield f"{len(found)} files changed in one commit; {MOST_FILES} are allowed"
    if (size := sum(entry.size for entry in found)) > LARGEST_CHANGE:
        yield f"{size:,} bytes changed in one commit; {LARGEST_CHANGE:,} are allowed"
    named = {change.path.removeprefix("./") for task in prp.tasks for change in task.changes}
    for entry in found:
        path = printable(entry.path)
        if entry.after not in _PLAIN or entry.before not in _PLAIN:
            yield f"{path}: a link or a repository inside, or was one (mode {entry.after})"
        elif entry.status == "M" and entry.before != entry.after:
            yield f"{path}: its mode changes from {entry.before} to {entry.after}"
        elif entry.status == "A" and entry.after == "100755" and entry.path not in named:
            yield f"{path}: a new program that no task names"
        if why := _protected(entry.path, named, request, globs):
            yield f"{path}: {why}"


def _protected(path: str, named: set[str], request: Request, globs: Sequence[str]) -> str:
    """Say why a path may not be changed; empty where it may."""
    parts = PurePosixPath(path).parts
    lower = [part.lower() for part in parts]
    if not path.isprintable() or "\\" in path or ".." in parts or ":" in path:
        return "no name for a file that everybody can check out"
    if ".git" in lower or any(re.fullmatch(r"git~\d+", part) for part in lower):
        return "belongs to git"
    if any(part.startswith(".") for part in parts[:-1]):
        return "a hidden folder decides what people's tools and GitHub do"
    if lower[-1].startswith(".") and lower[-1] != ".gitignore" and path not in named:
        return "a hidden file that no task names"
    if path == request.prp_name:
        return "the PRP itself"
    is_named_only = lower[-1] in _NAMED_ONLY or _REQUIREMENTS.fullmatch(lower[-1])
    if is_named_only and path not in named:
        return "no task names it, and it decides what is installed or run, or who must review"
    if any(fnmatch(path, glob) for glob in globs):
        return "protected by `protected-paths`"
    return ""


def _secrets(repository: Repository, parent: str, child: str) -> Iterable[tuple[str, bool]]:
    """Return the secrets of a commit, and whether their issuer's form leaves no doubt."""
    patch = repository.diff(parent, child)
    added = "\n".join(line[1:] for line in patch.splitlines() if line.startswith("+"))
    for place, text in (("the change", added), ("the message", message_of(repository, child))):
        where = f"in {place} of {child[:12]}"
        known = dict.fromkeys(_MASKED.findall(Mask()(text)))
        yield from ((f"{what} {where}", what != "a password") for what in known)
        if not known:
            yield from ((f"{secret.what} {where}", False) for secret in find_secrets(text))


_MASKED = re.compile(r"\[masked: ([^\]]+)\]")


def _doubts(found: Sequence[Entry]) -> Iterable[str]:
    for entry in found:
        if entry.status == "D" and _is_test(entry.path):
            yield f"{printable(entry.path)}: a test file was deleted"


def _is_test(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return "test" in name or "spec" in name


def _notes(found: Sequence[Entry], prp: Prp) -> Iterable[str]:
    named = {change.path.removeprefix("./") for task in prp.tasks for change in task.changes}
    named |= {file.text for file in prp.desired_files} | {spec.path for spec in prp.test_specs}
    for entry in found:
        if entry.path not in named and not _is_test(entry.path):
            yield f"{printable(entry.path)}: outside of the blueprint"
