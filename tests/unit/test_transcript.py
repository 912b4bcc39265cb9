"""What agents and models said to each other, kept once and without secrets."""

from pathlib import Path

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from agent.deliver.talks import talks_of
from agent.llm.transcript import Transcript, read_transcript
from agent.masking import Mask

ASKED = ModelRequest(parts=[UserPromptPart(content="Build it.")], instructions="You build.")
CALLED = ModelResponse(parts=[ToolCallPart("write", {"path": "a.py", "content": "x = 1\ny = 2\n"})])
TOLD = ModelRequest(parts=[ToolReturnPart("write", "wrote a.py, 2 lines", "1")])
DONE = ModelResponse(parts=[TextPart("Done.")])


def said_twice(path: Path, *, mask: Mask | None = None) -> None:
    """Write a conversation of two turns."""
    transcript = Transcript(path, mask=mask)
    messages: list[ModelMessage] = [ASKED]
    transcript.write(role="coder", messages=messages, response=CALLED)
    transcript.write(role="coder", messages=[ASKED, CALLED, TOLD], response=DONE)


def test_each_turn_says_only_what_is_new(tmp_path: Path) -> None:
    """A conversation is no longer on disk than what was said in it."""
    said_twice(tmp_path / "talk.jsonl")
    first, second = read_transcript(tmp_path / "talk.jsonl")
    assert [(part.kind, part.text) for part in first.asked] == [
        ("system", "You build."),
        ("user", "Build it."),
    ]
    assert [(part.kind, part.name, part.text) for part in second.asked] == [
        ("result", "write", "wrote a.py, 2 lines")
    ]
    assert second.answered[0].text == "Done."


def test_a_run_that_is_taken_up_adds_only_what_is_new(tmp_path: Path) -> None:
    """Also behind a line that a crash tore."""
    path = tmp_path / "talk.jsonl"
    said_twice(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    said_twice(path)
    turns = list(read_transcript(path))
    assert [turn.answered[0].kind for turn in turns] == ["call", "text"]
    said_twice(path)
    assert len(list(read_transcript(path))) == len(turns)


def test_another_conversation_of_a_role_is_told_apart(tmp_path: Path) -> None:
    """By its first message, whatever that says."""
    transcript = Transcript(tmp_path / "talk.jsonl")
    for _ in range(2):
        again = ModelRequest(parts=[UserPromptPart(content="Build it.")])
        transcript.write(role="coder", messages=[again], response=DONE)
    assert [talk.title for talk in talks_of(read_transcript(tmp_path / "talk.jsonl"))] == [
        "coder, conversation 1: 1 turn",
        "coder, conversation 2: 1 turn",
    ]


def test_P05_no_secret_is_kept(tmp_path: Path) -> None:
    """Neither in what was asked nor in what was answered."""
    path = tmp_path / "talk.jsonl"
    secret = "correct-horse-battery-staple"
    answer = ModelResponse(parts=[TextPart(f"The key is {secret}.")])
    asked = ModelRequest(parts=[UserPromptPart(content=f"KEY={secret}")])
    transcript = Transcript(path, mask=Mask({"OPENAI_API_KEY": secret}))
    transcript.write(role="coder", messages=[asked], response=answer)
    assert secret not in path.read_text()
    assert "OPENAI_API_KEY" in path.read_text()


def test_a_call_is_read_as_text_of_several_lines(tmp_path: Path) -> None:
    """Not as JSON with backslashes in it."""
    said_twice(tmp_path / "talk.jsonl")
    (talk,) = talks_of(read_transcript(tmp_path / "talk.jsonl"))
    assert talk.turns[0].title == "1: calls write"
    assert "path: a.py\ncontent: \nx = 1\ny = 2" in talk.turns[0].text
