"""What source files define and what they name, parsed once for each content."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from posixpath import splitext

from agent.workspace.repository import Repository

_PARSER = Path(__file__).with_name("parsing.py")
_LANGUAGES = {
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "javascript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "tsx",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
}
_LARGEST = 500_000
_LONGEST_LINES = 200  # on average: longer ones were written by a program
_MOST_BYTES = 16_000_000
_SECONDS = 20.0
_STARTS = 4
_LARGEST_STORE = 200_000_000


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A class, a function, a method or a type."""

    line: int
    depth: int
    """How many definitions it stands in."""
    name: str
    signature: str
    """Its words up to the body."""


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What a file defines, in its order, and how often it has which names."""

    definitions: tuple[Definition, ...] = ()
    names: Mapping[str, int] = field(default_factory=dict)


def is_source(path: str) -> bool:
    """Return whether a file is of a language whose definitions are known."""
    return language_of(path) != ""


def language_of(path: str) -> str:
    """Return the language of a file, empty where its definitions are not known."""
    name = path.lower()
    return "" if ".min." in name else _LANGUAGES.get(splitext(name)[1], "")


def tags_of(
    repository: Repository, blobs: Mapping[str, str], *, store: Path | None = None
) -> dict[str, Tags]:
    """Return what files define and name; those that can't be parsed are left out.

    Args:
        repository: Where their contents are.
        blobs: The hashes of their contents by their paths, the most important first.
        store: File that keeps what was parsed before; None where nothing is kept.

    """
    languages = {path: language_of(path) for path in blobs}
    keys = {
        path: f"{languages[path]}:{blob}"
        for path, blob in blobs.items()
        if blob and languages[path]
    }
    with _Store.open(store) as kept:
        known = kept.find(set(keys.values()))
        wanted = list(dict.fromkeys(key for key in keys.values() if key not in known))
        fresh = _parsed(repository, wanted)
        kept.add(fresh)
    told = known | fresh
    return {path: _tags(told[key]) for path, key in keys.items() if told.get(key)}


def _tags(told: str) -> Tags:
    said = json.loads(told)
    return Tags(
        definitions=tuple(
            Definition(line=line, depth=depth, name=name, signature=signature)
            for line, depth, name, signature in said["definitions"]
        ),
        names=said["names"],
    )


def _parsed(repository: Repository, keys: Sequence[str]) -> dict[str, str]:
    """Return what the parser says of contents; of those that nobody should parse, nothing."""
    if not keys:
        return {}
    contents = repository.contents((key.rpartition(":")[2] for key in keys), largest=_LARGEST)
    texts, left = [], _MOST_BYTES
    told = {}
    for key in keys:
        text = contents.get(key.rpartition(":")[2], b"")
        if not text or len(text) > _LONGEST_LINES * (text.count(b"\n") + 1):
            told[key] = ""
        elif len(text) <= left:
            left -= len(text)
            texts.append((key, text))
    for _ in range(_STARTS):
        said, in_time = _ask_parser(texts)
        told |= dict(zip((key for key, _ in texts), said, strict=False))
        if len(said) == len(texts) or not in_time:
            break
        # It ended at the next one: that one is left out, and what stands behind it is asked again.
        told[texts[len(said)][0]] = ""
        texts = texts[len(said) + 1 :]
    return told


def _ask_parser(texts: Sequence[tuple[str, bytes]]) -> tuple[list[str], bool]:
    """Return what the parser said of texts until its end, and whether it came to one in time."""
    languages = sorted({key.partition(":")[0] for key, _ in texts})
    heads = (
        json.dumps({"language": key.partition(":")[0], "size": len(text)}) for key, text in texts
    )
    source = b"".join(
        head.encode() + b"\n" + text for head, (_, text) in zip(heads, texts, strict=True)
    )
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_PARSER), *languages],
            input=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            env={},
            timeout=_SECONDS,
        )
        said, in_time = done.stdout, True
    except subprocess.TimeoutExpired as error:
        said, in_time = error.stdout or b"", False
    except OSError:
        return [], False
    lines = said.decode("utf-8", "replace").split("\n")
    return lines[:-1], in_time  # what has no end of line was not said to its end


class _Store:
    """What was parsed before, by language and content; without a file it forgets everything."""

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self._connection = connection

    @classmethod
    @contextlib.contextmanager
    def open(cls, file: Path | None) -> Iterator["_Store"]:
        """Open the file; where it can't be used, what is in it is parsed again."""
        if file is None:
            yield cls(None)
            return
        connection = None
        with contextlib.suppress(OSError, sqlite3.Error):
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.exists() and file.stat().st_size > _LARGEST_STORE:
                file.unlink()
            connection = sqlite3.connect(file, timeout=5)
            connection.execute("CREATE TABLE IF NOT EXISTS tags (key TEXT PRIMARY KEY, said TEXT)")
        with contextlib.closing(connection) if connection else contextlib.nullcontext():
            yield cls(connection)

    def find(self, keys: set[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        names = [f"{_form()}:{key}" for key in sorted(keys)]
        with contextlib.suppress(sqlite3.Error):
            for start in range(0, len(names) if self._connection else 0, 500):
                some = names[start : start + 500]
                marks = ",".join("?" * len(some))
                asked = f"SELECT key, said FROM tags WHERE key IN ({marks})"  # noqa: S608 - marks
                rows = self._connection.execute(asked, some)  # type: ignore[union-attr]
                found |= {key.partition(":")[2]: said for key, said in rows}
        return found

    def add(self, told: Mapping[str, str]) -> None:
        rows = [(f"{_form()}:{key}", said) for key, said in told.items()]
        if self._connection and rows:
            with contextlib.suppress(sqlite3.Error), self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?)", rows)


@cache
def _form() -> str:
    """Return what changes when the parser says other things of the same content."""
    return sha256(_PARSER.read_bytes()).hexdigest()[:12]
