"""What the comments of a command say of it: a server, what needs a secret, what mends files."""

import re
from collections.abc import Sequence

from agent.prp.changed import changed
from agent.prp.lines import Line
from agent.prp.model import Check, CheckKind
from agent.prp.serving import names_this_machine


def as_commented(check: Check, above: str, behind: str, lines: Sequence[Line]) -> Check:
    """Return a check of the kind that the comments directly above it and on its line tell.

    Args:
        check: A command; only what its own words leave free to run is looked at.
        above: The comment above, empty where there is none.
        behind: That on its line: `# ESLint with auto-fix`.
        lines: The fence; what a comment calls a server is one where something in it is asked.

    """
    if not (above or behind) or check.kinds != (CheckKind.RUN,):
        return check
    if "fix" in behind.lower() and _MENDS.search(behind):
        return changed(check, kinds=(CheckKind.MUTATING,))
    if "tart" in above and _STARTS.match(above):
        is_asked = any(names_this_machine(line.text) for line in lines[1:])
        return changed(check, kinds=(CheckKind.SERVER,)) if is_asked else check
    if "_" in above and _NEEDS.search(above):
        return changed(check, kinds=(CheckKind.SECRET,))
    return check


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
