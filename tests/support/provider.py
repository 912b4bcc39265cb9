"""A scripted model server on 127.0.0.1: OpenAI's Chat and Responses, Anthropic, Gemini."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Json = dict[str, Any]
ROUTES = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/messages": "anthropic",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server answers to one request."""

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    """Tool name and arguments; arguments that are text are sent as they are, valid or not."""
    fault: str = ""
    """`429`, `500`, ... an HTTP status; `cut`, `no-end`, `error-inside`, `length`, `refusal`,
    `empty`, `html`, `malformed`, `hang`, `stall`."""
    retry_after: str | None = None
    input_tokens: int = 100
    output_tokens: int = 20
    cached_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client asked."""

    wire: str
    body: Json
    headers: Json = field(default_factory=dict)

    @property
    def tools(self) -> list[str]:
        """Names of the tools that the model may call."""
        asked = self.body.get("tools", [])
        own = [one for tool in asked for one in tool.get("functionDeclarations", ())]
        found = own or [tool.get("function", tool) for tool in asked]
        return [tool.get("name", tool.get("type", "")) for tool in found]

    @property
    def text(self) -> str:
        """The whole request as text: enough to look for words in it."""
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def last(self) -> str:
        """The newest message or tool result as text."""
        messages = self.body.get("messages") or self.body.get("input") or [""]
        return json.dumps(messages[-1], ensure_ascii=False)


Script = Callable[[Request], Answer] | Sequence[Answer]


class Provider:
    """The server; as a context manager it runs on a free port."""

    def __init__(self, script: Script) -> None:
        """Answer by a function, or one answer after the other."""
        self._script = script
        self.requests: list[Request] = []
        self.keeps_connections = False
        self.connections = 0
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": self})
        )
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Base URL for OpenAI clients; Anthropic's want it without `/v1`."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        """Start."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request, and remember the request."""
        self.requests.append(request)
        if callable(self._script):
            return self._script(request)
        return self._script[min(len(self.requests), len(self._script)) - 1]


class _Handler(BaseHTTPRequestHandler):
    """One connection; the server hands the provider in as a class attribute."""

    provider: Provider
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def setup(self) -> None:
        """Count the connection."""
        self.provider.connections += 1
        super().setup()

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(size))
        is_gemini = ":streamGenerateContent" in self.path
        wire = "gemini" if is_gemini else ROUTES[self.path.split("?")[0]]
        answer = self.provider.answer(Request(wire=wire, body=body, headers=dict(self.headers)))
        if not body.get("stream", is_gemini):
            self._send(400, b'{"error": {"message": "the client must stream"}}', {})
        elif answer.fault.isdigit():
            self._refuse(answer)
        elif answer.fault == "html":
            self._send(200, b"<html>Please log in</html>", {"content-type": "text/html"})
        elif answer.fault == "hang":
            time.sleep(30)
        else:
            self._stream(wire, answer)

    def _refuse(self, answer: Answer) -> None:
        kind = {"429": "rate_limit_error", "529": "overloaded_error"}
        error = {"type": kind.get(answer.fault, "api_error"), "message": "scripted"}
        headers = {"retry-after": answer.retry_after} if answer.retry_after else {}
        body = json.dumps({"type": "error", "error": error}).encode()
        self._send(int(answer.fault), body, headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"content-type": "application/json", **headers}.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream_and_stay(self, wire: str, answer: Answer) -> None:
        """Send a whole stream, whose end the client sees although the connection stays."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pieces = [_piece(name, data) for name, data in _EVENTS[wire](answer)]
        self.wfile.write(b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in [*pieces, b""]))

    def _stream(self, wire: str, answer: Answer) -> None:
        if self.provider.keeps_connections and not answer.fault:
            self._stream_and_stay(wire, answer)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        if answer.fault == "cut":
            self.send_header("content-length", "1000000")
        self.end_headers()
        self.close_connection = True
        events = list(_EVENTS[wire](answer))
        if answer.fault in ("cut", "no-end", "error-inside", "malformed", "stall"):
            events = events[: max(len(events) // 2, 1)]
        for name, data in events:
            self._event(name, data)
        if answer.fault == "stall":
            time.sleep(30)
        if answer.fault == "malformed":
            self.wfile.write(b"event: x\ndata: {not json\n\n")
        if answer.fault == "error-inside":
            error = {"type": "overloaded_error", "message": "Overloaded"}
            self._event("error", {"type": "error", "error": error})
        self.wfile.flush()

    def _event(self, name: str, data: Json | str) -> None:
        self.wfile.write(_piece(name, data))


def _piece(name: str, data: Json | str) -> bytes:
    head = f"event: {name}\n" if name else ""
    words = data if isinstance(data, str) else json.dumps(data)
    return f"{head}data: {words}\n\n".encode()


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _chat(answer: Answer) -> Iterator[tuple[str, Json | str]]:
    def chunk(delta: Json, finish: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "scripted",
            "choices": [choice],
        }

    yield "", chunk({"role": "assistant", "content": ""})
    if answer.text:
        yield "", chunk({"content": answer.text})
    for index, (name, value) in enumerate(answer.calls):
        function = {"name": name, "arguments": ""}
        call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        yield "", chunk({"tool_calls": [call]})
        words = {"index": index, "function": {"arguments": _arguments(value)}}
        yield "", chunk({"tool_calls": [words]})
    reasons = {"length": "length", "refusal": "content_filter"}
    yield "", chunk({}, reasons.get(answer.fault, "tool_calls" if answer.calls else "stop"))
    usage = {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
    }
    yield "", {**chunk({}), "choices": [], "usage": usage}
    yield "", "[DONE]"


def _responses(answer: Answer) -> Iterator[tuple[str, Json | str]]:
    base: Json = {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": "scripted",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "status": "in_progress",
    }
    yield "response.created", _numbered("response.created", 0, response=base)
    output: list[Json] = []
    if answer.text:
        item: Json = {"type": "message", "id": "m1", "role": "assistant", "content": []}
        yield _item("added", 0, {**item, "status": "in_progress"})
        kind = "response.output_text.delta"
        yield (
            kind,
            _numbered(
                kind,
                1,
                item_id="m1",
                output_index=0,
                content_index=0,
                delta=answer.text,
                logprobs=[],
            ),
        )
        part = {"type": "output_text", "text": answer.text, "annotations": []}
        output.append({**item, "content": [part], "status": "completed"})
        yield _item("done", 0, output[-1])
    for index, (name, value) in enumerate(answer.calls, len(output)):
        words = _arguments(value)
        call: Json = {
            "type": "function_call",
            "id": f"f{index}",
            "call_id": f"call_{index}",
            "name": name,
        }
        yield _item("added", index, {**call, "arguments": "", "status": "in_progress"})
        kind = "response.function_call_arguments.delta"
        yield kind, _numbered(kind, 2, item_id=f"f{index}", output_index=index, delta=words)
        output.append({**call, "arguments": words, "status": "completed"})
        yield _item("done", index, output[-1])
    usage = {
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
        "input_tokens_details": {"cached_tokens": answer.cached_tokens},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    whole = {**base, "output": output, "usage": usage, "status": "completed"}
    reasons = {"length": "max_output_tokens", "refusal": "content_filter"}
    if reason := reasons.get(answer.fault):
        whole |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
    kind = f"response.{whole['status']}"
    yield kind, _numbered(kind, 9, response=whole)


def _numbered(kind: str, number: int, **values: Any) -> Json:
    return {"type": kind, "sequence_number": number, **values}


def _item(what: str, index: int, item: Json) -> tuple[str, Json]:
    kind = f"response.output_item.{what}"
    return kind, _numbered(kind, 3, output_index=index, item=item)


def _anthropic(answer: Answer) -> Iterator[tuple[str, Json | str]]:
    usage = {
        "input_tokens": answer.input_tokens - answer.cached_tokens,
        "cache_read_input_tokens": answer.cached_tokens,
        "output_tokens": 1,
    }
    message: Json = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield "message_start", {"type": "message_start", "message": message}
    blocks: list[tuple[Json, Json]] = []
    if answer.text:
        blocks.append(({"type": "text", "text": ""}, {"type": "text_delta", "text": answer.text}))
    for index, (name, value) in enumerate(answer.calls):
        blocks.append(
            (
                {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}},
                {"type": "input_json_delta", "partial_json": _arguments(value)},
            )
        )
    for index, (block, delta) in enumerate(blocks):
        yield (
            "content_block_start",
            {"type": "content_block_start", "index": index, "content_block": block},
        )
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    reasons = {"length": "max_tokens", "refusal": "refusal"}
    stop = reasons.get(answer.fault, "tool_use" if answer.calls else "end_turn")
    yield (
        "message_delta",
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": answer.output_tokens},
        },
    )
    yield "message_stop", {"type": "message_stop"}


def _gemini(answer: Answer) -> Iterator[tuple[str, Json | str]]:
    parts: list[Json] = [{"text": answer.text}] if answer.text else []
    parts += [{"functionCall": {"name": name, "args": value}} for name, value in answer.calls]
    content = {"role": "model", "parts": parts}
    usage = {
        "promptTokenCount": answer.input_tokens,
        "candidatesTokenCount": answer.output_tokens,
        "totalTokenCount": answer.input_tokens + answer.output_tokens,
    }
    candidate = {"index": 0, "content": content, "finishReason": "STOP"}
    yield "", {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "scripted"}


_EVENTS: dict[str, Callable[[Answer], Iterator[tuple[str, Json | str]]]] = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}
