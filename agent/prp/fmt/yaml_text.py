"""Blocks that were meant as YAML, made valid: quotes where YAML needs them, one form for tasks."""

import re
import textwrap
from collections.abc import Iterator, Sequence

from agent.prp.lines import Fence, Line, Role
from agent.prp.lint.blocks_of_yaml import about_yaml
from agent.prp.model import Finding
from agent.prp.scalars import quoted, unquoted


def problems(code: Sequence[str]) -> list[Finding]:
    """Return what is wrong with a block as YAML; lines are counted from 1."""
    lines = tuple(Line(number, text, Role.INSIDE) for number, text in enumerate(code, 1))
    return list(about_yaml(Fence(language="yaml", line=1, lines=lines)))


def is_valid(code: Sequence[str]) -> bool:
    """Return whether a block is YAML that a loader reads without loss."""
    return not problems(code)


def is_loadable(code: Sequence[str]) -> bool:
    """Return whether a block is YAML, perhaps with a key that stands twice."""
    return not _errors(code)


def _errors(code: Sequence[str]) -> list[Finding]:
    return [problem for problem in problems(code) if problem.code != "I23"]


_TASK = re.compile(
    r"^\s{0,3}[*_`]*(?:Task|TASK)\s*#?(?P<label>\d+(?:\.\d+)*[a-z]?)\b[*_`]*\s*[-–—:.]*\s*(?P<title>.*?)$"
)
_CHANGE = re.compile(
    r"^(?P<verb>CREATE|ADD|WRITE|MODIFY|UPDATE|EXTEND|REPLACE|REFACTOR|EDIT|DELETE|REMOVE|RENAME|"
    r"MOVE)\s+(?P<path>[\w@./\[\]{}()$+-]*[/.][\w@./\[\]{}()$+-]+)\s*:?$"
)


def tasks_as_yaml(code: Sequence[str]) -> list[str]:
    """Return the tasks of a block in the template's form.

    Args:
        code: The lines of the block.

    Returns:
        Valid YAML with one key for each task; empty where the block holds no tasks, or something
        before the first one.

    """
    starts = [place for place, line in enumerate(code) if _TASK.match(line)]
    if not starts:
        return []
    head = list(code[: starts[0]])
    if any(line.strip() and not line.lstrip().startswith("#") for line in head):
        return []
    written = head
    for first, last in zip(starts, [*starts[1:], len(code)], strict=True):
        written += _task(code[first], list(code[first + 1 : last]))
    while written and not written[-1].strip():
        written.pop()
    return written if is_valid(written) else []


def _task(head: str, body: list[str]) -> list[str]:
    """Return one task: as keys and bullets where it has that shape, else as a literal text."""
    found = _TASK.match(head)
    title = _unmarked(found["title"].strip()).rstrip(":").strip() if found else head
    label = found["label"] if found else ""
    key = f"Task {label} - {title}" if title else f"Task {label}"
    blank = 0
    while body and not body[-1].strip():
        body.pop()
        blank += 1
    if not is_valid([f"{key}:"]):
        key = quoted(key)
    literal = textwrap.dedent("\n".join(body if _has_recipe(body) else map(_expanded, body)))
    indicator = "|2" if literal[:1] in (" ", "\t") else "|"
    shaped = _shaped(title, body)
    forms = [] if shaped is None else [[f"{key}:", *shaped]]
    if body:
        forms.append(
            [f"{key}: {indicator}", *(f"  {line}" if line else "" for line in literal.split("\n"))]
        )
    for lines in forms:
        if is_valid(lines):
            return [*lines, *[""] * min(blank, 1)]
    return [head, *body, *[""] * blank]


def _has_recipe(body: Sequence[str]) -> bool:
    """Return whether tabs indent something else than bullets: in a Makefile they mean something."""
    return any("\t" in _margin(line) and line.strip()[:1] not in ("", "-", "*") for line in body)


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _expanded(line: str) -> str:
    """Return a line indented with blanks; tabs behind its beginning stay."""
    return _margin(line).expandtabs(4) + line.lstrip()


def _unmarked(title: str) -> str:
    """Return a title without the end of an emphasis that began before it."""
    for mark in ("**", "__", "`", "*", "_"):
        if title.endswith(mark) and title.count(mark) % 2:
            title = title.removesuffix(mark)
    return title


def _shaped(title: str, body: Sequence[str]) -> list[str] | None:
    """Return the body as `VERB path:` keys with bullets, None where it is neither."""
    change = _CHANGE.match(title)
    written = [f"  {change['verb']} {change['path']}:"] if change else []
    depth = 4 if change else 2
    place = 0
    if _has_recipe(body):
        return None
    lines = [_expanded(line).rstrip() for line in body]
    while place < len(lines):
        line = lines[place].strip()
        if own := _CHANGE.match(line):
            written.append(f"  {own['verb']} {own['path']}:")
            depth = 4
        elif line.startswith("#"):
            written.append(f"{' ' * depth}{line}")
        elif line.startswith(("- ", "* ")):
            end = _end_of_bullet(lines, place)
            written += _bullet(lines[place:end], depth)
            place = end
            continue
        elif line:
            return None
        place += 1
    return written


def _end_of_bullet(lines: Sequence[str], start: int) -> int:
    indent = _indent(lines[start])
    end = start + 1
    while end < len(lines):
        line = lines[end]
        if line.strip() and (_indent(line) <= indent or _CHANGE.match(line.strip())):
            break
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _bullet(lines: Sequence[str], depth: int) -> list[str]:
    """Return a bullet with what goes on below it, as one scalar or as a literal text."""
    pad = " " * depth
    first = lines[0].strip()[1:].strip()
    if len(lines) == 1:
        plain = f"- {first}"
        return [pad + (plain if is_valid([plain]) else f"- {quoted(first)}")]
    inner = _indent(lines[0]) + 2
    rest = [line[min(inner, _indent(line)) :] for line in lines[1:]]
    return [f"{pad}- |", f"{pad}  {first}", *(f"{pad}  {line}" if line else "" for line in rest)]


_PAIR = re.compile(r"^(?P<head>\s*(?:-\s+)?[\w@./ ()&+-]+?:\s+)(?P<value>\S.*?)\s*$")
_ITEM = re.compile(r"^(?P<head>\s*-\s+)(?P<value>\S.*?)\s*$")


def mended(code: Sequence[str]) -> list[str]:
    """Return a block with values quoted until it is valid; empty where that does not help."""
    return _mended_whole(list(code)) or _mended_whole(_folded(code))


def _mended_whole(code: list[str]) -> list[str]:
    """Mend entry by entry, because looking at all of a long block for each slip takes too long."""
    entries = [_mended(list(entry)) or list(entry) for entry in _entries(code)]
    lines = [line for entry in entries for line in entry]
    return lines if is_loadable(lines) else _mended(list(code))


def _entries(code: Sequence[str]) -> Iterator[Sequence[str]]:
    """Return the entries of a block: what begins at its left edge, with everything below."""
    edge = min((_indent(line) for line in code if line.strip()), default=0)
    start = 0
    for index, line in enumerate(code):
        begins = line.strip() and _indent(line) == edge and not line.strip().startswith("#")
        if begins and index > start:
            yield code[start:index]
            start = index
    yield code[start:]


# Lines that may be parsed for one entry or block, all tries together.
_MOST_PARSED = 20_000


def _mended(lines: list[str]) -> list[str]:
    for _ in range(min(2 * len(lines), _MOST_PARSED // max(len(lines), 1)) + 1):
        wrong = _errors(lines)
        if not wrong:
            return lines
        place = min(wrong[0].line, len(lines)) - 1
        changed = next(
            (
                (at, better)
                for at in (place, place - 1, place - 2)
                if at >= 0
                for better in (_with_quotes(lines[at]),)
                if better != lines[at]
            ),
            None,
        )
        if changed is None:
            return []
        lines[changed[0]] = changed[1]
    return []


def _folded(code: Sequence[str]) -> list[str]:
    """Return a block with values that go on over lines put on one line each."""
    lines: list[str] = []
    for line in code:
        words = line.strip()
        goes_on = (
            bool(lines)
            and bool(words)
            and bool(_PAIR.match(lines[-1]) or _ITEM.match(lines[-1]))
            and _indent(line) > _indent(lines[-1])
            and not words.startswith(("- ", "#"))
            and not lines[-1].rstrip().endswith(("|", ">"))
            and not re.match(r"[\w-]+:(\s|$)", words)
        )
        if goes_on:
            lines[-1] = f"{lines[-1].rstrip()} {words}"
        else:
            lines.append(line)
    return lines


def _with_quotes(line: str) -> str:
    for pattern in (_PAIR, _ITEM):
        found = pattern.match(line)
        if found and _is_bare(found["value"]) and not _is_fine(found["value"]):
            return found["head"] + quoted(found["value"])
    if (found := _ITEM.match(line)) and _is_bare(found["value"]) and ": " not in line:
        return found["head"] + quoted(found["value"])
    return line


def _is_bare(value: str) -> bool:
    return value[0] not in "|>#" and unquoted(value) == value


def _is_fine(value: str) -> bool:
    return is_valid([f"k: {value}"])
