"""Names of hosts that may be asked, and addresses that may not, whatever name leads to them."""

import ipaddress
import re
from dataclasses import dataclass

WEB_PORTS = (80, 443)
"""The ports that a rule without one allows."""


@dataclass(frozen=True, kw_only=True)
class HostRule:
    """One entry of the list of allowed hosts."""

    name: str
    """In lower case: exactly this host, or with a leading dot every host below it."""
    ports: tuple[int, ...] = WEB_PORTS

    def covers(self, host: str, port: int) -> bool:
        """Return whether a host and a port may be asked; the host as `host_name` returns it."""
        return port in self.ports and self._covers_name(host)

    def covers_rule(self, other: "HostRule") -> bool:
        """Return whether everything that another rule allows is allowed by this one too."""
        return set(other.ports) <= set(self.ports) and self._covers_name(other.name)

    def _covers_name(self, name: str) -> bool:
        return name == self.name or (self.name.startswith(".") and name.endswith(self.name))

    def __str__(self) -> str:
        """Return the rule as it is written."""
        return self.name if self.ports == WEB_PORTS else f"{self.name}:{self.ports[0]}"


def parse_rule(text: str) -> HostRule:
    """Read `HOST`, `.DOMAIN`, `HOST:PORT` or `.DOMAIN:PORT`.

    Raises:
        ValueError: It is none of these; the message says what is wrong.

    """
    name, colon, port = text.strip().partition(":")
    if colon and not (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536):
        raise ValueError("write HOST or HOST:PORT, without scheme and path")
    below = name.startswith(".")
    host = host_name(_in_ascii(name.removeprefix(".")))
    if not host:
        raise ValueError("it is no host name; addresses and wildcards are not taken")
    if "." not in host:
        raise ValueError("it names no host outside of this machine and its network")
    return HostRule(name=f".{host}" if below else host, ports=(int(port),) if colon else WEB_PORTS)


def _in_ascii(name: str) -> str:
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


_NAME = re.compile(r"(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9-]{1,63}")
# What a resolver could take for an address: 127.1, 0x7f000001, 2130706433.
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


def host_name(text: str) -> str:
    """Return a host's name in its one spelling; empty for what is none, addresses included."""
    name = text.lower().removesuffix(".")
    return name if _NAME.fullmatch(name) and not _NUMBER.fullmatch(name) else ""


# Ways of writing an IPv4 address as one of IPv6: the last four bytes count.
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
# Services of cloud machines that hand out credentials, where no rule for whole networks covers it.
_METADATA = frozenset(
    (
        *("168.63.129.16", "100.100.100.200", "192.0.0.192"),
        *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"),
    )
)


def address_problem(text: str, *, private: bool = False) -> str:
    """Say why an address may not be asked; empty where it may.

    Args:
        text: An IP address, as a resolver returns it.
        private: Whether addresses of private networks may be asked. Those of this machine, of the
            link and of cloud metadata never may.

    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "it is no address"
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return address_problem(str(inner), private=private)
    if str(address) in _METADATA or address.is_link_local:
        return "it is an address of this link or of a cloud's metadata service"
    if address.is_loopback or address.is_unspecified:
        return "it is an address of this machine"
    if address.is_multicast or str(address) == "255.255.255.255":
        return "it is an address of many machines"
    if not private and not (address.is_global and not address.is_reserved):
        return "it is an address of a private network"
    return ""


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    as_v4 = any(address in net for net in _NAT64) or int(address) >> 32 == 0 < int(address) >> 16
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if as_v4 else None
