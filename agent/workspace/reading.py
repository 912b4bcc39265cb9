"""Reading tools for an agent: files, search, listing. Read-only, bounded, recorded."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.errors import PrpError
from agent.journal import Record, ToolUsed
from agent.steps import step
from agent.workspace.files import FileProblem, list_files, read_text, search

_LINES, _CHARACTERS = 500, 20_000


class Reading:
    """Read-only tools on a folder. Their docstrings are what the model reads."""

    def __init__(self, root: Path, *, role: str, record: Record, logs: Path | None = None) -> None:
        """Read below `root`; `log:N` names the Nth command's output in `logs`."""
        self._root, self._role, self._record, self._logs = root, role, record, logs
        self._hashes: dict[str, str] = {}

    @property
    def tools(self) -> Sequence[Callable[..., object]]:
        """Return the tools."""
        return (self.read, self.search, self.list_files)

    async def read(self, paths: list[str]) -> str:
        """Read text files, several in one call.

        Of each at most 500 lines or 20,000 characters; the answer names the missing lines.

        Args:
            paths: Relative to the root; `path:120-180` for some lines only.

        """
        answers = []
        for answer, seen in await step("read", lambda: self._each(paths)):
            answers.append(answer)
            self._hashes.update(seen)
        failed = any(answer.startswith("error") for answer in answers)
        self._note("read", ", ".join(paths), failed=failed)
        return "\n".join(answers)

    async def search(self, pattern: str, glob: str = "") -> str:
        """Search the files' lines for a regular expression.

        Args:
            pattern: As Python writes it.
            glob: Only files that match, for instance `src/**/*.py`.

        """

        async def look() -> str:
            try:
                return await asyncio.to_thread(search, self._root, pattern, glob=glob or None)
            except PrpError as error:
                return in_words(error)

        answer = str(await step("search", look))
        self._note("search", f"{pattern} {glob}".strip(), failed=answer.startswith("error"))
        return answer

    async def list_files(self, glob: str = "**") -> str:
        """List the files that match."""

        async def look() -> str:
            try:
                found = await asyncio.to_thread(list_files, self._root, glob)
            except PrpError as error:
                return in_words(error)
            return "\n".join(found) or "no file matches"

        answer = str(await step("list", look))
        self._note("list", glob, failed=answer.startswith("error"))
        return answer

    def remember(self, path: str, text: str) -> None:
        """Note what the agent knows of a file, so that a later change by others is noticed."""
        self._hashes[path] = _digest(text)

    def is_stale(self, path: str, text: str) -> bool:
        """Return whether the file is not what the agent last saw of it."""
        return path in self._hashes and self._hashes[path] != _digest(text)

    async def _each(self, paths: list[str]) -> Sequence[tuple[str, dict[str, str]]]:
        return [self._one(path) for path in paths]

    def _one(self, wanted: str) -> tuple[str, dict[str, str]]:
        """Return what an agent is told of a file, and the hash of what it has seen by that."""
        path, first, last = _range(wanted)
        try:
            text = self._log(path) if path.startswith("log:") else read_text(self._root, path)
        except PrpError as error:
            return in_words(error), {}
        return _shown(path, text, first, last), {path: _digest(text)}

    def _log(self, name: str) -> str:
        number = name.removeprefix("log:")
        path = (self._logs or self._root) / f"{number}.txt"
        if not number.isdigit() or self._logs is None or not path.is_file():
            raise FileProblem(f"there is no output {name}")
        return path.read_text(encoding="utf-8", errors="replace")

    def _note(self, tool: str, about: str, *, failed: bool) -> None:
        self._record(ToolUsed(role=self._role, tool=tool, summary=about[:200], failed=failed))


def _range(wanted: str) -> tuple[str, int, int | None]:
    path, colon, lines = wanted.rpartition(":")
    first, dash, last = lines.partition("-")
    if colon and path and first.isdigit() and (not dash or last.isdigit()) and path != "log":
        return path, max(int(first), 1), int(last or first)
    return wanted, 1, None


def _shown(path: str, text: str, first: int, last: int | None) -> str:
    lines = text.splitlines()
    chosen: list[str] = []
    size = 0
    for line in lines[first - 1 : last]:
        size += len(line) + 1
        if len(chosen) == _LINES or (size > _CHARACTERS and chosen):
            break
        chosen.append(line[:_CHARACTERS])
    end = first + len(chosen) - 1
    wanted = min(last or len(lines), len(lines))
    rest = f"\n[lines {end + 1}-{wanted} not shown: read {path}:{end + 1}-{wanted}]"
    return (
        f"=== {path} (lines {first}-{end} of {len(lines)})\n"
        + "\n".join(chosen)
        + (rest if end < wanted else "")
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def in_words(error: PrpError) -> str:
    """Return an error as an agent is told of it."""
    return f"error: {error} {error.hint}".rstrip()
