"""Answers that arrive in pieces are put together as the provider would give them in one."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, ClassVar

import httpx2
import pytest

from agent.llm.collecting import collecting
from agent.llm.faults import AnswerUnusable, TryAgain
from agent.llm.pieces import Collector, Completion, Message, Response

Json = dict[str, Any]


def _answered(collector: Callable[[], Collector], stream: bytes, kind: str = "") -> httpx2.Response:
    """Return what a client gets from a server that sends a stream, a few bytes at a time."""

    class Scripted(httpx2.AsyncClient):
        def __init__(self) -> None:
            super().__init__(transport=httpx2.MockTransport(self._answer))

        def _answer(self, _: httpx2.Request) -> httpx2.Response:
            async def pieces() -> Any:
                for place in range(0, len(stream), 7):
                    yield stream[place : place + 7]

            headers = {"content-type": kind or "text/event-stream; charset=utf-8"}
            return httpx2.Response(200, headers=headers, content=pieces())

    async def ask() -> httpx2.Response:
        async with collecting(Scripted, collector, idle_seconds=5) as client:
            return await client.post("http://provider.invalid/")

    return asyncio.run(ask())


def _stream(*events: Json) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)


def _chunk(delta: Json, reason: str | None = None) -> Json:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _calls(*calls: Json) -> Json:
    return _chunk({"tool_calls": list(calls)})


class TestCompletion:
    """OpenAI's Chat Completions, and servers that speak nearly like it."""

    def _message(self, *events: Json) -> Json:
        (choice,) = _answered(Completion, _stream(*events)).json()["choices"]
        message: Json = choice["message"]
        return message

    def test_texts_are_joined_and_what_stands_beside_them_is_kept(self) -> None:
        """Thoughts, words, tokens and the reason of the end arrive in events of their own."""
        answer = _answered(
            Completion,
            _stream(
                _chunk({"role": "assistant", "content": ""}),
                _chunk({"role": "assistant", "reasoning_content": "Let me "}),
                _chunk({"reasoning_content": "see."}),
                _chunk({"content": "It "}),
                _chunk({"content": "is odd."}),
                _chunk({}, "stop"),
                {"id": "c", "choices": [], "usage": {"prompt_tokens": 5}},
            ),
        ).json()
        (choice,) = answer["choices"]
        assert choice["message"] == {
            "role": "assistant",
            "content": "It is odd.",
            "reasoning_content": "Let me see.",
        }
        assert (choice["finish_reason"], answer["usage"]) == ("stop", {"prompt_tokens": 5})

    def test_calls_are_told_apart_by_their_number(self) -> None:
        """Pieces of two calls may come by turns; some servers say the name with each of them."""
        message = self._message(
            _calls({"index": 0, "id": "a", "function": {"name": "read", "arguments": ""}}),
            _calls({"index": 1, "id": "b", "function": {"name": "run", "arguments": '{"c'}}),
            _calls({"index": 0, "function": {"name": "read", "arguments": "{}"}}),
            _calls({"index": 1, "id": "", "function": {"arguments": 'md": 1}'}}),
            _chunk({}, "tool_calls"),
        )
        assert [(c["id"], c["type"], c["function"]) for c in message["tool_calls"]] == [
            ("a", "function", {"name": "read", "arguments": "{}"}),
            ("b", "function", {"name": "run", "arguments": '{"cmd": 1}'}),
        ]

    def test_calls_without_numbers_begin_with_their_names(self) -> None:
        """Each gets an id where the server gave none."""
        message = self._message(
            _calls({"function": {"name": "read", "arguments": "{"}}),
            _calls({"function": {"arguments": "}"}}),
            _calls({"function": {"name": "run", "arguments": "{}"}}),
            _chunk({}, "tool_calls"),
        )
        calls = message["tool_calls"]
        assert [call["function"]["arguments"] for call in calls] == ["{}", "{}"]
        assert len({call["id"] for call in calls}) == 2

    def test_a_stream_without_an_end_is_no_answer(self) -> None:
        """Given no reason why it ended, then it was broken off."""
        with pytest.raises(TryAgain, match="ended before"):
            self._message(_chunk({"content": "Half of"}))


class TestResponse:
    """OpenAI's Responses."""

    ITEM: ClassVar[Json] = {"type": "function_call", "name": "read", "arguments": "{}"}

    def _done(self, output: list[Json]) -> bytes:
        return _stream(
            {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
            {"type": "response.output_item.done", "output_index": 0, "item": self.ITEM},
            {
                "type": "response.completed",
                "response": {"id": "r", "status": "completed", "output": output},
            },
        )

    @pytest.mark.parametrize("output", [[ITEM], []])
    def test_the_last_event_is_the_answer(self, output: list[Json]) -> None:
        """Items that it leaves away are those that were said to be done."""
        answer = _answered(Response, self._done(output)).json()
        assert (answer["status"], answer["output"]) == ("completed", [self.ITEM])


class TestMessage:
    """Anthropic's Messages."""

    def _content(self, *events: Json) -> Any:
        start = {"type": "message_start", "message": {"id": "m", "content": [], "usage": {"a": 1}}}
        end = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"b": 2}}
        told = _answered(Message, _stream(start, {"type": "ping"}, *events, end)).json()
        assert (told["stop_reason"], told["usage"]) == ("tool_use", {"a": 1, "b": 2})
        return told["content"]

    def _block(self, at: int, block: Json, *deltas: Json) -> list[Json]:
        return [
            {"type": "content_block_start", "index": at, "content_block": block},
            *({"type": "content_block_delta", "index": at, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": at},
        ]

    def test_blocks_are_put_together(self) -> None:
        """Thoughts keep their signature, texts what they cite, calls their input."""
        content = self._content(
            *self._block(
                0,
                {"type": "thinking", "thinking": "", "signature": ""},
                {"type": "thinking_delta", "thinking": "Let me "},
                {"type": "thinking_delta", "thinking": "see."},
                {"type": "signature_delta", "signature": "abc"},
            ),
            *self._block(
                1,
                {"type": "text", "text": "It"},
                {"type": "text_delta", "text": " is."},
                {"type": "citations_delta", "citation": {"cited_text": "x"}},
            ),
            *self._block(
                2,
                {"type": "tool_use", "id": "t", "name": "read", "input": {}},
                {"type": "input_json_delta", "partial_json": ""},
                {"type": "input_json_delta", "partial_json": '{"paths": '},
                {"type": "input_json_delta", "partial_json": '["a"]}'},
            ),
        )
        assert content == [
            {"type": "thinking", "thinking": "Let me see.", "signature": "abc"},
            {"type": "text", "text": "It is.", "citations": [{"cited_text": "x"}]},
            {"type": "tool_use", "id": "t", "name": "read", "input": {"paths": ["a"]}},
        ]

    def test_a_call_without_input_has_none(self) -> None:
        """A tool may take nothing."""
        block = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
        empty = {"type": "input_json_delta", "partial_json": ""}
        assert self._content(*self._block(0, block, empty)) == [block]

    def test_events_in_a_wrong_order_are_no_answer(self) -> None:
        """Given more of a block that never began, then the answer is asked for again."""
        with pytest.raises(TryAgain, match="format"):
            self._content(self._block(3, {}, {"type": "text_delta", "text": "x"})[1])

    def test_a_text_that_goes_on_what_is_none_is_no_answer(self) -> None:
        """Given a block whose text began as a number, then the answer is asked for again."""
        with pytest.raises(TryAgain, match="format"):
            self._content(*self._block(0, {"text": 7}, {"type": "text_delta", "text": "x"}))


class TestStream:
    """What is around the pieces."""

    def test_comments_names_and_line_ends_of_any_kind_are_read(self) -> None:
        """Servers send signs of life, and may break the data of an event over lines."""
        end = json.dumps(_chunk({"content": "x"}, "stop"), indent=1).replace("\n", "\r\ndata: ")
        stream = f": alive\r\n\r\nevent: x\r\nid: 1\r\ndata:{end}\r\n\r\ndata: [DONE]\r\n\r\n"
        assert _answered(Completion, stream.encode()).json()["choices"][0]["message"]["content"]

    @pytest.mark.parametrize("data", [b"{not json", b"[1]", b'"x"'])
    def test_an_event_that_is_no_object_is_no_answer(self, data: bytes) -> None:
        """Nothing of such a stream is used."""
        with pytest.raises(TryAgain, match="JSON"):
            _answered(Completion, b"data: %s\n\n" % data)

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            ({"type": "overloaded_error", "message": "Overloaded"}, 529),
            ({"type": "x", "code": "insufficient_quota", "message": "Paid?"}, 429),
            ({"code": "context_length_exceeded", "message": "Long"}, 400),
            ({"code": 7, "message": "Who knows"}, 500),
        ],
    )
    def test_an_error_within_a_stream_is_a_refusal(self, error: Json, status: int) -> None:
        """The same words with the same meaning as if the request had been refused at once."""
        answer = _answered(Completion, _stream(_chunk({"content": "x"}), {"error": error}))
        assert answer.status_code == status
        assert answer.json()["error"]["message"] == error["message"]

    def test_an_error_of_the_responses_api_is_a_refusal(self) -> None:
        """It has no object of its own."""
        event = {"type": "error", "code": "rate_limit_exceeded", "message": "Slowly"}
        assert _answered(Response, _stream(event)).status_code == 429

    def test_a_server_that_does_not_stream_is_heard(self) -> None:
        """An answer in one piece is taken as it is."""
        whole: Json = {"choices": []}
        answer = _answered(Completion, json.dumps(whole).encode(), "application/json")
        assert answer.json() == whole

    def test_a_stream_without_end_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However little of it is an answer."""
        monkeypatch.setattr("agent.llm.collecting._LONGEST_STREAM", 1_000)
        with pytest.raises(AnswerUnusable, match="over 1,000 bytes"):
            _answered(Completion, b": alive\n" * 200)
