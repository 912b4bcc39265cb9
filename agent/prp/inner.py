"""Commands in commands: what a shell or an interpreter gets as text, and names in disguise."""

import re
from collections.abc import Iterator

from agent.prp.signs import has_any

# How the name of a program can be written so that a pattern does not see it: `\\rm`, `"rm"`,
# `r''m`, `r\\m`, `rm${IFS}-rf`, `{rm,-rf,x}`, `${X:-rm}`, and over two lines.
_DISGUISES = (
    ("\\\n", re.compile(r"\\\n"), " "),
    ("''", re.compile(r"(?<=\w)\'\'(?=\w)"), ""),
    ('""', re.compile(r"(?<=\w)\"\"(?=\w)"), ""),
    ("\\", re.compile(r"\\(?=[A-Za-z])"), ""),
    ("'", re.compile(r"\'(?P<word>[A-Za-z][\w-]*)\'"), r"\g<word>"),
    ('"', re.compile(r"\"(?P<word>[A-Za-z][\w-]*)\""), r"\g<word>"),
    ("IFS", re.compile(r"\$\{?IFS\}?"), " "),
    (":-", re.compile(r"\$\{\w+:-(?P<word>\w+)\}"), r"\g<word>"),
    ("{", re.compile(r"(?P<before>^|[;&|]\s*)\{(?P<word>\w+),(?P<rest>[^}\n]*)\}"), r"\g<before>\g<word> \g<rest>"),
)  # fmt: skip
_INTERPRETERS = "python node deno bun ruby perl php tsx elixir lua rails".split()
# Commands that are handed to a shell as text, and programs that are handed to an interpreter.
_SHELL_TEXT = re.compile(
    r"\b(?:(?:ba|z|da|k)?sh\s+(?:-\w+\s+)*-\w*c|trap|eval|alias\s+\w+=|su\s+-c|(?:ba|z|da|k)?sh\s+<<<)\s*(?P<quote>['\"])"
    r"(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)",
    re.DOTALL,
)
_DESTRUCTIVE_CODE = re.compile(
    r"rmtree|removedirs|removeSync|\.rmdir\(|\brmdir\s+\w|\b(?:delete|destroy)_all\b|\.objects\b.*\.delete\(\)|"
    r"\$\(\s*(?:curl|wget)\b|\bexec\(.*(?:urlopen|requests\.get)|\bos\.(?:remove|unlink|rmdir|system|kill)\b|\.unlink(?:Sync)?\(|"
    r"\b(?:rm|rmdir|unlink)Sync\b|\brm_rf?\b|FileUtils\.rm|\bunlink\s*[\w(]|\bdrop_(?:all|table)\b|"
    r"\bdrop\s+(?:table|database|schema)\b|\bflush(?:all|db)\b|dropDatabase|\brm\s+-\w*[rf]|"
    r"[\[(]\s*['\"]?(?:/bin/)?(?:rm|rmdir|shred|dd|mkfs[\w.]*|truncate)['\"]?\s*,|\b(?:File|Dir|FileUtils)\.(?:delete|rmdir|remove\w*)\b|"
    r"\bgit\s+(?:push|reset\s+--hard|clean\s+-)|['\"]git['\"]\s*,\s*['\"](?:push|clean|reset)['\"]|\.truncate\(|"
    r"\b(?:Deno|fs|fsp|promises)\.(?:remove|rm|rmdir|unlink|truncate)(?:Sync)?\(",
    re.IGNORECASE,
)
_ELSEWHERE = r"https?://(?!127\.|0\.0\.)[\w-]+\.[\w.-]+"
# What an interpreter is given as an argument is a program of its own, not words of the shell.
_PROGRAM_TEXT = re.compile(
    r"(?P<flag>\b(?:python[\d.]*|node|deno|bun|ruby|perl|php|tsx|ts-node|elixir|lua|rails)\b[^\n'\"|;&]*?\s(?:-{1,2}(?:c|e|p|eval|r)|eval|runner)\b)"
    r"\s+(?P<quote>['\"])(?:\\.|(?!(?P=quote)).)*(?P=quote)",
    re.DOTALL,
)


def undisguised(command: str) -> str:
    """Return a command with the names of its programs as bash reads them."""
    for sign, pattern, plain in _DISGUISES:
        if sign in command:
            command = pattern.sub(plain, command)
    return command


def programs_in(command: str) -> list[str]:
    """Return the programs that a command hands to interpreters, with the words before them."""
    if not _may_hold_one(command):
        return []
    return [found[0] for found in _PROGRAM_TEXT.finditer(command)]


def without_programs(command: str) -> str:
    """Return a command without the programs in it: `python -c ''`."""
    return _PROGRAM_TEXT.sub(r"\g<flag> ''", command)


def _may_hold_one(command: str) -> bool:
    """Return whether a command has what every program in a command has: an option and quotes."""
    has_option = " -" in command or " eval " in command or " runner " in command
    has_quotes = "'" in command or '"' in command
    return has_option and has_quotes and has_any(command, _INTERPRETERS)


def shell_texts(command: str) -> Iterator[str]:
    """Return the commands that a command hands to a shell as text."""
    if "'" in command or '"' in command:
        for found in _SHELL_TEXT.finditer(command):
            yield found["text"].strip()


GETS_TEXT = frozenset("sh bash zsh dash ksh trap eval alias su".split())
"""One of these words stands in a command that hands text to a shell."""


def is_destructive_code(program: str) -> bool:
    """Return whether a program would remove or drop something."""
    return _DESTRUCTIVE_CODE.search(program) is not None


def asks_elsewhere(program: str) -> bool:
    """Return whether a program would ask another machine, whose address it names."""
    return "://" in program and _ASKING_CODE.search(program) is not None


# Functions that get what is at an address, their first argument; `http://test` is nobody's.
_ASKING_CODE = re.compile(
    r"\b(?:requests|httpx|axios|https?|urllib\.request|[Cc]lient|session)(?:\(\))?\."
    r"(?:get|post|put|head|stream|urlopen)\(\s*[fr]?\\?['\"`]" + _ELSEWHERE + "|"
    r"\b(?:fetch|urlopen|urlretrieve)\(\s*[fr]?\\?['\"`]" + _ELSEWHERE
)


def written_by(program: str) -> Iterator[str]:
    """Return the files that a program would write; empty where it says no name."""
    for found in _WRITING_CODE.finditer(program):
        yield found["opened"] or found["named"] or found["file"] or ""


# A mode of `open`, and functions with the file's name first or in front of them.
_WRITING_CODE = re.compile(
    r"\bopen\(\s*(?:[rbfu]{0,2}\\?['\"](?P<opened>[^'\"\\]*)\\?['\"]|[^'\"(),]*)\s*,\s*(?:mode\s*=\s*)?"
    r"\\?['\"][rbt]?(?:[wax]|b?\+)[bt+]*\\?['\"]|"
    r"(?:\b(?:Path|PurePath)\(\s*\\?['\"](?P<named>[^'\"\\]*)\\?['\"]\s*\))?\.(?:write_text|write_bytes|touch|mkdir)\(|"
    r"\b(?:writeFile|appendFile|outputFile|mkdir|copyFile|rename)(?:Sync)?\(\s*\\?['\"`](?P<file>[^'\"`\\]*)|"
    r"\bFile\.(?:open\([^()]*['\"][wa]|write\()|\bfile_put_contents\(|"
    r"\bos\.(?:makedirs|mkdir|rename|replace)\(|\bshutil\.(?:copy\w*|move)\("
)


def pipes_destruction(command: str) -> bool:
    """Return whether a command says to an interpreter or a database what would destroy."""
    found = _PIPED.search(command) if "|" in command else None
    if found is None:
        return False
    said = command[: found.start()]
    return is_destructive_text(said) or _DESTRUCTIVE_SCRIPT.search(said) is not None


_PIPED = re.compile(
    r"\|\s*(?:[\w./-]+\s+){0,8}?(?:psql|mysql|mariadb|sqlite3|redis-cli|mongosh?|python[\d.]*|node|ruby|"
    r"rails|perl|php|clickhouse-client|cqlsh)(?![\w.-])"
)
_DESTRUCTIVE_SCRIPT = re.compile(
    r"(?:drop|reset|wipe|destroy|truncate|delete|purge|nuke)[\w-]*\.(?:sql|js|py|redis|rb|php)\b"
)


def is_destructive_text(text: str) -> bool:
    """Return whether a program or a script for a database would remove or drop something."""
    return bool(_DESTRUCTIVE_CODE.search(text) or _DESTRUCTIVE_SQL.search(text))


_DESTRUCTIVE_SQL = re.compile(
    r"\b(?:drop|truncate|alter)\s+\w|\bdelete\s+from\b|\bupdate\s+\w+\s+set\b|\bgrant\s+\w", re.IGNORECASE
)  # fmt: skip
