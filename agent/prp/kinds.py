"""What running a command would mean, read from its words. Doubt goes to the safer side."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from functools import lru_cache
from itertools import chain

from agent.prp.here import Body, split_bodies
from agent.prp.inner import (
    GETS_TEXT,
    asks_elsewhere,
    is_destructive_code,
    is_destructive_text,
    pipes_destruction,
    programs_in,
    shell_texts,
    undisguised,
    without_programs,
    written_by,
)
from agent.prp.kind_programs import PROGRAMS
from agent.prp.kind_rules import RULES, Rule
from agent.prp.model import CheckKind
from agent.prp.signs import has_any

# What another program stands behind, beside signs.
_BEFORE_ANOTHER = frozenset(
    "do then else time env exec xargs sudo nohup command builtin busybox timeout nice ionice chrt "
    "stdbuf setsid parallel watch unbuffer flock".split()
)
_JOINS = re.compile(r"[;&|(){}`!\n=]")
# Each is asked for with every command; to name a member of an Enum costs more than to compare it.
_DESTRUCTIVE, _MUTATING = CheckKind.DESTRUCTIVE, CheckKind.MUTATING
_NETWORK, _SECRET, _PLACEHOLDER = CheckKind.NETWORK, CheckKind.SECRET, CheckKind.PLACEHOLDER
_ONLY_RUN = (CheckKind.RUN,)

# The first word of each simple command; what may stand before it is consumed, the word is not.
_HEAD = re.compile(
    rf"(?:^|[;&|(){{}}`!\n]\s*|\b\w+=\S*\s+|\b(?:{'|'.join(sorted(_BEFORE_ANOTHER))})\s+"
    r"(?:(?:-\S+|\d\S*)\s+)*)"
    r"(?=(?:[^\s;&|(){}]*/)?(?P<name>[\w.-]+)(?=\s|$|;))"
)
_SCRATCH = (
    r"(?:\"?/tmp/(?!\S*\.\.)[\w./*-]*\w\"?|\"?\$\{?(?:TMP|TMPDIR|tmp|tmpdir|tmp_dir|TMPROOT)\}?\"?|"
    r"(?![/~]|\"?\$(?!\{?PWD\b|\(pwd\))|\S*\.\.)(?:\S*/)?(?:dist|build|target|coverage|\.coverage|__pycache__|\.pytest_cache|"
    r"\.mypy_cache|\.ruff_cache|htmlcov|\.next|node_modules/\.cache)/?)"
)
# Removing what a build or the command itself made, stopping one's own child, listing.
_HARMLESS = re.compile(
    rf"\brm\s+(?:-\w+\s+)*{_SCRATCH}(?:\s+{_SCRATCH})*(?=\s*(?:$|[;&|)\n]))|"
    r"\bkill\s+(-\w+\s+)?(%\d|\"?\$!|\"?\$\{?\w*PID\}?\"?)|\bgit\s+stash\s+list\b|"
    r"\bgit\s+(tag|branch)\s*(-l|--list)?$",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def kinds_of(command: str) -> tuple[CheckKind, ...]:
    """Return every kind that applies, the most restrictive first; plain `run` where none does."""
    whole, bodies = split_bodies(command)
    if _is_too_long(whole):
        return (CheckKind.MANUAL,)
    found = _kinds(whole, depth=0)
    found = _with_written(found, [name for body in bodies for name in _written_as_body(body)])
    if bodies and _DESTRUCTIVE not in found and any(map(_destroys_as_body, bodies)):
        return _with_destructive(found)
    return found


# Which package of a repository is meant stands before what is done: `npm --prefix web run deploy`.
_MANAGED = re.compile(
    r"\b(?P<manager>npm|pnpm|yarn|bun|make|just|task)(?P<run>\s+run)?"
    r"(?:\s+(?:--(?:workspace|prefix|filter|cwd|dir(?:ectory)?)(?:=|\s+)\S+|-[wFCfd]\s+\S+|workspace\s+\S+|"
    r"--(?:silent|recursive|workspaces|if-present|parallel|stream)|-[rs]))+(?=\s)"
    r"(?P<then>\s+run(?=\s))?"
)


def _manager_alone(found: re.Match[str]) -> str:
    return f"{found['manager']}{found['run'] or found['then'] or ''}"


def _is_too_long(text: str) -> bool:
    return len(text) > _LONGEST or max(map(len, text.split("\n"))) > _WIDEST


def _with_destructive(found: tuple[CheckKind, ...]) -> tuple[CheckKind, ...]:
    return _with(found, CheckKind.DESTRUCTIVE)


def _with(found: tuple[CheckKind, ...], kind: CheckKind) -> tuple[CheckKind, ...]:
    others = {*found, kind} - {CheckKind.RUN}
    return tuple(sorted(others, key=list(CheckKind).index))


def _with_written(found: tuple[CheckKind, ...], written: Sequence[str]) -> tuple[CheckKind, ...]:
    """Return the kinds of a command whose programs write files: as `>` would."""
    for name in written:
        if name.startswith(("/", "~")) and not _MAY_BE_WRITTEN.match(name):
            found = _with(found, CheckKind.DESTRUCTIVE)
        elif not _MAY_BE_WRITTEN.match(name):
            found = _with(found, CheckKind.MUTATING)
    return found


_MAY_BE_WRITTEN = re.compile(r"/tmp/(?!.*\.\.)|/dev/(?:null|stdout|stderr)$")  # noqa: S108 - a pattern


def _written_as_body(body: Body) -> Iterator[str]:
    """Return the files that a here-document would write in the hands of an interpreter."""
    return written_by(body.text) if _INTERPRETER.search(body.opener) else iter(())


def _destroys_as_body(body: Body) -> bool:
    """Return whether a here-document would destroy something in the hands of who gets it."""
    if _SHELL.search(body.opener):
        return _is_too_long(body.text) or CheckKind.DESTRUCTIVE in _kinds(body.text, depth=1)
    return bool(_INTERPRETER.search(body.opener) and is_destructive_text(body.text))


_SHELL = re.compile(r"(?:^|[\s|;&/])(?:(?:ba|z|da|k)?sh\b(?!\s*>)|g?make\s+(?:\S+\s+)*?-f\s*-)")
_INTERPRETER = re.compile(
    r"\b(?:python[\d.]*|node|deno|bun|ruby|perl|php|psql|mysql|mariadb|sqlite3|redis-cli|mongosh?)\b"
)


def _kinds(whole: str, *, depth: int) -> tuple[CheckKind, ...]:
    """Return the kinds of a command, also as it is without the options that name a package."""
    found = _kinds_as_written(whole, depth=depth)
    if (plain := _MANAGED.sub(_manager_alone, whole)) != whole:
        for kind in _kinds_as_written(plain, depth=depth):
            found = found if kind is CheckKind.RUN else _with(found, kind)
    return found


def _kinds_as_written(whole: str, *, depth: int) -> tuple[CheckKind, ...]:
    programs = programs_in(whole)
    words = without_programs(whole) if programs else whole
    has_sign = has_any(words, _PLACEHOLDER_SIGNS)
    unquoted = _without_patterns(words) if has_sign else words
    bare = undisguised(whole)
    lower = bare.lower()
    vocabulary = set(_WORD.findall(lower))
    quiet = _without_said(bare, vocabulary)
    calmed = quiet if _REMOVING.isdisjoint(vocabulary) else _HARMLESS.sub("true", quiet)
    said = quiet if words == bare else _without_said(words, vocabulary)
    subjects = {
        _DESTRUCTIVE: calmed.lower(),
        _MUTATING: said,
        _NETWORK: said,
        _SECRET: said,
        _PLACEHOLDER: unquoted,
    }
    spelled = vocabulary if bare == whole else vocabulary | set(_WORD.findall(whole.lower()))
    met = _kinds_of_programs(words, calmed, spelled)
    for kind, rule in _rules_for(vocabulary, lower):
        if kind not in met and rule.matches(subjects.get(kind, words)):
            met.add(kind)
    found = tuple([kind for kind, _ in RULES if kind in met])
    if _DESTRUCTIVE not in met and (
        (("|" in calmed or ">" in calmed) and _DESTRUCTIVE_SYNTAX.search(_without_quotes(calmed)))
        or (">" in bare and _QUOTED_TARGET.search(bare))
        or ("()" in calmed and _BOMB.search(_without_quotes(calmed)))
        or pipes_destruction(bare)
        or any(map(is_destructive_code, programs if bare == whole else programs_in(bare)))
        or (not vocabulary.isdisjoint(GETS_TEXT) and _destroys_inside(bare, depth=depth))
    ):
        found = _with_destructive(found)
    if any(map(asks_elsewhere, programs)):
        found = _with(found, _NETWORK)
    return _with_written(
        found or _ONLY_RUN, [name for text in programs for name in written_by(text)]
    )


# What these mean in quotes is for the program to decide that gets them.
_DESTRUCTIVE_SYNTAX = re.compile(
    r"\$''\s+-\w*[rf]|"
    r"(?<![0-9&<>=-])>{1,2}\s*(~|\$\{?HOME\b|/(?!tmp/|dev/(?:null|stdout|stderr|tty|fd)\b))|"
    r"\|\s*(?:(?:sudo|env|nohup|/[\w./-]*/env)\s+(?:-\S+\s+|\w+=\S*\s+)*)*(?:/[\w./-]*/)?(?:ba|z|da)?sh\s*(?:$|[-;&|\n])|/dev/(?:tcp|udp)/|"
    r"(?<![0-9&<>=-])>\|?\s*(?!/tmp/)[^\s;&|]+\.(?:db|sqlite3?|mdb)(?=$|[\s;&|])|"
    r"\b(?:curl|wget)\b[^|\n]*\|\s*(?:python[\d.]*|perl|ruby|node|php)\s*-?\s*(?:$|[;&|\n])"
)
_BOMB = re.compile(r"\b(?P<bomb>\w+)\s*\(\)\s*\{[^}]*\b(?P=bomb)\b\s*\|\s*(?P=bomb)\b")
_QUOTED_TARGET = re.compile(
    r"(?<![0-9&<>=-])>{1,2}\s*[\"'](?:\$\{?HOME\b|/(?!tmp/|dev/(?:null|stdout|stderr|tty)\b)\w)"
)
_DEEPEST = 3


def _destroys_inside(whole: str, *, depth: int) -> bool:
    """Return whether text that a shell gets would destroy something."""
    return depth < _DEEPEST and any(
        _DESTRUCTIVE in _kinds(text, depth=depth + 1) for text in shell_texts(whole)
    )


# A person looks at what is longer: some rules take time that grows with the square of a line.
_LONGEST, _WIDEST = 4_000, 1_000


def _kinds_of_programs(words: str, calmed: str, spelled: set[str]) -> set[CheckKind]:
    programs = _programs(words, spelled)
    heads = {program["name"] for program in programs}
    # Most commands have nothing that was taken out of them: looking again would cost as much.
    risky = _risky_words(calmed, programs if calmed == words else _programs(calmed, spelled))
    if not _AGENTS.isdisjoint(heads) and _ANSWERS.search(words):
        heads = heads - _AGENTS | {"gh"}
    kinds = {kind for kind, names in _OTHER_PROGRAMS if not names.isdisjoint(heads)}
    if not _DESTROYERS.isdisjoint(risky) or "mkfs" in {name[:4] for name in risky}:
        kinds.add(CheckKind.DESTRUCTIVE)
    return kinds


(_, _DESTROYERS), *_OTHER_PROGRAMS = PROGRAMS


def _programs(text: str, spelled: set[str]) -> list[re.Match[str]]:
    """Return the names of the programs that a command starts.

    Args:
        text: The command, or what is left of it.
        spelled: All words of the command in lower case.

    """
    # Most commands start one program, and looking for more of them costs ten times as much.
    if spelled.isdisjoint(_BEFORE_ANOTHER) and not _JOINS.search(text):
        return [found] if (found := _HEAD.match(text)) else []
    return list(_HEAD.finditer(text))


# Programs that wait for a person unless they are asked for one answer.
_AGENTS = frozenset("claude gemini codex code cursor".split())
_ANSWERS = re.compile(
    r"\b(?:claude|gemini|codex|code|cursor)\s+(?:-{1,2}(?:version|help|print|p|v|h)\b|mcp\s+(?:list|get)\b)"
)


# Programs that start what stands somewhere behind them.
_WRAPPERS = frozenset(
    "env exec xargs nohup command builtin busybox timeout nice ionice chrt stdbuf setsid parallel "
    "watch unbuffer flock strace script eval npx bunx uvx sh bash zsh".split()
)
_REST = re.compile(r"[^;&|\n]*")


def _risky_words(text: str, programs: Sequence[re.Match[str]]) -> set[str]:
    """Return the words of a command that may be programs, with those behind a wrapper."""
    found = set()
    for head in programs:
        found.add(head["name"].lower())
        rest = _REST.match(text, head.end("name")) if head["name"] in _WRAPPERS else None
        if rest:
            found |= {word.strip("'\"{}()\\").rpartition("/")[2] for word in rest[0].split()}
    return found


_PLACEHOLDER_SIGNS = ("[", "<", "{{", "path/to", "...")
# What looks like a placeholder in a pattern or a format is part of it.
_PATTERN_TEXT = re.compile(
    r"\b(?:e?grep|rg|sed|awk|jq|echo|printf|perl|fish|test|find|ack|ag|git grep|go list)\b"
    r"(?:'[^'\n]*'|\"(?:\\.|[^\"\\\n])*\"|[^|\n])*|^\[ .*"
)
_COMMENT = re.compile(r"^\s*#(?!.*\.\.\.).*$", re.MULTILINE)
_ANY_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


# What is searched for or said is no command, unless the shell looks into it.
_SPOKEN = re.compile(
    r"\b(?:e?grep|rg|ag|ack|jq|echo|printf)\b(?:'[^'\n]*'|\"[^\"\n]*\"|[^|;&\n'\"])*"
)
_SPEAKING = frozenset("grep egrep fgrep rg ag ack jq echo printf".split())
_REMOVING = frozenset("rm kill git".split())
# Where the output goes is no word of a message: `echo x > "/etc/hosts"`.
_QUOTE = re.compile(r"(?P<into>>\s*)?(?:'[^'\n]*'|\"(?:\\.|[^\"\\\n])*\")")


def _without_said(text: str, vocabulary: set[str]) -> str:
    """Return a command without what it only searches for or says."""
    return text if _SPEAKING.isdisjoint(vocabulary) else _SPOKEN.sub(_without_quiet, text)


def _without_quiet(found: re.Match[str]) -> str:
    return _QUOTE.sub(_quiet, found[0])


def _quiet(found: re.Match[str]) -> str:
    if found["into"]:
        return found[0]
    speaks = found[0][0] == '"' and ("$" in found[0] or "`" in found[0])
    return found[0] if speaks else "''"


def _without_patterns(words: str) -> str:
    """Return a command without what only looks like a placeholder: patterns and comments."""
    return _PATTERN_TEXT.sub(_without_quoted, _COMMENT.sub("", words))


def _without_quoted(found: re.Match[str]) -> str:
    return _without_quotes(found[0])


def _without_quotes(text: str) -> str:
    return _ANY_QUOTED.sub("''", text)


_WORD = re.compile(r"[a-z0-9]+")


def _rules_for(vocabulary: set[str], lower: str) -> Iterable[tuple[CheckKind, Rule]]:
    """Return the rules without a gate, and those that a word or a sign in a command opens."""
    by_word = [_BY_WORD[word] for word in vocabulary & _BY_WORD.keys()]
    by_sign = [rules for sign, rules in _BY_SIGN if sign in lower]
    return chain(_ALWAYS, *by_word, *by_sign)


_ALWAYS = tuple((kind, rule) for kind, rules in RULES for rule in rules if rule.is_start)
_BY_WORD: dict[str, list[tuple[CheckKind, Rule]]] = {}
_signs: dict[str, list[tuple[CheckKind, Rule]]] = {}
for _kind, _rules in RULES:
    for _rule in _rules:
        for _word in _rule.gate:
            _BY_WORD.setdefault(_word, []).append((_kind, _rule))
        for _sign in _rule.signs:
            _signs.setdefault(_sign, []).append((_kind, _rule))
_BY_SIGN = tuple(_signs.items())


_ONLY_TALKS = re.compile(
    r"\s*(echo|printf|true|:|sleep|cd|export|pwd|ls\s*$|cat\s*<<)(\s[^|;&]*)?$|set \+e\b|"
    r"\s*git\s+(?:status|diff)(?!.*\s--(?:exit-code|quiet|check)\b)(?:\s[^|;&\n]*)?$"
)
_HIDES_STATUS = re.compile(
    r"\|\|\s*(true|:|echo\b.*|exit\s+0|printf\b.*)\s*$|;\s*(true|exit\s+0|echo\b[^;|&]*)\s*$|"
    r"\|\s*(tee|head|tail|cat|less|sort|wc|column|jq\s+\.|grep\s+-c)\b[^|]*$"
)


def can_fail(command: str) -> bool:
    """Return False where a command hides its exit status, or only talks."""
    bare = command.strip()
    if "\n" in command and bare:
        bare = bare.splitlines()[-1]
    is_joined = "|" in bare or ";" in bare
    return not (_ONLY_TALKS.match(bare) or (is_joined and _HIDES_STATUS.search(bare)))


_STATE = re.compile(
    r"\s*(?:(?:cd|export|source|\.|set|unset|alias|pushd|popd)(?=\s|$)|\w+=\S*\s*$|\w+=\"?\$\(|\w+=\([^()]*\)\s*(?:;|$)|\w+=\"[^\"]*\"\s*(?:;|$))"
)
_ACTING = {CheckKind.DESTRUCTIVE, CheckKind.INTERACTIVE, CheckKind.NETWORK, CheckKind.SERVER}
_SUBSTITUTED = re.compile(r"\$\([^()]*\)|`[^`]*`")


class Effect(Enum):
    """What a command leaves behind in the shell that the rest of its fence runs in."""

    NONE = auto()
    SOME = auto()
    """It does something and leaves something: `X=$(mktemp -d); mkdir $X/a`."""
    ONLY = auto()
    """It does nothing else: `cd backend`, `export A=1`, `ask() { curl -s "$1"; }`."""


def effect_of(command: str) -> Effect:
    """Return what a command changes in its shell.

    One that is not to be run leaves nothing, as `export A=$(git push)`.
    """
    if "()" in command and _FUNCTION.match(command) and command.rstrip().endswith("}"):
        # What it does is done where it is called, so only what may be run at any time is set-up.
        is_open = _CALLS_ITS_WORDS.search(command) or kinds_of(command) != (CheckKind.RUN,)
        return Effect.NONE if is_open else Effect.ONLY
    keeps_status = "=$?" in command and _STATUS_KEPT.search(command) is not None
    if not (_STATE.match(command) or keeps_status) or "\n" in command.strip():
        return Effect.NONE
    if not _ACTING.isdisjoint(kinds_of(command)):
        return Effect.NONE
    plain = _SUBSTITUTED.sub("", _SUBSTITUTED.sub("", _without_quotes(command)))
    if all(_STATE.match(step) for step in re.split(r";|&&|\|\||\|", plain) if step.strip()):
        return Effect.ONLY
    # People write `cd x && ...` on every line of a fence, and mean it from the root each time.
    is_own_line = "&&" in plain and _MOVES.match(plain) is not None
    return Effect.NONE if is_own_line else Effect.SOME


_FUNCTION = re.compile(r"\s*(?:function\s+)?[\w-]+\s*\(\)\s*\{\s")
# `ask() { "$@"; }` does what its caller says.
_CALLS_ITS_WORDS = re.compile(
    r"(?:^|[;&|{!]|(?<!=)\(|\b(?:then|do|else|exec|command|env|xargs|time)\s)\s*[\"']?\w*\$|\beval\b",
    re.MULTILINE,
)
_MOVES = re.compile(r"\s*(?:cd|pushd|source|\.|export)\s")
_STATUS_KEPT = re.compile(r";\s*\w+=\$\?\s*$")
