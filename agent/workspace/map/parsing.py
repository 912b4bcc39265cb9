"""A program of its own: reads source texts and says what they define and what they name.

Grammars are C code that reads what anybody wrote. So this is started as a process without a key in
its environment; before it reads the first text it gives up opening files and sockets, starting
processes and taking memory without end, and a text that takes too long ends it. Who started it
reads what it has said by then, and goes on behind the text that it ended at.

Standard input has, for each text, a line `{"language": ..., "size": ...}` and so many bytes;
standard output has a line of JSON for each, in the same order. It imports nothing of the package.
"""

import contextlib
import json
import re
import resource
import signal
import sys
from collections import Counter
from importlib import import_module
from typing import Any, NamedTuple

_SECONDS_A_TEXT = 1.0
_MEMORY = 2 << 30
_MOST_DEFINITIONS = 400
_MOST_NAMES = 600
_LONGEST_SIGNATURE = 140
_NAME_LENGTHS = range(3, 61)
_COMMENT = re.compile(rb"(?<=\s)(?:#|//)(?![^\n]*\")[^\n]*")


class Grammar(NamedTuple):
    """A language: where its grammar is, and what in it is a definition, a part, a name."""

    module: str
    function: str
    boxes: str
    """Definitions that hold others: `@name`, and `@box` around it."""
    leaves: str
    """Definitions whose inside is nobody else's business: `@name`, and `@leaf` around it."""
    names: str
    """Kinds of nodes that are names."""
    paths: str = ""
    """Where it names a file in a string: `@path`."""


_JAVASCRIPT_BOXES = "(class_declaration name: (_) @name) @box"
_JAVASCRIPT_LEAVES = """
(function_declaration name: (_) @name) @leaf
(generator_function_declaration name: (_) @name) @leaf
(method_definition name: (_) @name) @leaf
(program (_ (variable_declarator name: (identifier) @name
  value: [(arrow_function) (function_expression)])) @leaf)
(export_statement (_ (variable_declarator name: (identifier) @name
  value: [(arrow_function) (function_expression)])) @leaf)
"""
_JAVASCRIPT_PATHS = """
(import_statement source: (string (string_fragment) @path))
(export_statement source: (string (string_fragment) @path))
"""
_TYPESCRIPT_BOXES = """
(class_declaration name: (_) @name) @box
(abstract_class_declaration name: (_) @name) @box
(interface_declaration name: (_) @name) @box
(internal_module name: (_) @name) @box
"""
_TYPESCRIPT_LEAVES = f"""{_JAVASCRIPT_LEAVES}
(function_signature name: (_) @name) @leaf
(abstract_method_signature name: (_) @name) @leaf
(method_signature name: (_) @name) @leaf
(type_alias_declaration name: (_) @name) @leaf
(enum_declaration name: (_) @name) @leaf
"""
_TYPESCRIPT_NAMES = "identifier property_identifier shorthand_property_identifier type_identifier"

GRAMMARS = {
    "python": Grammar(
        "tree_sitter_python",
        "language",
        "(class_definition name: (_) @name) @box",
        "(function_definition name: (_) @name) @leaf",
        "identifier",
    ),
    "javascript": Grammar(
        "tree_sitter_javascript",
        "language",
        _JAVASCRIPT_BOXES,
        _JAVASCRIPT_LEAVES,
        "identifier property_identifier shorthand_property_identifier",
        _JAVASCRIPT_PATHS,
    ),
    "typescript": Grammar(
        "tree_sitter_typescript",
        "language_typescript",
        _TYPESCRIPT_BOXES,
        _TYPESCRIPT_LEAVES,
        _TYPESCRIPT_NAMES,
        _JAVASCRIPT_PATHS,
    ),
    "tsx": Grammar(
        "tree_sitter_typescript",
        "language_tsx",
        _TYPESCRIPT_BOXES,
        _TYPESCRIPT_LEAVES,
        _TYPESCRIPT_NAMES,
        _JAVASCRIPT_PATHS,
    ),
    "go": Grammar(
        "tree_sitter_go",
        "language",
        "(type_spec name: (_) @name type: (interface_type)) @box",
        """
        (function_declaration name: (_) @name) @leaf
        (method_declaration name: (_) @name) @leaf
        (method_elem name: (_) @name) @leaf
        (type_spec name: (_) @name) @leaf
        """,
        "identifier field_identifier type_identifier",
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        "language",
        """
        (impl_item type: (_) @name) @box
        (trait_item name: (_) @name) @box
        (mod_item name: (_) @name body: (_)) @box
        """,
        """
        (function_item name: (_) @name) @leaf
        (function_signature_item name: (_) @name) @leaf
        (struct_item name: (_) @name) @leaf
        (enum_item name: (_) @name) @leaf
        (union_item name: (_) @name) @leaf
        (type_item name: (_) @name) @leaf
        (macro_definition name: (_) @name) @leaf
        """,
        "identifier field_identifier type_identifier",
    ),
    "java": Grammar(
        "tree_sitter_java",
        "language",
        """
        (class_declaration name: (_) @name) @box
        (interface_declaration name: (_) @name) @box
        (enum_declaration name: (_) @name) @box
        (record_declaration name: (_) @name) @box
        (annotation_type_declaration name: (_) @name) @box
        """,
        """
        (method_declaration name: (_) @name) @leaf
        (constructor_declaration name: (_) @name) @leaf
        """,
        "identifier type_identifier",
    ),
}


def main() -> None:
    """Answer each text that comes."""
    readers = {language: Reader(GRAMMARS[language]) for language in sys.argv[1:]}
    _give_up_what_is_not_needed()
    source = sys.stdin.buffer
    for line in iter(source.readline, b""):
        head = json.loads(line)
        text = source.read(head["size"])
        # Of the processor's time, so that a busy machine ends nobody.
        signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS_A_TEXT)
        said = readers[head["language"]].read(text)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        sys.stdout.write(f"{json.dumps(said)}\n")
        sys.stdout.flush()


def _give_up_what_is_not_needed() -> None:
    """Open no more files or sockets, start nothing, write no file, leave no core behind."""
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_AS, _MEMORY),
    ):
        # Not every system knows each of them.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


class Reader:
    """Reads texts of one language."""

    def __init__(self, grammar: Grammar) -> None:
        """Load the grammar."""
        from tree_sitter import Language, Parser, Query  # noqa: PLC0415 - only where a map is drawn

        language = Language(getattr(import_module(grammar.module), grammar.function)())
        self._parser = Parser(language)
        self._definitions = Query(language, f"{grammar.boxes}\n{grammar.leaves}")
        kinds = " ".join(f"({kind})" for kind in grammar.names.split())
        self._names = Query(language, f"[{kinds}] @name\n{grammar.paths}")

    def read(self, text: bytes) -> dict[str, Any]:
        """Return definitions as line, depth, name and signature; and how often names are there."""
        from tree_sitter import QueryCursor  # noqa: PLC0415 - as above

        root = self._parser.parse(text).root_node
        found = {}
        for _, captured in QueryCursor(self._definitions).matches(root):
            box = captured.get("box")
            node = (box or captured["leaf"])[0]
            place = (node.start_byte, node.end_byte)
            # What is a leaf to one pattern may be a box to another.
            if box or place not in found:
                found[place] = (node, captured["name"][0], box)
        captured = QueryCursor(self._names).captures(root)
        names = Counter(
            text[node.start_byte : node.end_byte].decode("utf-8", "replace")
            for node in captured.get("name", ())
            if node.end_byte - node.start_byte in _NAME_LENGTHS
        )
        for node in captured.get("path", ()):
            # `./parts/list.js` is the file `list`, or the folder of its index.
            path = text[node.start_byte : node.end_byte].decode("utf-8", "replace")
            names[path.rpartition("/")[2].partition(".")[0][:60]] += 1
        often = sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_NAMES]
        return {"definitions": _outer(found, text)[:_MOST_DEFINITIONS], "names": dict(often)}


def _outer(found: dict[tuple[int, int], Any], text: bytes) -> list[tuple[int, int, str, str]]:
    """Return the definitions in the text's order, without those inside of functions."""
    around: list[tuple[int, bool]] = []
    told = []
    for (start, end), (node, name, box) in sorted(
        found.items(), key=lambda pair: (pair[0][0], -pair[0][1])
    ):
        while around and around[-1][0] <= start:
            around.pop()
        if all(is_box for _, is_box in around):
            words = name.text.decode("utf-8", "replace")
            place = node.start_point[0] + 1
            told.append((place, len(around), words[:60], _signature(node, text)))
        around.append((end, bool(box)))
    return told


def _signature(node: Any, text: bytes) -> str:
    """Return a definition's words up to its body, on one line."""
    body = _body(node)
    raw = text[node.start_byte : body.start_byte if body else node.end_byte]
    if not body:
        # `type A = {`: nothing behind the first brace, or the first line.
        raw = raw.partition(b"{")[0].partition(b"\n")[0]
    raw = _COMMENT.sub(b"", raw[: 4 * _LONGEST_SIGNATURE])
    words = " ".join(raw.decode("utf-8", "replace").split())
    if node.type == "type_spec":  # Go: the word stands before them all
        words = f"type {words}"
    words = (
        words.removesuffix("=>")
        .rstrip(" :;{=")
        .replace("( ", "(")
        .replace(", )", ")")
        .replace(" )", ")")
    )
    if len(words) <= _LONGEST_SIGNATURE:
        return words
    return f"{words[: _LONGEST_SIGNATURE - 3]}..."


def _body(node: Any) -> Any:
    body = node.child_by_field_name("body")
    if body:
        return body
    for child in node.named_children:
        if child.type == "variable_declarator":
            value = child.child_by_field_name("value")
            return value.child_by_field_name("body") if value else None
    return None


if __name__ == "__main__":
    main()
