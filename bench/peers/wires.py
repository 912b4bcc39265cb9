"""Requests as coding agents send them, and answers as they read them, in four wire formats."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Turn:
    """One scripted assistant turn."""

    text: str = ""
    calls: list[Json] = field(default_factory=list)
    expect: str | None = None
    label: str = ""


@dataclass
class View:
    """The parts of a request that every format has, in cache order."""

    tools: list[Any]
    system: list[Any]
    messages: list[Any]
    stream: bool
    model: str

    @property
    def last(self) -> str:
        return render(self.messages[-1]) if self.messages else ""

    def blocks(self) -> list[str]:
        """The request as text blocks, in the order in which providers cache prefixes."""
        return (
            ["tool " + json.dumps(strip_marks(t), ensure_ascii=False) for t in self.tools]
            + ["system " + render(s) for s in self.system]
            + [render(m) for m in self.messages]
        )


def strip_marks(value: Any) -> Any:
    """Drop cache markers: they move between requests but are no content."""
    if isinstance(value, dict):
        return {k: strip_marks(v) for k, v in value.items() if k != "cache_control"}
    if isinstance(value, list):
        return [strip_marks(v) for v in value]
    return value


def render(value: Any) -> str:
    """Flatten a message to text with strings unescaped (JSON escapes would inflate token counts)."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(
            f"{k}: {render(v)}" for k, v in value.items() if k != "cache_control" and v is not None
        )
    if isinstance(value, list):
        return "\n".join(render(v) for v in value)
    return json.dumps(value)


def as_list(value: Any) -> list[Any]:
    if value in (None, "", []):
        return []
    return value if isinstance(value, list) else [value]


def view_of(fmt: str, body: Json, path: str) -> View:
    """Read the common parts of a request in the given format."""
    stream = bool(body.get("stream"))
    model = str(body.get("model", "scripted"))
    if fmt == "responses":
        system = as_list(body.get("instructions"))
        return View(as_list(body.get("tools")), system, as_list(body.get("input")), stream, model)
    if fmt == "anthropic":
        return View(
            as_list(body.get("tools")),
            as_list(body.get("system")),
            as_list(body.get("messages")),
            stream,
            model,
        )
    if fmt == "gemini":
        tools = [
            f
            for t in as_list(body.get("tools"))
            for f in as_list(t.get("functionDeclarations") or t)
        ]
        system = as_list(body.get("systemInstruction") or body.get("system_instruction"))
        return View(
            tools, system, as_list(body.get("contents")), "streamGenerateContent" in path, model
        )
    return View(as_list(body.get("tools")), [], as_list(body.get("messages")), stream, model)


def format_of(path: str) -> str | None:
    """The wire format a POST path belongs to."""
    if path.endswith("/chat/completions"):
        return "chat"
    if path.endswith("/responses"):
        return "responses"
    if path.endswith("/messages"):
        return "anthropic"
    if ":generateContent" in path or ":streamGenerateContent" in path:
        return "gemini"
    return None


# --------------------------------------------------------------------------- writing answers


def sse(event: Json, name: str | None = None) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(event)}\n\n".encode()


def arg_text(call: Json) -> str:
    return call["args"] if isinstance(call["args"], str) else json.dumps(call["args"])


class Answer:
    """Renders one turn in every format. `uid` makes call ids unique in the session."""

    def __init__(self, turn: Turn, view: View, uid: str, prompt_tokens: int) -> None:
        self.turn, self.view, self.uid = turn, view, uid
        self.tokens_in = prompt_tokens
        self.tokens_out = 1 + (len(turn.text) + sum(len(arg_text(c)) for c in turn.calls)) // 4

    def call_id(self, i: int) -> str:
        return f"call_{self.uid}_{i}"

    # -- OpenAI Chat Completions

    def chat(self) -> tuple[Json, list[bytes]]:
        turn, finish = self.turn, "tool_calls" if self.turn.calls else "stop"
        calls = [
            {
                "id": self.call_id(i),
                "type": "function",
                "function": {"name": c["name"], "arguments": arg_text(c)},
            }
            for i, c in enumerate(turn.calls)
        ]
        usage = {
            "prompt_tokens": self.tokens_in,
            "completion_tokens": self.tokens_out,
            "total_tokens": self.tokens_in + self.tokens_out,
        }
        base = {"id": f"chatcmpl-{self.uid}", "created": int(time.time()), "model": self.view.model}
        message: Json = {"role": "assistant", "content": turn.text or None}
        if calls:
            message["tool_calls"] = calls
        whole = {
            **base,
            "object": "chat.completion",
            "choices": [
                {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
            ],
            "usage": usage,
        }

        def chunk(delta: Json, end: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": end, "logprobs": None}
            return sse({**base, "object": "chat.completion.chunk", "choices": [choice]})

        out = [chunk({"role": "assistant", "content": turn.text})]
        out += [chunk({"tool_calls": [{"index": i, **c}]}) for i, c in enumerate(calls)]
        out.append(chunk({}, finish))
        out.append(sse({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage}))
        out.append(b"data: [DONE]\n\n")
        return whole, out

    # -- OpenAI Responses

    def responses(self) -> tuple[Json, list[bytes]]:
        turn = self.turn
        items: list[Json] = []
        if turn.text:
            part = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
            items.append(
                {
                    "type": "message",
                    "id": f"msg_{self.uid}",
                    "role": "assistant",
                    "status": "completed",
                    "content": [part],
                }
            )
        for i, call in enumerate(turn.calls):
            free = isinstance(call["args"], str)
            items.append(
                {
                    "type": "custom_tool_call" if free else "function_call",
                    "id": f"{'ctc' if free else 'fc'}_{self.uid}_{i}",
                    "call_id": self.call_id(i),
                    "name": call["name"],
                    "status": "completed",
                    ("input" if free else "arguments"): arg_text(call),
                }
            )
        whole = {
            "id": f"resp_{self.uid}",
            "object": "response",
            "created_at": int(time.time()),
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "model": self.view.model,
            "output": items,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "metadata": {},
            "temperature": 1.0,
            "top_p": 1.0,
            "usage": {
                "input_tokens": self.tokens_in,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": self.tokens_out,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": self.tokens_in + self.tokens_out,
            },
        }
        out: list[bytes] = []

        def emit(kind: str, **fields: Any) -> None:
            out.append(sse({"type": kind, "sequence_number": len(out), **fields}, kind))

        opening = {**whole, "status": "in_progress", "output": [], "usage": None}
        emit("response.created", response=opening)
        for n, item in enumerate(items):
            at = {"output_index": n, "item_id": item["id"]}
            if item["type"] == "message":
                part = item["content"][0]
                emit(
                    "response.output_item.added",
                    output_index=n,
                    item={**item, "content": [], "status": "in_progress"},
                )
                emit(
                    "response.content_part.added", **at, content_index=0, part={**part, "text": ""}
                )
                emit(
                    "response.output_text.delta",
                    **at,
                    content_index=0,
                    delta=part["text"],
                    logprobs=[],
                )
                emit(
                    "response.output_text.done",
                    **at,
                    content_index=0,
                    text=part["text"],
                    logprobs=[],
                )
                emit("response.content_part.done", **at, content_index=0, part=part)
            elif item["type"] == "function_call":
                emit(
                    "response.output_item.added",
                    output_index=n,
                    item={**item, "arguments": "", "status": "in_progress"},
                )
                emit("response.function_call_arguments.delta", **at, delta=item["arguments"])
                emit(
                    "response.function_call_arguments.done",
                    **at,
                    arguments=item["arguments"],
                    name=item["name"],
                )
            else:
                emit(
                    "response.output_item.added",
                    output_index=n,
                    item={**item, "input": "", "status": "in_progress"},
                )
                emit("response.custom_tool_call_input.delta", **at, delta=item["input"])
                emit("response.custom_tool_call_input.done", **at, input=item["input"])
            emit("response.output_item.done", output_index=n, item=item)
        emit("response.completed", response=whole)
        return whole, out

    # -- Anthropic Messages

    def anthropic(self) -> tuple[Json, list[bytes]]:
        blocks: list[Json] = [{"type": "text", "text": self.turn.text}] if self.turn.text else []
        for i, call in enumerate(self.turn.calls):
            blocks.append(
                {
                    "type": "tool_use",
                    "id": "toolu_" + self.call_id(i),
                    "name": call["name"],
                    "input": call["args"],
                }
            )
        stop = "tool_use" if self.turn.calls else "end_turn"
        usage = {
            "input_tokens": self.tokens_in,
            "output_tokens": self.tokens_out,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        }
        whole = {
            "id": f"msg_{self.uid}",
            "type": "message",
            "role": "assistant",
            "model": self.view.model,
            "content": blocks,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }
        out: list[bytes] = []

        def emit(kind: str, **fields: Any) -> None:
            out.append(sse({"type": kind, **fields}, kind))

        emit(
            "message_start",
            message={
                **whole,
                "content": [],
                "stop_reason": None,
                "usage": {**usage, "output_tokens": 1},
            },
        )
        for n, block in enumerate(blocks):
            if block["type"] == "text":
                emit("content_block_start", index=n, content_block={"type": "text", "text": ""})
                emit(
                    "content_block_delta",
                    index=n,
                    delta={"type": "text_delta", "text": block["text"]},
                )
            else:
                emit("content_block_start", index=n, content_block={**block, "input": {}})
                delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
                emit("content_block_delta", index=n, delta=delta)
            emit("content_block_stop", index=n)
        emit(
            "message_delta",
            delta={"stop_reason": stop, "stop_sequence": None},
            usage={"output_tokens": self.tokens_out},
        )
        emit("message_stop")
        return whole, out

    # -- Gemini

    def gemini(self) -> tuple[Json, list[bytes]]:
        parts: list[Json] = [{"text": self.turn.text}] if self.turn.text else []
        parts += [
            {"functionCall": {"id": self.call_id(i), "name": c["name"], "args": c["args"]}}
            for i, c in enumerate(self.turn.calls)
        ]
        whole = {
            "candidates": [
                {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
            ],
            "usageMetadata": {
                "promptTokenCount": self.tokens_in,
                "candidatesTokenCount": self.tokens_out,
                "totalTokenCount": self.tokens_in + self.tokens_out,
            },
            "modelVersion": self.view.model,
            "responseId": self.uid,
        }
        return whole, [sse(whole)]
