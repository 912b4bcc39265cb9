"""Whether an address of the needed context may be fetched."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from agent.prp.model import Finding, Reference
from agent.prp.rules import finding, shortened


def about_address(reference: Reference) -> Iterator[Finding]:
    """Return findings about a reference to a page."""
    target, line = reference.target, reference.line
    try:
        parts = urlsplit(target)
        host, has_user = parts.hostname or "", bool(parts.username or parts.password)
    except ValueError:
        yield finding("I38", line, f"{shortened(target)} is no address", "Write it in full.")
        return
    if has_user:
        yield finding(
            "I45",
            line,
            f"The address of {host} holds a user name or a password",
            "Take it out, and revoke it.",
        )
    if not parts.scheme:
        yield finding("I38", line, f"{shortened(target)} is no address", "Write it in full.")
    elif parts.scheme not in ("http", "https"):
        yield finding(
            "I38",
            line,
            f"prp does not open `{parts.scheme}:` addresses",
            "Use https, or a file of the repository.",
        )
    elif is_private(host):
        yield finding(
            "I39",
            line,
            f"{shortened(target)} is on this machine or a private network and is not fetched",
            "Copy what matters into a docfile.",
        )


_PRIVATE_NAMES = re.compile(
    r"(^|\.)(localhost|local|internal|lan|home|corp|intranet)$|^metadata(\.|$)"
)


def is_private(host: str) -> bool:
    """Return whether a host's name or number means this machine or a private network."""
    plain = host.rstrip(".").lower()
    if not plain or _PRIVATE_NAMES.search(plain):
        return True
    number = _number(plain)
    if number is None:
        return False
    mapped = getattr(number, "ipv4_mapped", None) or number
    return not mapped.is_global


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address in any of the forms that systems accept: 127.1, 0x7f000001, 2130706433."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    parts = host.split(".")
    if len(parts) > 4 or not all(_A_NUMBER.fullmatch(part) for part in parts):
        return None
    values = [int(p, 16) if p[:2] == "0x" else int(p, 8 if _is_octal(p) else 10) for p in parts]
    *high, low = values
    if any(value > 255 for value in high) or low >= 256 ** (5 - len(parts)):
        return None
    return ipaddress.IPv4Address(
        sum(value << (8 * (3 - place)) for place, value in enumerate(high)) + low
    )


_A_NUMBER = re.compile(r"0x[0-9a-f]{1,16}|\d{1,16}")


def _is_octal(text: str) -> bool:
    return len(text) > 1 and text[0] == "0" and set(text) <= set("01234567")
