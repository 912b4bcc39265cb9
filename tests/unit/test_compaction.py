"""Long conversations."""

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from agent.llm.compaction import Room, compacted

ROOM = Room(most=20_000, until=8_000, kept=4, short=100)


def conversation(turns: int) -> list[ModelMessage]:
    """Return a briefing and a task, and then a tool call and 1,000 characters of result a turn."""
    messages: list[ModelMessage] = [
        ModelRequest(parts=[UserPromptPart(content=["PRP" * 500, "Task 1"])])
    ]
    for turn in range(turns):
        messages.append(ModelResponse(parts=[ToolCallPart(tool_name="read", args={"n": turn})]))
        result = f"=== file {turn}\n" + "line\n" * 200
        messages.append(ModelRequest(parts=[ToolReturnPart(tool_name="read", content=result)]))
    return messages


def size(messages: list[ModelMessage]) -> int:
    return sum(len(str(getattr(part, "content", ""))) for one in messages for part in one.parts)


def test_a_short_conversation_is_sent_as_it_is() -> None:
    """Nothing is left out while there is room."""
    messages = conversation(15)
    assert compacted(messages, ROOM) == messages


def test_a_long_one_keeps_its_beginning_and_its_end() -> None:
    """PRP, plan and task stay to the byte, and so does what the model just read."""
    messages = conversation(100)
    shorter = compacted(messages, ROOM)
    assert size(shorter) <= ROOM.most < size(messages)
    assert shorter[0] == messages[0]
    assert shorter[-ROOM.kept :] == messages[-ROOM.kept :]
    assert "[202 lines left out" in str(shorter[2])
    # Every call still has its answer: providers refuse a conversation where one is missing.
    assert [type(one) for one in shorter] == [type(one) for one in messages]


def test_the_cache_is_lost_once_in_many_turns() -> None:
    """A longer conversation begins with the shorter one, but for the few turns that make room."""
    whole, broken = conversation(100), 0
    for end in range(1, len(whole) - 2, 2):
        before, after = (compacted(whole[:n], ROOM) for n in (end, end + 2))
        broken += after[: len(before)] != before
    assert 1 <= broken <= 10
