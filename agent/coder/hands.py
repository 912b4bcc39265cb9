"""The coder's tools: read, search, write, edit and run, each bounded and each recorded."""

import hashlib
import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.errors import PrpError
from agent.journal import CommandStarted, Record, ToolUsed
from agent.llm.conversation import AgentFailed
from agent.steps import Json, step
from agent.workspace import (
    Finished,
    Reading,
    Sandbox,
    Toolchain,
    apply_edit,
    clip,
    run,
    syntax_problem,
)
from agent.workspace.files import read_text, write_text
from agent.workspace.reading import in_words

_SHOWN = 10_000
# One argument of a process holds 128 KiB.
_LONGEST_COMMAND = 30_000
_NUDGE_AFTER, _STOP_AFTER = 3, 6
# Characters of a line that says what was done, and what came of it.
_SAID = 120


class Edit(BaseModel):
    """One replacement in one file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    path: str
    old: str
    """Copied from the file, with enough lines around it to occur only once."""
    new: str
    every: bool = False
    """Replace every occurrence."""


class Hands:
    """Tools on one worktree. Their docstrings are what the model reads."""

    def __init__(
        self,
        root: Path,
        *,
        sandbox: Sandbox,
        toolchain: Toolchain,
        logs: Path,
        logs_name: str = "logs",
        record: Record,
        forbids: Callable[[str], str],
        protect: Sequence[str] = (),
        put_back: Callable[[], Sequence[str]] = tuple,
        role: str = "coder",
        writable: bool = True,
    ) -> None:
        """Take the worktree at `root`.

        Args:
            root: The worktree.
            sandbox: Where commands run.
            toolchain: What they find there, and how long they may take.
            logs: Folder for the full output of commands, outside of the worktree.
            logs_name: The same folder as events name it, from the run's on.
            record: Is told of every use of a tool.
            forbids: Says why a path may not be written, or nothing.
            protect: Paths that commands can't write either.
            put_back: Puts back what a command wrote all the same, and returns these paths.
            role: Whose hands they are.
            writable: Whether commands may change the worktree at all.

        """
        self._root, self._sandbox, self._logs, self._record = root, sandbox, logs, record
        self._role = role
        self._forbids, self._put_back = forbids, put_back
        self._timeout = toolchain.shell_timeout
        self._logs_name = logs_name
        self._confinement = toolchain.confine(root, protect=protect, writable=writable)
        self._read = Reading(root, role=role, record=record, logs=logs)
        self._seen: dict[str, int] = {}
        self._loose_ends: dict[str, str] = {}
        self._commands = 0

    @property
    def reading(self) -> Sequence[Callable[..., object]]:
        """Return the tools that change nothing."""
        return self._read.tools

    @property
    def changing(self) -> Sequence[Callable[..., object]]:
        """Return the tools that must run one after the other."""
        return (self.write, self.edit, self.run)

    def loose_ends(self) -> Sequence[str]:
        """Return what speaks against ending the task now; says each thing once."""
        ends = list(self._loose_ends.values())
        self._loose_ends.clear()
        return ends

    async def write(self, path: str, content: str) -> str:
        """Create a file, with its folders, or replace all of it; edit is for less than that."""

        async def do() -> str:
            return _answered(lambda: self._write(path, content))

        answer = await step("write", do, redo=lambda: self._put({path: content}))
        failed = answer.startswith("error")
        self._leave_open("write", {path: answer if failed else ""})
        if not failed:
            self._read.remember(path, content)
        return self._told("write", path, answer, failed=failed)

    async def edit(self, edits: list[Edit]) -> str:
        """Replace text in files, many replacements in one call.

        Those that fit are made even when others don't; the answer says for each what happened.
        """
        texts: dict[str, str] = {}

        async def decide() -> Json:
            answers = [_answered(partial(self._edit, edit, texts)) for edit in edits]
            return {"answers": answers, "texts": texts}

        async def put() -> str:
            return _answered(lambda: self._put(texts))

        # In two steps: an edit that was cut off half-way must not meet its own result.
        decided = await step("edit: decide", decide)
        answers, texts = decided["answers"], decided["texts"]
        problem = await step("edit", put, redo=lambda: self._put(texts)) if texts else ""
        if problem:
            answers = [problem] * len(edits)
        else:
            for path, text in texts.items():
                self._read.remember(path, text)
        problems: dict[str, str] = {}
        for edit, answer in zip(edits, answers, strict=True):
            failed = answer.startswith("error")
            problems[edit.path] = answer if failed else problems.get(edit.path, "")
        self._leave_open("edit", problems)
        said = problem or "\n".join(answers)
        return self._told("edit", ", ".join(problems), said, failed=any(problems.values()))

    async def run(self, command: str, timeout_seconds: int = 0) -> str:
        """Run bash at the repository's root, in a sandbox.

        Each call is a new shell that ends with everything it started. Of long output the first and
        last 5,000 characters are shown, and how to read the lines between.

        Args:
            command: One line or a script.
            timeout_seconds: 0: the usual limit; at most 1800.

        """
        if "\0" in command or len(command) > _LONGEST_COMMAND:
            answer = (
                f"error: not run, a command holds no NUL and at most {_LONGEST_COMMAND} characters"
            )
            return self._told("run", command[:200], answer, failed=True)
        self._commands += 1
        log = self._logs / f"{self._commands}.txt"
        # Outside of the step: a run that is taken up tells it no second time.
        self._record(
            CommandStarted(by=self._role, command=command, log=f"{self._logs_name}/{log.name}")
        )

        async def do() -> Json:
            finished = await run(
                command,
                confinement=self._confinement,
                sandbox=self._sandbox,
                timeout=min(max(timeout_seconds, 0), 1800) or self._timeout,
                log=log,
            )
            return asdict(finished) | {"put_back": tuple(self._put_back())}

        told = dict(await step("run", do, redo=do))
        put_back = told.pop("put_back", ())
        finished = Finished(**told)
        shown = clip(finished.output, limit=_SHOWN, log=f"log:{self._commands}")
        back = "".join(f"\n{self._forbids(path)} It was put back." for path in put_back)
        answer = f"{_ending(finished)}\n{shown}".rstrip() + back
        return self._told("run", command, answer, failed=finished.status != 0)

    def _write(self, path: str, content: str) -> str:
        if reason := self._forbids(path):
            return f"error: {reason}"
        if problem := syntax_problem(path, content):
            return f"error: not written, the content has a syntax error: {problem}"
        try:
            write_text(self._root, path, content)
        except PrpError as error:
            return in_words(error)
        return f"wrote {path}, {len(content.splitlines())} lines"

    def _edit(self, edit: Edit, texts: dict[str, str]) -> str:
        """Say what becomes of one replacement; `texts` holds what files will be."""
        if reason := self._forbids(edit.path):
            return f"error: {reason}"
        path = posixpath.normpath(edit.path)
        try:
            text = texts[path] if path in texts else read_text(self._root, path)
        except PrpError as error:
            return in_words(error)
        result = apply_edit(text, edit.old, edit.new, replace_all=edit.every)
        if result.text is None:
            stale = (
                " The file has changed since you read it."
                if path not in texts and self._read.is_stale(path, text)
                else ""
            )
            return f"error: {edit.path}: {result.message}{stale}"
        if (problem := syntax_problem(edit.path, result.text)) and not syntax_problem(
            edit.path, text
        ):
            return f"error: {edit.path}: not edited, it would have a syntax error: {problem}"
        texts[path] = result.text
        return f"{edit.path}: {result.message}"

    def _put(self, texts: Mapping[str, str]) -> str:
        """Write files; return what kept one from being written, and nothing where none was."""
        try:
            for path, text in texts.items():
                write_text(self._root, path, text)
        except PrpError as error:
            return in_words(error)
        return ""

    def _leave_open(self, tool: str, problems: Mapping[str, str]) -> None:
        """Note of each file what kept it from being changed; empty where nothing did.

        A file that is not there was a slip, and forgotten once another one is changed.
        """
        changed = {posixpath.normpath(path) for path, problem in problems.items() if not problem}
        for place in [*self._loose_ends] if changed else ():
            # Of a name that is too long `Path.is_file` raises an error.
            if place in changed or not os.path.isfile(self._root / place):  # noqa: PTH113
                del self._loose_ends[place]
        for path, problem in problems.items():
            if problem:
                said = problem.splitlines()[0][:_SAID]
                end = f"The last {tool} of {path[:_SAID]} failed: {said}"
                self._loose_ends[posixpath.normpath(path)] = end

    def _told(self, tool: str, about: str, answer: str, *, failed: bool) -> str:
        """Record a use, and break loops: the same call with the same answer leads nowhere."""
        first = about.strip().splitlines()[0][:_SAID] if about.strip() else ""
        came_of_it = answer.splitlines()[0][:_SAID] if answer else ""
        self._record(
            ToolUsed(role=self._role, tool=tool, summary=f"{first}: {came_of_it}", failed=failed)
        )
        key = hashlib.sha256(f"{tool}\0{about}\0{answer}".encode("utf-8", "replace")).hexdigest()
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] >= _STOP_AFTER:
            raise AgentFailed(
                f"The {self._role} called {tool} {_STOP_AFTER} times with the same result"
            )
        if self._seen[key] >= _NUDGE_AFTER:
            return (
                f"{answer}\n(You have had this very answer {self._seen[key]} times. Read the file "
                "again or try another way; call finish and name the doubt if you are stuck.)"
            )
        return answer


def _answered(use: Callable[[], str]) -> str:
    """Return a tool's answer; what a file system or a parser can't take is an answer too."""
    try:
        return use()
    except (OSError, ValueError, MemoryError, RecursionError) as error:
        return f"error: {' '.join(str(error).split())[:200] or type(error).__name__}"


def _ending(finished: Finished) -> str:
    """Return how a command ended, in the same form for all cases."""
    ended = "" if finished.ended in ("exit", "signal") else f", stopped: {finished.ended}"
    return f"{finished.status_in_words} after {finished.seconds:.1f} s{ended}"
