"""Runs the MCP server: over standard input and output, or for clients of this machine by HTTP."""

import hmac
import ipaddress
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import EnvironmentProblem, Refused, SettingsError

_LEAST_TOKEN = 16
_PATH = "/mcp"


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Return whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def shown(self) -> str:
        """Return it as an address is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address_of(words: str) -> Address:
    """Return where HOST:PORT, [HOST]:PORT or PORT says to listen.

    Raises:
        SettingsError: It says nothing of that kind.

    """
    host, _, port = words.rpartition(":")
    if not (port.isdigit() and int(port) < 65536):
        raise SettingsError(f"--http {words!r} is no address", hint="Write --http 127.0.0.1:8765.")
    return Address(host=host.strip("[]") or "127.0.0.1", port=int(port))


def serve_stdio(project: Path) -> None:
    """Serve one client over standard input and output until it goes."""
    from agent.editors.mcp_server import make_server  # noqa: PLC0415 - heavy

    make_server(project).run("stdio")


def serve_http(project: Path, address: Address, *, token: str) -> None:
    """Serve clients by streamable HTTP until a signal comes.

    Args:
        project: The folder whose PRPs may be named.
        address: Where to listen; port 0 takes any.
        token: What clients must show; empty asks for none, which only loopback allows.

    Raises:
        Refused: Others could reach it, and nothing keeps them from using it.
        EnvironmentProblem: Nobody can listen there.

    """
    _require_sense(address, token)
    import uvicorn  # noqa: PLC0415 - heavy
    from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415

    from agent.editors.mcp_server import make_server  # noqa: PLC0415

    with _listening(address) as listener:
        here = Address(host=address.host, port=listener.getsockname()[1])
        own = (here.shown, f"127.0.0.1:{here.port}", f"localhost:{here.port}", f"[::1]:{here.port}")
        app: Any = make_server(project).streamable_http_app(
            streamable_http_path=_PATH,
            transport_security=TransportSecuritySettings(
                # Who shows the token is no web page that a name was bent for.
                enable_dns_rebinding_protection=address.is_loopback,
                allowed_hosts=list(own),
                allowed_origins=[f"http://{name}" for name in own],
            ),
            host=address.host,
        )
        sys.stderr.write(f"serving MCP at http://{here.shown}{_PATH}\n")
        sys.stderr.flush()
        config = uvicorn.Config(
            _only_with(token, app) if token else app,
            log_level="warning",
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _require_sense(address: Address, token: str) -> None:
    if token and len(token) < _LEAST_TOKEN:
        raise SettingsError(f"PRP_MCP_TOKEN is shorter than {_LEAST_TOKEN} characters")
    if not (address.is_loopback or token):
        raise Refused(
            f"{address.host} can be reached by other machines, and whoever reaches it could run "
            "PRPs here",
            hint="Listen on 127.0.0.1, or set PRP_MCP_TOKEN to a secret that clients must show.",
        )


def _listening(address: Address) -> socket.socket:
    kind = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(kind, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        # Before the address is told: who reads it may connect at once.
        listener.listen()
    except OSError as error:
        listener.close()
        raise EnvironmentProblem(
            f"Nobody can listen at {address.shown}: {error.strerror}",
            hint="Choose another port; 0 takes any that is free.",
        ) from None
    return listener


_App = Callable[[Any, Any, Any], Awaitable[None]]


def _only_with(token: str, app: _App) -> _App:
    """Return the same application for those who show the token."""
    expected = f"Bearer {token}".encode()

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        shown = dict(scope.get("headers", ())).get(b"authorization", b"")
        if scope["type"] != "http" or hmac.compare_digest(shown, expected):
            await app(scope, receive, send)
            return
        headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return guarded
