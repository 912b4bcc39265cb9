"""Checks that need the network, of which a part is within reach."""

import re
from collections.abc import Callable
from dataclasses import replace

from agent.prp.model import Check, CheckKind, Prp

_ADDRESS = re.compile(r"\b(https?)://([^\s/:'\"`)>|;&$]+)(?::(\d+))?(?=[\s/?#'\"`)>|;&]|$)")
_USUAL = {"http": 80, "https": 443}


def with_reach(prp: Prp, may_ask: Callable[[str, int], bool]) -> Prp:
    """Return the document with those checks to be run whose addresses may all be asked.

    Args:
        prp: The document.
        may_ask: Tells whether a host and a port are within reach of commands.

    """

    def reached(checks: tuple[Check, ...]) -> tuple[Check, ...]:
        return tuple(_reached(check, may_ask) for check in checks)

    levels = tuple(replace(level, checks=reached(level.checks)) for level in prp.levels)
    return replace(prp, levels=levels, loose_checks=reached(prp.loose_checks))


def _reached(check: Check, may_ask: Callable[[str, int], bool]) -> Check:
    # What needs a container, or installs something, names no address and stays as it is.
    asked = _ADDRESS.findall(check.command) if check.kind is CheckKind.NETWORK else []
    if not asked or not all(may_ask(h, int(p or _USUAL[s])) for s, h, p in asked):
        return check
    kinds = [kind for kind in check.kinds if kind is not CheckKind.NETWORK]
    return replace(check, kinds=(CheckKind.RUN, *(k for k in kinds if k is not CheckKind.RUN)))
