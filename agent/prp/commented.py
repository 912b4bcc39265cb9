"""What the comment above a command says that it is: a server, or something that needs a secret."""

import re
from collections.abc import Sequence

from agent.prp.changed import changed
from agent.prp.lines import Line
from agent.prp.model import Check, CheckKind
from agent.prp.serving import names_this_machine


def as_commented(check: Check, above: str, lines: Sequence[Line]) -> Check:
    """Return a check of the kind that the comment directly above it tells.

    Args:
        check: A command; only what its own words leave free to run is looked at.
        above: The comment, empty where there is none.
        lines: The fence; what a comment calls a server is one where something in it is asked.

    """
    if not above or check.kinds != (CheckKind.RUN,):
        return check
    if "tart" in above and _STARTS.match(above):
        is_asked = any(names_this_machine(line.text) for line in lines[1:])
        return changed(check, kinds=(CheckKind.SERVER,)) if is_asked else check
    if "_" in above and _NEEDS.search(above):
        return changed(check, kinds=(CheckKind.SECRET,))
    return check


def as_noted(check: Check, behind: str) -> Check:
    """Return a check as one that changes files where the comment on its line says that it mends."""
    is_free = check.kinds == (CheckKind.RUN,)
    return (
        changed(check, kinds=(CheckKind.MUTATING,)) if is_free and _MENDS.search(behind) else check
    )


_MENDS = re.compile(r"(?<!no )(?<!without )\bauto-?fix", re.IGNORECASE)


# `# Start the API server`, `# Terminal 1: start backend`
_STARTS = re.compile(
    r"\W*(?:(?:terminal|shell|step)\s+\d+\W+)?(?:first,?\s+)?start(?:ing)?\s+(?:up\s+)?"
    r"(?:(?:the|your|our|a|an)\s+)?(?:[\w./-]+\s+){0,2}"
    r"(?:server|service|app|application|api|backend|frontend|website|daemon|system|gateway|platform)\b",
    re.IGNORECASE,
)
# `# Smoke test (requires SHOP_API_KEY)`
_NEEDS = re.compile(
    r"\b(?:[Rr]equires?|[Nn]eeds?)\b[^\n]{0,30}?\b[A-Z][A-Z0-9_]*_(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)\b"
)
