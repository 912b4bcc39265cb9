"""The only way out of the sandbox: a proxy on a unix socket that serves the allowed hosts.

`CONNECT host:port` (https and everything else that can be tunnelled) and plain `GET http://...` are
understood. A name is looked up once, here; the connection goes to the address that was checked, so
that a second answer of the name server changes nothing. Every request is recorded.
"""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.hosts import HostRule, address_problem, host_name
from agent.journal import HostAsked, Record
from agent.workspace.passing import passing_folder

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class NetworkPolicy:
    """What may be asked, and how much."""

    hosts: tuple[HostRule, ...]
    private: tuple[HostRule, ...] = ()
    """Hosts that may have an address of a private network: mirrors of one's own."""
    most_at_once: int = 64
    most_requests: int = 5000
    """Of all commands together; later ones are refused and no longer recorded."""
    most_bytes: int = 4096 * _MIB
    """In both directions together, of all commands together."""
    seconds: float = 900.0
    """One connection, from first to last byte."""
    idle_seconds: float = 120.0


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(address: str, port: int) -> Streams:
    """Open a connection to an address."""
    return await asyncio.open_connection(address, port)


@asynccontextmanager
async def open_proxy(
    policy: NetworkPolicy,
    *,
    stage: str,
    record: Record,
    resolve: Callable[[str, int], Awaitable[Sequence[str]]] = look_up,
    dial: Callable[[str, int], Awaitable[Streams]] = connect,
) -> AsyncIterator[Path]:
    """Serve the allowed hosts on a socket of its own, until the end of the `with`.

    Args:
        policy: What may be asked.
        stage: What the connections are for, as the journal tells it.
        record: Is told of every request.
        resolve: Looks names up.
        dial: Opens a connection to an address that was found in order.

    """
    proxy = _Proxy(policy, stage, record, resolve, dial)
    with passing_folder("net") as folder:
        path = folder / "proxy"
        server = await asyncio.start_unix_server(proxy.serve, path, limit=_LONGEST_HEAD)
        try:
            yield path
        finally:
            server.close()
            await proxy.end()


_LONGEST_HEAD = 16 * 1024
_HEAD_SECONDS = 20.0
_CONNECT_SECONDS = 15.0
_TUNNEL = re.compile(rb"CONNECT ([^\s/]{1,300}):([0-9]{1,5}) HTTP/1\.[01]\r\n")
_PLAIN = re.compile(
    rb"([A-Z]{3,7}) http://([^\s/:?#@]{1,300})(?::([0-9]{1,5}))?((?:[/?][\x21-\x7e]*)?)"
    rb" HTTP/1\.[01]\r\n"
)
_OWN_HEADERS = re.compile(rb"(?im)^(?:proxy-[\w-]+|connection|keep-alive|host):[^\r\n]*\r\n")


class _Refused(Exception):  # noqa: N818 - an answer to the client
    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(kw_only=True)
class _Asked:
    """One request on its way; what is not known yet is empty."""

    host: str = ""
    port: int = 0
    address: str = ""
    opening: bytes = b""
    """What a plain request begins with on the other side; empty for a tunnel."""
    sent: int = 0
    received: int = 0


class _Proxy:
    def __init__(
        self,
        policy: NetworkPolicy,
        stage: str,
        record: Record,
        resolve: Callable[[str, int], Awaitable[Sequence[str]]],
        dial: Callable[[str, int], Awaitable[Streams]],
    ) -> None:
        self._policy, self._stage, self._record = policy, stage, record
        self._resolve, self._dial = resolve, dial
        self._open: set[asyncio.Task[None]] = set()
        self._requests = 0
        self._bytes = 0

    async def end(self) -> None:
        """End what is still open."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to serve one connection from inside of the sandbox."""
        self._requests += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        started, asked = time.monotonic(), _Asked()
        state, reason = "refused", ""
        try:
            inner = (reader, writer)
            outer = await self._begun(asked, inner)
            state = "allowed"
            reason = await self._relayed(asked, inner, outer)
        except _Refused as refusal:
            state = "refused" if refusal.status.startswith("4") else "failed"
            reason = str(refusal)
            await _say(writer, refusal)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            reason = reason or f"the connection broke: {type(error).__name__}"
        except asyncio.CancelledError:
            # The commands have ended; connections that programs keep open end with them.
            reason = ""
        finally:
            writer.close()
            if self._requests <= self._policy.most_requests:
                self._tell(asked, state, reason, time.monotonic() - started)

    async def _begun(self, asked: _Asked, inner: Streams) -> Streams:
        """Read what is asked for, and open the connection if it is allowed."""
        policy = self._policy
        if len(self._open) > policy.most_at_once or self._requests > policy.most_requests:
            raise _Refused("429 Too Many Requests", "too many connections")
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await inner[0].readuntil(b"\r\n\r\n")
        except TimeoutError:
            raise _Refused("408 Request Timeout", "no request came") from None
        except asyncio.LimitOverrunError:
            raise _Refused("431 Too Large", "the request's head is too long") from None
        _read_head(asked, head)
        if not any(rule.covers(asked.host, asked.port) for rule in policy.hosts):
            raise _Refused("403 Forbidden", "it is not among the allowed hosts")
        return await self._connected(asked, await self._addresses(asked))

    async def _addresses(self, asked: _Asked) -> Sequence[str]:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                found = await self._resolve(asked.host, asked.port)
        except (OSError, UnicodeError, TimeoutError):
            raise _Refused("502 Bad Gateway", "its name can't be resolved") from None
        private = any(rule.covers(asked.host, asked.port) for rule in self._policy.private)
        for address in found:
            # One bad address among good ones is how names are made to point inwards.
            if problem := address_problem(address, private=private):
                asked.address = address
                raise _Refused("403 Forbidden", f"it leads to {address}: {problem}")
        return found

    async def _connected(self, asked: _Asked, addresses: Sequence[str]) -> Streams:
        for address in addresses[:4]:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    streams = await self._dial(address, asked.port)
                asked.address = address
                return streams
        raise _Refused("502 Bad Gateway", "it does not answer")

    async def _relayed(self, asked: _Asked, inner: Streams, outer: Streams) -> str:
        """Carry bytes both ways until one side ends; return why we ended it, if we did."""
        if asked.opening:
            outer[1].write(asked.opening)
        else:
            inner[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        up = asyncio.ensure_future(self._pump(inner[0], outer[1], asked, is_sent=True))
        down = asyncio.ensure_future(self._pump(outer[0], inner[1], asked, is_sent=False))
        silent = asyncio.ensure_future(self._silence(asked))
        waiting = {up, down, silent}
        try:
            async with asyncio.timeout(self._policy.seconds):
                # Who has sent all of a request still waits for the answer.
                while not (down.done() or silent.done()):
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
            return silent.result() if silent.done() else ""
        except _Refused as limit:
            return str(limit)
        except TimeoutError:
            return "the time for a connection was over"
        finally:
            for task in (up, down, silent):
                task.cancel()
            await asyncio.gather(up, down, silent, return_exceptions=True)
            outer[1].close()

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        asked: _Asked,
        *,
        is_sent: bool,
    ) -> str:
        while chunk := await source.read(65536):
            self._bytes += len(chunk)
            if self._bytes > self._policy.most_bytes:
                raise _Refused("403 Forbidden", "the limit of bytes was reached")
            if is_sent:
                asked.sent += len(chunk)
            else:
                asked.received += len(chunk)
            sink.write(chunk)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
        return ""

    async def _silence(self, asked: _Asked) -> str:
        """Return when nothing was carried in either direction for too long."""
        before = -1
        while before != (before := asked.sent + asked.received):  # noqa: ASYNC110 - a clock it is
            await asyncio.sleep(self._policy.idle_seconds)
        return "nothing was said for too long"

    def _tell(self, asked: _Asked, state: str, reason: str, seconds: float) -> None:
        self._record(
            HostAsked(
                stage=self._stage,
                host=asked.host,
                port=asked.port,
                address=asked.address,
                state=state,
                reason=reason,
                sent=asked.sent,
                received=asked.received,
                seconds=round(seconds, 3),
            )
        )


def _read_head(asked: _Asked, head: bytes) -> None:
    """Note what a request asks for, and for a plain one what to say on the other side."""
    tunnel, plain = _TUNNEL.match(head), _PLAIN.match(head)
    if tunnel:
        name, port = tunnel[1], tunnel[2]
    elif plain:
        name, port = plain[2], plain[3] or b"80"
    else:
        raise _Refused("400 Bad Request", "it is no request for a proxy")
    text = name.decode("ascii", "backslashreplace")
    asked.host, asked.port = host_name(text), int(port)
    if not asked.host:
        asked.host = text
        raise _Refused("403 Forbidden", "hosts are asked by name, never by address")
    if plain:
        kept = _OWN_HEADERS.sub(b"", head[plain.end() :])
        path = plain[4] if plain[4].startswith(b"/") else b"/" + plain[4]
        where = asked.host.encode() + (b"" if asked.port == 80 else b":" + port)
        asked.opening = b"%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s" % (
            *(plain[1], path, where),
            kept,
        )


async def _say(writer: asyncio.StreamWriter, refusal: _Refused) -> None:
    words = f"prp: {refusal}\n".encode("ascii", "replace")
    head = f"HTTP/1.1 {refusal.status}\r\nContent-Length: {len(words)}\r\nConnection: close\r\n"
    with contextlib.suppress(OSError):
        writer.write(head.encode() + b"Content-Type: text/plain\r\n\r\n" + words)
        await writer.drain()


PROXY_HOST, PROXY_PORT = "127.9.9.9", 3128
"""Where commands find the proxy: an address of loopback that no test's own server is bound to."""


def proxy_variables() -> dict[str, str]:
    """Return the variables by which curl, pip, npm, go, cargo and git find the proxy."""
    address = f"http://{PROXY_HOST}:{PROXY_PORT}"
    here = "localhost,127.0.0.1,::1"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    both = {name: address for upper in names for name in (upper, upper.lower())}
    return both | {"NO_PROXY": here, "no_proxy": here, "NODE_USE_ENV_PROXY": "1"} | _trusted()


# Several programs bring authorities of their own and know none that an organisation has added.
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem")
_ASKING_FOR_ONE = (
    *("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    *("CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE"),
)


def _trusted() -> dict[str, str]:
    bundle = next((path for path in _BUNDLES if Path(path).is_file()), None)
    return dict.fromkeys(_ASKING_FOR_ONE, bundle) if bundle else {}


def inside_source() -> str:
    """Return the program that runs inside and leads to the socket."""
    return Path(__file__).with_name("inside.py").read_text(encoding="utf-8")


SOCKET_INSIDE = "/run/prp-proxy"
