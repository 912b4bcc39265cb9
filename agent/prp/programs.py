"""Which programs and scripts a command starts, as far as its words tell."""

import re
import shlex
from functools import lru_cache

from agent.prp.here import split_bodies

_SHELL_WORDS = frozenset(
    "if then else elif fi for while until do done case esac in select function time { } ! [ [[ ]] ] "
    ". : alias bg bind break builtin cd command compgen complete continue declare dirs disown echo "
    "enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout "
    "mapfile popd printf pushd pwd read readonly return set shift shopt source suspend test times "
    "trap true type typeset ulimit umask unalias unset wait".split()
)
_WRAPPERS = frozenset("sudo env nohup nice exec command time timeout".split())
_ENDS = frozenset(("&&", "||", ";", ";;", "|", "|&", "&", "(", ")", "()", "\n"))
_NAME = re.compile(r"^[A-Za-z][\w.+-]*$")
_SCRIPT = re.compile(r"^[\w./@-]+\.(?:py|sh|bash|js|mjs|cjs|ts|mts|rb|pl|php)$")
_INTERPRETERS = re.compile(
    r"^(?:python[\d.]*|bash|sh|zsh|node|ruby|perl|php|tsx|ts-node|deno|bun)$"
)


@lru_cache(maxsize=4096)
def commands_of(command: str) -> tuple[tuple[str, ...], ...]:
    """Return the simple commands of a command as words; nothing where its quotes don't close."""
    text = split_bodies(command)[0].replace("\\\n", " ")
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        reader = shlex.shlex(line, posix=True, punctuation_chars=True)
        reader.commenters = "#"
        try:
            words = list(reader)
        except ValueError:
            return ()
        found.append([])
        for word in words:
            if word in _ENDS:
                found.append([])
            else:
                found[-1].append(word)
    return tuple(tuple(words) for words in found if words)


def programs_of(command: str) -> tuple[str, ...]:
    """Return the names of the programs that a command starts, without the shell's own."""
    names = []
    for words in commands_of(command):
        rest = list(words)
        while rest and (rest[0] in _WRAPPERS or rest[0] in _KEYWORDS or _is_aside(rest[0])):
            rest.pop(0)
        if rest and _NAME.match(rest[0]) and rest[0] not in _SHELL_WORDS:
            names.append(rest[0])
    defined = set(re.findall(r"^\s*(?:function\s+)?(\w+)\s*\(\)", command, re.MULTILINE))
    return tuple(dict.fromkeys(name for name in names if name not in defined))


_KEYWORDS = frozenset("if then else elif while until do ! {".split())


def _is_aside(word: str) -> bool:
    """Return whether a word stands before the program: an assignment, a wrapper's number."""
    return bool(re.match(r"^\w+=|^-|^\d+[smh]?$", word))


def scripts_of(command: str) -> tuple[str, ...]:
    """Return the files of the repository that a command runs as programs."""
    scripts = []
    for words in commands_of(command):
        for place, word in enumerate(words):
            after = place and (_INTERPRETERS.match(words[place - 1]) or words[place - 1] == "run")
            is_own = word.startswith("./") and place == 0 and len(word) > 2
            if is_own or (after and _SCRIPT.match(word) and not word.startswith("/")):
                scripts.append(word)
    return tuple(dict.fromkeys(scripts))


def tests_of(command: str) -> tuple[str, ...]:
    """Return the files and folders of tests that a command names to a runner of tests."""
    found: list[str] = []
    for words in commands_of(command):
        start = next((i + 1 for i, word in enumerate(words) if word in _TEST_RUNNERS), 0)
        for before, word in zip(words[start - 1 :], words[start:], strict=False) if start else ():
            path = word.partition("::")[0]
            # Behind an option stands its value, unless it is one that has none.
            is_value = before.startswith("-") and before not in _FLAGS and "=" not in before
            if _TEST_FILE.fullmatch(path) and not is_value:
                found.append(path)
    return tuple(dict.fromkeys(found))


_TEST_RUNNERS = frozenset("pytest py.test vitest jest mocha rspec phpunit busted bats".split())
_FLAGS = frozenset("-v -vv -q -s -x -vs -sv -xvs -xv -qq --verbose --quiet --run -- run".split())
_TEST_FILE = re.compile(
    r"(?:\./)?(?:[\w@-][\w.@-]*/)*(?:[\w@-][\w.@-]*\.(?:py|[cm]?[jt]sx?|rb|php|lua|bats|java|exs)|"
    r"(?:tests?|specs?|__tests__)/?)"
)


def goals_of(command: str) -> tuple[str, ...]:
    """Return what a command asks make for in the repository's root."""
    goals: list[str] = []
    for words in commands_of(command):
        if words[0] == "make" and not any(word.startswith(("-", "$")) for word in words):
            goals += [word for word in words[1:] if _GOAL.fullmatch(word)]
    return tuple(dict.fromkeys(goals))


_GOAL = re.compile(r"[A-Za-z][\w.-]*")
