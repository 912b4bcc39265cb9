"""Commands in a line of prose: in backticks of lists, and behind a label such as `VALIDATE:`."""

import re
from collections.abc import Sequence

from agent.prp.changed import changed
from agent.prp.checks import LOOKS_LIKE_SHELL, SHELLS, check_of
from agent.prp.commands import Command, split_commands
from agent.prp.expected import hinted_above
from agent.prp.here import open_quote
from agent.prp.kinds import Effect, effect_of
from agent.prp.lines import Line, Role
from agent.prp.model import Check
from agent.prp.operands import lacks_operands
from agent.prp.scalars import unquoted
from agent.prp.signs import has_any
from agent.prp.spoken import TEST_TOOLS, is_only_spoken_of

# A pair of backticks with backslashes within is part of the command.
_INLINE = re.compile(r"`(?!\s)((?:[^`\\\n]++|\\`[^`\\\n]*+\\`|\\)++)(?<!\s)`([^`\n]*)")
_QUOTED_TEXT = re.compile(r"'[^'\n]*'")
_ITEM_MARKS = frozenset("-*+0123456789")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
OTHER_LABELS = (
    r"VALIDAZIONE|VALIDACI[OÓ]N|VALIDA[CÇ][AÃ]O|VALIDIERUNG|V[EÉ]RIFICATION|"
    r"VERIFICA(?:CI[OÓ]N|[CÇ][AÃ]O)?|(?:ÜBER)?PRÜFUNG"
)
"""What a label of checks is called in other languages."""
LABEL = (
    r"(?:VALIDATE|VALIDATION|VERIFY|VERIFICATION|CONFIRM|CHECKS?|TESTS?|RUN|EXEC(?:UTE)?|COMMANDS?|"
    rf"GATES?|PROVES?|ACCEPTANCE|FUNCTIONAL|{OTHER_LABELS})"
)
# For words in lower case: to search whatever the case takes twice the time.
_LABELLED = re.compile(rf"\b{LABEL.lower()}\b[^`:]{{0,40}}:")
_LABELLED_FIRST = re.compile(rf"\W*+{LABEL.lower()}\b[^`:]{{0,160}}:")
_PLAIN_COMMAND = re.compile(
    rf"\W*+{LABEL}(?:\s+\w+)?\W*:[^\w!]*\s(?P<command>[^`]+)$", re.IGNORECASE
)
_FIRST_OF_LABEL = re.compile(r"\W*+[AC-GPRTVac-gprtv]")
_BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[.?\]\s")


def inline_checks(lines: Sequence[Line], *, level: int, everywhere: bool) -> list[Check]:
    """Return the commands of checklists, and those behind a label such as `VALIDATE:`.

    Args:
        lines: Lines of one section.
        level: The level that they belong to.
        everywhere: Take the commands of every list item and table row, for sections that are
            about checking.

    """
    checks: list[Check] = []
    labelled = False
    language = ""
    speaks = comments_speak = True
    text, inside, opens = Role.TEXT, Role.INSIDE, Role.OPENS
    for index, line in enumerate(lines):
        _, words, role = line
        if role is opens:
            language = words.strip(" `~\t").lower()
            # No code gives an order.
            speaks = language in SHELLS or language in _LANGUAGES_OF_TEXT
            # In a shell's fence they explain its code, if it has any.
            comments_speak = language not in SHELLS or _has_only_comments(lines, index)
        elif role is inside:
            is_comment = words.lstrip()[:1] == "#"
            if speaks and ":" in words and (comments_speak or not is_comment):
                checks += _inside(lines, index, level)
        # Most lines hold neither; they only end what a label above them began.
        elif role is text and (labelled or "`" in words or ":" in words):
            bare = words.strip()
            if not bare:
                continue
            is_item = bare[0] == "|" or (bare[0] in _ITEM_MARKS and bool(_LIST_ITEM.match(words)))
            own_label = ":" in words and _has_label(words)
            if "`" in words:
                listed = (
                    (everywhere or labelled or _BOX.match(words) is not None)
                    if is_item
                    else _goes_on_with_a_box(lines, index)
                )
                if listed or own_label:
                    whole = _with_the_rest(lines, index) if everywhere else line
                    checks += in_backticks(whole, level, following=_following(lines, index))
            if not is_item:
                labelled = own_label and words.rstrip().rstrip("*").endswith(":")
    return checks


def _with_the_rest(lines: Sequence[Line], index: int) -> Line:
    """Return a line with the words of the next one where its last backtick is closed there."""
    line = lines[index]
    if not line.text.count("`") % 2 or index + 1 >= len(lines):
        return line
    rest, ends, behind = lines[index + 1].text.strip().partition("`")
    is_rest = lines[index + 1].role is Role.TEXT and ends and not _LIST_ITEM.match(rest)
    return line._replace(text=f"{line.text.rstrip()} {rest}{ends}{behind}") if is_rest else line


def _goes_on_with_a_box(lines: Sequence[Line], index: int) -> bool:
    """Return whether a line that begins with a command goes on with a checkbox above it."""
    words = lines[index].text
    if not words[:1].isspace() or not words.lstrip().startswith(("`", "Run `")):
        return False
    for line in reversed(lines[max(0, index - _MOST_OF_ITEM) : index]):
        if line.role is not Role.TEXT or not line.text.strip() or _LIST_ITEM.match(line.text):
            return line.role is Role.TEXT and _BOX.match(line.text) is not None
    return False


_MOST_OF_ITEM = 6


_LANGUAGES_OF_TEXT = frozenset(("", "yaml", "yml", "text", "txt", "markdown", "md", "plaintext"))


def _has_only_comments(lines: Sequence[Line], opening: int) -> bool:
    """Return whether the fence that begins at a place holds no command."""
    for index in range(opening + 1, len(lines)):
        if lines[index].role is not Role.INSIDE:
            break
        if (bare := lines[index].text.strip()) and not bare.startswith("#"):
            return False
    return True


def _bare(found: re.Match[str]) -> str:
    """Return a command behind its label; what stands in quotes is one behind `command:` only."""
    words = found["command"].strip()
    return unquoted(words) if _NAMES_A_COMMAND.match(found[0]) else words


_NAMES_A_COMMAND = re.compile(r"\W*(?:commands?|run|exec\w*)\W*:", re.IGNORECASE)


def _inside(lines: Sequence[Line], index: int, level: int) -> list[Check]:
    """Return the commands of a line of a fence that stand behind a label."""
    line = lines[index]
    found = _PLAIN_COMMAND.match(line.text) if _FIRST_OF_LABEL.match(line.text) else None
    if found and index and _is_step_of_workflow(line.text, lines[index - 1].text):
        return []
    if found and is_surely_a_command(command := _bare(found)):
        is_set_up = effect_of(command) is Effect.ONLY
        return [] if is_set_up else [bare_check(command, line, level)]
    if found or ("`" in line.text and _has_label(line.text)):
        return in_backticks(line, level, following=_following(lines, index))
    return []


def _is_step_of_workflow(words: str, above: str) -> bool:
    """Return whether a quoted workflow file runs a line: `run: npm test` below `- name:`."""
    return words.lstrip().startswith("run:") and _STEP_OF_WORKFLOW.match(above) is not None


_STEP_OF_WORKFLOW = re.compile(r"\s*(?:-\s+)?(?:name|uses|if|id|shell|working-directory)\s*:")


def _following(lines: Sequence[Line], index: int) -> str:
    """Return the next line where it goes on with one that ends in backticks."""
    words = lines[index].text.rstrip()
    if not words.endswith(("`", "`**")) or index + 1 >= len(lines):
        return ""
    following = lines[index + 1]
    is_same = following.role is lines[index].role and following.text[:1].isspace()
    bare = following.text.strip()
    return bare if is_same and (bare[:1] in _ARROWS or bare.startswith(_GOES_ON)) else ""


_ARROWS = frozenset("→⇒")
_GOES_ON = ("->", "=>", "Expect", "expect", "FAILS")


def _has_label(words: str) -> bool:
    lower = words.lower()
    # One of them stands in every label; looking for them first is far quicker.
    if not has_any(lower, _STEMS):
        return False
    return bool(_LABELLED_FIRST.match(lower) or _LABELLED.search(lower))


_STEMS = tuple(
    "valid verif confirm check test run exec command gate prove acceptance functional vérif "
    "prüfung".split()
)


def in_backticks(line: Line, level: int, *, following: str = "") -> list[Check]:
    """Return the commands of a line that stand in backticks.

    Args:
        line: The line.
        level: The level that they belong to.
        following: The next line, where it says what is expected of the last one.

    """
    checks: list[Check] = []
    for found in _INLINE.finditer(line.text):
        is_last = found.end() == len(line.text)
        behind = following if following and is_last else found[2]
        words = found[1].strip()
        is_command = (
            _is_command(words)
            or _is_all_that_is_said(words, line.text, found)
            or _is_script_that_passes(words, line.text, found)
            or _is_script_alone(words, line.text, found)
        )
        if is_command and not is_only_spoken_of(line.text, found, behind):
            check = _inline_check(_without_marks(words), line, level, behind=behind)
            checks.append(_with_label(check, line, found))
    return checks


def _without_marks(words: str) -> str:
    """Return a command without the backslashes that keep its backticks from ending it."""
    return _QUOTED_TEXT.sub(lambda found: found[0].replace("\\`", "`"), words)


def _is_all_that_is_said(words: str, text: str, found: re.Match[str]) -> bool:
    """Return whether a program that we don't know is the proof of an item: `No dead links: ...`."""
    is_alone = text[: found.start()].rstrip(" *").endswith(":") and not found[2].strip(" .*")
    return is_alone and _BOX.match(text) is not None and bool(_WITH_OPTION.fullmatch(words))


def _is_script_that_passes(words: str, text: str, found: re.Match[str]) -> bool:
    """Return whether a script without arguments is said to pass, or to be run: `./x.sh` exits 0."""
    if "./" not in words or not _SCRIPT.fullmatch(words):
        return False
    return bool(_PASSES.match(found[2]) or _RUN_BEFORE.search(text[: found.start()]))


def _is_script_alone(words: str, text: str, found: re.Match[str]) -> bool:
    """Return whether a script, perhaps with arguments, is all of an item."""
    is_item = not found[2] and _ALONE.fullmatch(text[: found.start()]) is not None
    return is_item and _WITH_WORDS.fullmatch(words) is not None


# An item that is nothing else: `- `./scripts/smoke.sh --all``
_ALONE = re.compile(r"\s*(?:[-*]|\d+[.)])\s+")
_WITH_WORDS = re.compile(r"\./[\w./-]*\w\.(?:sh|bash|py)(?:\s[\w./:=-]+)*")
_SCRIPT = re.compile(r"(?:\w+=\S+\s+)*\./[\w./-]*\w\.(?:sh|bash|py)")
_PASSES = re.compile(
    r"[\s*]*(?:exits?|pass(?:es|ed)?|succeeds?|completes?|finishes|returns?|is green|prints?)\b"
)
_RUN_BEFORE = re.compile(
    r"\b(?:(?:re-?)?run(?:s|ning|:)?(?:\s[\w ]{1,30}:)?|passed:|time)\s*(?:the |full )?$",
    re.IGNORECASE,
)
# A program where the document has it installed: `"$HOME/bin/tool" --version`.
_OWN_PROGRAM = re.compile(r"\"\$\{?\w+\}?/[\w./-]+\"(?:\s+[\w./=-]+){1,8}")


# Letters that only begin a program, and an option or a script among what follows.
_WITH_OPTION = re.compile(
    r"\./[\w./-]+\.sh(?:\s.*)?|[a-z][a-z0-9_-]*(?:\s[\w./:@=-]+){0,4}\s--?[a-z][\w-]*(?:[\s=].*)?"
)


def _with_label(check: Check, line: Line, found: re.Match[str]) -> Check:
    """Give a check what the label before it expects: `No warnings: ...`."""
    label = line.text[: found.start()].rstrip()
    if check.expectation.line or not label.rstrip("*").endswith(":") or "`" in label:
        return check
    said = _NOTHING_OF.search(label)
    words = "expect nothing" if said else label
    expectation = hinted_above(words, line=line.number, command=check.command)
    return changed(check, expectation=changed(expectation, text=label)) if expectation else check


_NOTHING_OF = re.compile(r"^\W*(?:\[.?\]\s*)?\W*(?:no|zero)\b(?! change)", re.IGNORECASE)


# `next == "a"`: the name of a variable may be that of a program.
_COMPARED = re.compile(r"[\w.]+\s+(?:[=!<>:]=|=>|=)(?:\s|$)")
_STATE = re.compile(r"(?:cd|export|source)\s|\w+=")


def _is_command(words: str) -> bool:
    bare = words.removeprefix("! ")
    if bare in TEST_TOOLS:
        return True
    if bare.startswith('"$'):
        return _OWN_PROGRAM.fullmatch(bare) is not None
    # Most of what stands in backticks is one word, a name or a path.
    if " " not in bare or _COMPARED.match(bare):
        return False
    is_known = LOOKS_LIKE_SHELL.match(bare) or _CONDITION.match(bare)
    is_whole = bool(is_known) and not lacks_operands(bare)
    # `export A=1` alone proves nothing.
    return is_whole and not (_STATE.match(bare) and effect_of(bare) is Effect.ONLY)


_BEHIND = re.compile(
    r"(?<=\s)(?:(?:→|->|=>|—|–)\s+(?P<said>.*)|\((?P<aside>(?:[^()`$]|`[^`()]*`)*)\)\s*)$"
)


def bare_check(text: str, line: Line, level: int) -> Check:
    """Return the check of a command that stands without backticks, with prose behind it."""
    return _inline_check(text, line, level, is_bare=True)


def _inline_check(
    text: str, line: Line, level: int, *, behind: str = "", is_bare: bool = False
) -> Check:
    part = split_commands([line._replace(text=text)])
    command = part[0] if part and isinstance(part[0], Command) else None
    if command is None:
        command = Command(text=text, line=line.number, last_line=line.number)
    said = (command.behind or behind)[:_MOST_SAID]
    if aside := _BEHIND.search(command.text):
        said = aside["said"] or aside["aside"] or said
        command = command._replace(text=command.text[: aside.start()].rstrip())
    if is_bare and (end := _end_of_command(command.text)):
        said = command.text[end:].strip()
        command = command._replace(text=_OPEN_ASIDE.sub("", command.text[:end]).rstrip())
    said = said.lstrip(" \t→—–=>:-").rstrip().rstrip(",;").rstrip()
    return check_of(command._replace(behind=said), level=level, setup=())


def _end_of_command(text: str) -> int:
    """Return where prose begins behind a command, 0 where there is none."""
    for found in _PROSE.finditer(text):
        if not open_quote(text[: found.start()], ""):
            return found.start()
    return 0


# Words that no command has for its arguments.
_PROSE = re.compile(
    r"\s(?:OR|or|must|should|passes|succeeds?|after|again|one (?:final|more|last)|once more|still|"
    r"to (?:ensure|verify|confirm|check|make|see|catch|prove|validate)|(?:is|are|stays?) \w+$|"
    r"returns|prints|shows|on the|and (?:verify|ensure|confirm|check|fix|make)|with (?:no|zero)|"
    r"without)(?:\s|$)"
)
_OPEN_ASIDE = re.compile(r"\s\([^()]*$")


# What is expected is said in fewer characters than these, if it is said in a form that counts.
_MOST_SAID = 400


# These are also words of English, and a word behind them makes a sentence.
_AMBIGUOUS = set(
    "find make test go just task source watch time cat ls diff export bash sh http tree echo mix "
    "java node deno next task rails safety black coverage head tail stat du lua julia fish".split()
)


def is_surely_a_command(text: str) -> bool:
    """Return whether words without backticks are a command and no sentence."""
    text = text.removeprefix("! ")
    first, _, rest = text.partition(" ")
    rest = rest.lstrip()
    if rest.startswith(("(", "+ ", ", ")):
        return first in TEST_TOOLS
    if "`" in text and "`" in _QUOTED.sub("", text).partition(" (")[0].partition(" #")[0]:
        return False
    if not LOOKS_LIKE_SHELL.match(text) or first.lower() in _AMBIGUOUS:
        is_goal = first in ("go", "make") and rest.split(" ")[0] in _SURE_WORDS
        return is_goal or _SURE_FORM.match(text) is not None
    return (bool(rest) and not lacks_operands(text)) or first in TEST_TOOLS


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# Words of English too, in forms that no sentence has.
_SURE_FORM = re.compile(
    r"test\s+(?:!\s+)?(?:-[a-zL]\s|[\"'$])|\[\[?\s.*\s\]|case\s.*\sesac\b|if\s.*;\s*then\b|"
    r"(?:bash|sh|node|deno|java|julia|lua|cat|ls|diff|head|tail|stat|du|tree)\s+(?:-\S+\s+)*"
    r"(?:[\w.~$\"'-]*(?:/\S|\.\w{1,4}(?:\s|$))|[A-Z]{4,}(?:\s|$))|ls\s+-\w+|go\s+(?:run|doc|list|fmt|generate)\s+\S*[./]|"
    r"go\s+mod\s+(?:tidy|verify|vendor|graph|why|download)\b|"
    r"find\s+\S+\s+(?:\S+\s+)*?-(?:name|type|path|iname|maxdepth)\b|"
    r"\w[\w.-]*/[\w./-]*\w\.(?:sh|py|rb|[cm]?js)\s+--?\w"
)
# What is compared: the output of something, or what was kept of it.
_CONDITION = re.compile(r"\[\s.*\s\]$|case\s\"?\$\(.*\sesac$")
_SURE_WORDS = {"test", "vet", "build", "check", "lint", "typecheck", "all", "ci"}
