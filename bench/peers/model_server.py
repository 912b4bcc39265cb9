"""A scripted model server: measures a coding-agent harness without a model.

The server speaks the wire formats that coding agents use and plays a fixed
script of assistant turns, so two runs of a harness differ only in what the
harness itself does.

Formats (streaming and non-streaming each):

* OpenAI Chat Completions   ``POST .../chat/completions``
* OpenAI Responses          ``POST .../responses``
* Anthropic Messages        ``POST .../messages``
* Gemini generateContent    ``POST .../models/<m>:generateContent`` and ``:streamGenerateContent``

Every run is a *session* with its own base URL ``http://127.0.0.1:<port>/s/<sid>/v1``;
sessions are independent, so many harness processes may run at once.

Control plane (JSON):

* ``POST /ctl/sessions``            ``{"sid", "turns", "latency_ms", "tools_required", "side_if", "side_text", "material"}``
  opens a session
* ``GET  /ctl/sessions/<sid>``      everything recorded; add ``?bodies=1`` for the parsed request bodies
* ``DELETE /ctl/sessions/<sid>``    forgets it
* ``POST /ctl/stop``                ends the server

A scripted turn is ``{"text": str, "calls": [{"name", "args"}], "expect": regex | null, "label": str}``.
``args`` is an object for function tools and a string for free-form tools.
``expect`` is searched in the newest message of the request that *asks for* this
turn, that is in the last tool result; a miss is recorded and the run counts as
invalid. The cursor moves one turn per new request; a request with the very same
conversation as the one before it is a retry and gets the same turn again.
A request without tools in a session that requires tools, or one whose first message
matches ``side_if``, is a side request (title, summary, commit message): it is
answered with ``side_text`` and does not move the cursor.

Times are ``time.monotonic()`` (CLOCK_MONOTONIC: comparable between processes on
one Linux machine). Tokens are counted after the run, on the first ``GET`` of the
session, so counting never competes with the harness under test.

Run: ``python -m bench.peers.model_server --port 0 --ttl 600`` prints ``{"port": N}``.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import re
import socket
import time
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.peers.counting import count_tokens, encoder, shared_prefix
from bench.peers.wires import Answer, Json, Turn, View, format_of, view_of


@dataclass
class Record:
    """What was seen of one request."""

    index: int
    fmt: str
    path: str
    kind: str  # "main" (plays the script), "retry", "side", "overrun"
    label: str
    stream: bool
    t_head: float
    t_arrival: float
    bytes: int
    messages: int
    tools: int
    t_sent: float = 0.0
    expect_ok: bool | None = None
    last: str = ""
    tokens: int = 0
    shared_tokens: int = 0


@dataclass
class Session:
    """A script being played and the record of it."""

    sid: str
    turns: list[Turn]
    latency: float = 0.0
    tools_required: bool = False
    side_if: str | None = None
    side_text: str = ""
    material: str = ""
    """What the person wrote for the harness, to know how much of a request is its own."""
    cursor: int = 0
    digest: str = ""
    records: list[Record] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    counted: int = 0

    def choose(self, view: View, digest: str) -> tuple[str, Turn, bool | None]:
        """Pick the turn for this request: (kind, turn, did `expect` match)."""
        head = "\n".join(view.blocks()[len(view.tools) : len(view.tools) + 1])
        if (self.tools_required and not view.tools) or (
            self.side_if and re.search(self.side_if, head)
        ):
            return "side", Turn(text=self.side_text), None
        if digest == self.digest and self.cursor:
            return "retry", self.turns[self.cursor - 1], None
        self.digest = digest
        if self.cursor >= len(self.turns):
            return "overrun", Turn(text="The script is over."), None
        turn = self.turns[self.cursor]
        self.cursor += 1
        matched = (
            None if turn.expect is None else bool(re.search(turn.expect, view.last, re.DOTALL))
        )
        return "main", turn, matched


def count_session(session: Session) -> None:
    """Fill in tokens and cacheable tokens of every record, comparing requests of the same kind."""
    if session.counted == len(session.records):
        return
    before: dict[bool, list[str]] = {}
    for record, body in zip(session.records, session.bodies):
        blocks = view_of(record.fmt, body, record.path).blocks()
        record.tokens = sum(count_tokens(b) for b in blocks)
        record.shared_tokens = shared_prefix(before.get(record.kind == "side", []), blocks)
        before[record.kind == "side"] = blocks
    session.counted = len(session.records)


class Server:
    """A small HTTP/1.1 server; only what agent clients need (keep-alive, chunked, gzip, SSE)."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.stopping = asyncio.Event()
        self.strays: list[str] = []

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self.one_request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, TimeoutError):
            pass  # the client is gone, or the server is ending
        finally:
            writer.close()

    async def one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        t_head = time.monotonic()
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {
            k.strip().lower(): v.strip()
            for k, _, v in (line.partition(":") for line in lines[1:] if line)
        }
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw = await self.read_body(reader, headers)
        t_arrival = time.monotonic()
        await self.route(method, target, headers, raw, t_head, t_arrival, writer)
        return headers.get("connection", "").lower() != "close"

    @staticmethod
    async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while True:
                size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
                data = await reader.readexactly(size + 2)
                if not size:
                    break
                parts.append(data[:-2])
            raw = b"".join(parts)
        else:
            raw = await reader.readexactly(int(headers.get("content-length", 0)))
        coding = headers.get("content-encoding", "").lower()
        if coding == "gzip":
            return gzip.decompress(raw)
        if coding == "deflate":
            return zlib.decompress(raw)
        if coding == "zstd":
            import zstandard

            return zstandard.ZstdDecompressor().decompressobj().decompress(raw)
        return raw

    @staticmethod
    async def reply(writer: asyncio.StreamWriter, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()

    async def route(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        raw: bytes,
        t_head: float,
        t_arrival: float,
        writer: asyncio.StreamWriter,
    ) -> None:
        url = urlsplit(target)
        if url.path.startswith("/ctl/"):
            return await self.control(method, url.path, parse_qs(url.query), raw, writer)
        sid = url.path.split("/")[2] if url.path.startswith("/s/") else ""
        session = self.sessions.get(sid)
        if session is None:
            self.strays.append(f"{method} {target}")
            return await self.reply(
                writer, 404, {"error": {"message": f"no session for {url.path}"}}
            )
        fmt = format_of(url.path) if method == "POST" else None
        if fmt is None:
            session.other.append(f"{method} {target}")
            if url.path.endswith("/models"):
                models = [{"id": "scripted", "object": "model", "created": 0, "owned_by": "bench"}]
                return await self.reply(writer, 200, {"object": "list", "data": models})
            if url.path.endswith("count_tokens") or ":countTokens" in url.path:
                return await self.reply(
                    writer, 200, {"input_tokens": len(raw) // 4, "totalTokens": len(raw) // 4}
                )
            return await self.reply(
                writer, 404, {"error": {"message": f"not scripted: {url.path}"}}
            )
        await self.play(session, fmt, url.path, raw, t_head, t_arrival, writer)

    async def play(
        self,
        session: Session,
        fmt: str,
        path: str,
        raw: bytes,
        t_head: float,
        t_arrival: float,
        writer: asyncio.StreamWriter,
    ) -> None:
        body = json.loads(raw)
        view = view_of(fmt, body, path)
        digest = hashlib.sha256(json.dumps([view.system, view.messages]).encode()).hexdigest()
        kind, turn, matched = session.choose(view, digest)
        index = len(session.records)
        record = Record(
            index=index,
            fmt=fmt,
            path=path,
            kind=kind,
            label=turn.label,
            stream=view.stream,
            t_head=t_head,
            t_arrival=t_arrival,
            bytes=len(raw),
            messages=len(view.messages),
            tools=len(view.tools),
            expect_ok=matched,
            last="" if matched is not False else view.last[-2000:],
        )
        session.records.append(record)
        session.bodies.append(body)
        answer = Answer(turn, view, f"{session.sid}{index:04d}", len(raw) // 4)
        whole, events = getattr(answer, fmt)()
        if view.stream:
            head = (
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
                b"transfer-encoding: chunked\r\n\r\n"
            )
            payload = (
                head
                + b"".join(f"{len(e):x}\r\n".encode() + e + b"\r\n" for e in events)
                + b"0\r\n\r\n"
            )
        else:
            data = json.dumps(whole).encode()
            payload = (
                f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode()
                + data
            )
        wait = t_arrival + session.latency - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        writer.write(payload)
        record.t_sent = time.monotonic()
        await writer.drain()

    async def control(
        self,
        method: str,
        path: str,
        query: dict[str, list[str]],
        raw: bytes,
        writer: asyncio.StreamWriter,
    ) -> None:
        if path == "/ctl/stop":
            await self.reply(writer, 200, {"ok": True, "strays": self.strays})
            self.stopping.set()
            return None
        if method == "POST":
            spec = json.loads(raw)
            turns = [Turn(**t) for t in spec["turns"]]
            self.sessions[spec["sid"]] = Session(
                spec["sid"],
                turns,
                spec.get("latency_ms", 0) / 1000,
                spec.get("tools_required", False),
                spec.get("side_if"),
                spec.get("side_text") or "Scripted side answer",
                spec.get("material", ""),
            )
            return await self.reply(writer, 200, {"ok": True})
        sid = path.rsplit("/", 1)[-1]
        if method == "DELETE":
            self.sessions.pop(sid, None)
            return await self.reply(writer, 200, {"ok": True})
        session = self.sessions.get(sid)
        if session is None:
            return await self.reply(writer, 404, {"error": "no such session"})
        count_session(session)
        result: Json = {
            "sid": sid,
            "cursor": session.cursor,
            "turns": len(session.turns),
            "other": session.other,
            "material_tokens": count_tokens(session.material),
            "tokenizer": "o200k_base" if encoder() else "bytes/4",
            "records": [vars(r) for r in session.records],
        }
        if query.get("bodies"):
            result["bodies"] = session.bodies
        await self.reply(writer, 200, result)


async def serve(port: int, ttl: float) -> None:
    """Serve on 127.0.0.1 until stopped or `ttl` seconds are over."""
    state = Server()
    server = await asyncio.start_server(state.client, "127.0.0.1", port, limit=64 << 20)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    try:
        await asyncio.wait_for(state.stopping.wait(), ttl)
    except TimeoutError:
        pass
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Scripted model server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--ttl", type=float, default=3600, help="seconds after which the server ends by itself"
    )
    args = parser.parse_args()
    asyncio.run(serve(args.port, args.ttl))


if __name__ == "__main__":
    main()
