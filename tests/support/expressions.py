"""The expressions of workflows (`${{ ... }}`), as far as ours use them."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<sign>&&|\|\||==|!=|[!().,\[\]]))"
)
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


def filled(text: str, context: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    """Return text with its expressions evaluated; one that is all of it keeps its type."""
    whole = re.fullmatch(r"\s*\$\{\{(.*)\}\}\s*", text, re.DOTALL)
    if whole and "${{" not in whole[1]:
        return evaluate(whole[1], context, functions)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda f: shown(evaluate(f[1], context, functions)), text)


def shown(value: Any) -> str:
    """Return a value as the runner writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def evaluate(text: str, context: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    """Return the value of an expression."""
    tokens, place = [], 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        assert found, f"what is {text[place:]!r}?"
        tokens.append(found)
        place = found.end()
    parser = _Parser(tokens, context, functions)
    value = parser.either()
    assert not parser.left, f"{text!r} goes on"
    return value


class _Parser:
    def __init__(
        self,
        tokens: list[re.Match[str]],
        context: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.left, self.context, self.functions = tokens, context, functions

    def _next(self, *signs: str) -> str:
        if self.left and self.left[0]["sign"] in signs:
            return str(self.left.pop(0)["sign"])
        return ""

    def either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._same()
        while self._next("&&"):
            other = self._same()
            value = value and other
        return value

    def _same(self) -> Any:
        value = self._single()
        while sign := self._next("==", "!="):
            other = self._single()
            value = (shown(value).lower() == shown(other).lower()) is (sign == "==")
        return value

    def _single(self) -> Any:
        if self._next("!"):
            return not self._single()
        if self._next("("):
            value = self.either()
            assert self._next(")")
            return value
        token = self.left.pop(0)
        if token["text"]:
            return token["text"][1:-1].replace("''", "'")
        if token["number"]:
            return float(token["number"])
        return self._named(str(token["name"]))

    def _named(self, name: str) -> Any:
        if self._next("("):
            given = []
            while not self._next(")"):
                given.append(self.either())
                self._next(",")
            return self.functions[name](*given)
        value = _CONSTANTS[name] if name in _CONSTANTS else self.context[name]
        while self._next("."):
            key = self.left.pop(0)["name"]
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def contains(where: Any, what: Any) -> bool:
    """Return whether a list has a value, or a text another one."""
    if isinstance(where, list):
        return what in where
    return shown(what).lower() in shown(where).lower()


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "contains": contains,
    "startsWith": lambda text, start: shown(text).lower().startswith(shown(start).lower()),
    "fromJSON": json.loads,
}
