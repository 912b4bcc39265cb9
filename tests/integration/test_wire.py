"""Model answers on the wire, whole and broken, in the three formats."""

import asyncio
import re
import subprocess
import sys
from types import FrameType
from typing import Any

import pytest
from pydantic import BaseModel

from agent.errors import (
    BudgetExhausted,
    EnvironmentProblem,
    ProviderUnavailable,
    PrpError,
    SettingsError,
)
from agent.journal import Event, ModelAnswered, ModelRetried
from agent.llm.budget import Budget, Meter
from agent.llm.conversation import AgentFailed, converse
from agent.llm.faults import ConversationTooLong
from agent.llm.models import ModelChoice, Patience, open_model
from tests.support.provider import Answer, Provider, Request, Script

WIRES = ("openai-chat", "openai-responses", "anthropic")
_OURS = re.compile(r"(?<!/pydantic_ai)/agent/|/site-packages/openai/")
# For each earlier turn; to walk through its values takes hundreds.
_A_FEW_CALLS = 5
FINISHED = Answer(calls=(("finish", {"word": "done"}),))


class End(BaseModel):
    """How the conversation ends."""

    word: str


class Talk:
    """One conversation with a scripted provider."""

    def __init__(self, wire: str, answers: Script, **options: Any) -> None:
        """Hold it, and keep what happened."""
        self.events: list[Event] = []
        self.waits: list[float] = []
        self.word = ""
        self.error: PrpError | None = None
        with Provider(answers) as provider:
            self.provider = provider
            provider.keeps_connections = options.pop("keeps_connections", False)
            try:
                self.word = asyncio.run(self._hold(wire, provider, options))
            except PrpError as error:
                self.error = error

    async def _hold(self, wire: str, provider: Provider, options: dict[str, Any]) -> str:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        there = options.pop("url", provider.url)
        there = there.replace("http:", f"{options.pop('scheme', 'http')}:")
        url = there if wire != "anthropic" else there.removesuffix("/v1")
        budget = Budget(max_tokens=options.pop("max_tokens", None))
        model = open_model(
            ModelChoice(names=(f"{wire}:scripted",), base_url=url, **options),
            role="coder",
            meter=Meter(budget),
            record=self.events.append,
            keys={"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x"},
            patience=Patience(tries=3, sleep=sleep, jitter=lambda: 7.0),
        )
        try:
            reply = await converse(
                model,
                role="coder",
                instructions="Be brief.",
                output=End,
                finish=("finish", "End."),
                prompt=["Say done."],
                tools=[self._look, self._look_closely],
            )
        finally:
            await model.close()
        return reply.output.word

    async def _look(self, number: int) -> str:
        """Look a number up."""
        return f"number {number} is odd"

    async def _look_closely(self, number: int) -> str:
        """Look a number up, at length."""
        return f"number {number} is odd\n" * 200

    @property
    def retried(self) -> list[str]:
        """Reasons of all tries that failed."""
        return [event.reason for event in self.events if isinstance(event, ModelRetried)]

    @property
    def answered(self) -> list[ModelAnswered]:
        """Answers that were counted."""
        return [event for event in self.events if isinstance(event, ModelAnswered)]


@pytest.mark.parametrize("wire", WIRES)
class TestWholeAnswers:
    """What goes right."""

    def test_a_tool_call_and_the_end_arrive(self, wire: str) -> None:
        """Tools run, their result reaches the model, and the typed end comes back."""
        talk = Talk(wire, [Answer(calls=(("_look", {"number": 3}),)), FINISHED])
        assert talk.word == "done"
        assert "number 3 is odd" in talk.provider.requests[1].text

    def test_tokens_are_counted_once(self, wire: str) -> None:
        """Each answer is one event with the provider's own numbers, the cached ones among them."""
        answer = Answer(
            calls=FINISHED.calls, input_tokens=1000, output_tokens=50, cached_tokens=800
        )
        (event,) = Talk(wire, [answer]).answered
        assert (event.input_tokens, event.output_tokens) == (1000, 50)
        assert event.cache_read_tokens == 800

    def test_a_connection_serves_all_turns(self, wire: str) -> None:
        """An answer is read to the end of its stream: another connection costs a handshake."""
        looks = [Answer(calls=(("_look", {"number": n}),)) for n in range(5)]
        talk = Talk(wire, [*looks, FINISHED], keeps_connections=True)
        assert (talk.word, len(talk.provider.requests)) == ("done", 6)
        assert talk.provider.connections == 1

    def test_several_calls_of_one_turn_all_run(self, wire: str) -> None:
        """Parallel calls get an answer each."""
        calls = (("_look", {"number": 1}), ("_look", {"number": 2}))
        talk = Talk(wire, [Answer(calls=calls), FINISHED])
        assert "number 1 is odd" in talk.provider.requests[1].text
        assert "number 2 is odd" in talk.provider.requests[1].text

    def test_a_late_turn_takes_no_more_of_our_work_than_an_early_one(self, wire: str) -> None:
        """Neither we nor the provider's library go through the whole conversation every time."""
        # Given a conversation of many turns that are all alike
        turns: list[int] = [0]

        def answer(_: Request) -> Answer:
            turns.append(0)
            number = len(turns) + 10
            return FINISHED if number > 50 else Answer(calls=(("_look", {"number": number}),))

        def count(frame: FrameType, event: str, _: object) -> None:
            turns[-1] += event == "call" and bool(_OURS.search(frame.f_code.co_filename))

        # When the functions that are called in each turn are counted
        sys.setprofile(count)
        try:
            talk = Talk(wire, answer)
        finally:
            sys.setprofile(None)
        # Then 25 turns more add next to nothing; how often bytes arrive differs from turn to turn
        assert talk.word == "done"
        assert min(turns[30:35]) - min(turns[5:10]) < 25 * _A_FEW_CALLS


@pytest.mark.parametrize("wire", WIRES)
class TestBrokenAnswers:
    """A broken answer is never taken as a finished one."""

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param("500", id="F37_server_error"),
            pytest.param("529", id="F38_overloaded"),
            pytest.param("429", id="F36_rate_limit"),
            pytest.param("cut", id="F44_cut"),
            pytest.param("no-end", id="F45_no_end"),
            pytest.param("html", id="F47_html"),
            pytest.param("malformed", id="F47_malformed"),
            pytest.param("error-inside", id="F39_error_inside"),
        ],
    )
    def test_a_passing_fault_is_tried_again(self, wire: str, fault: str) -> None:
        """The next try succeeds, and exactly one further request was made."""
        broken = Answer(text="half", calls=FINISHED.calls, fault=fault)
        talk = Talk(wire, [broken, FINISHED])
        assert talk.error is None
        assert talk.word == "done"
        assert len(talk.provider.requests) == 2
        assert len(talk.retried) == 1

    def test_F37_a_lasting_fault_pauses_the_run(self, wire: str) -> None:
        """After the last try the provider is unavailable; tries are counted once."""
        talk = Talk(wire, [Answer(fault="500")])
        assert isinstance(talk.error, ProviderUnavailable)
        assert len(talk.provider.requests) == 3

    def test_F35_retry_after_is_kept(self, wire: str) -> None:
        """What the provider asks to wait wins over our own patience."""
        talk = Talk(wire, [Answer(fault="429", retry_after="11"), FINISHED])
        assert talk.waits == [11.0]

    def test_F46_an_answer_cut_at_the_limit_is_not_used(self, wire: str) -> None:
        """The model is told that it was cut off; the half call never ran."""
        cut = Answer(calls=(("_look", '{"num'),), fault="length")
        talk = Talk(wire, [cut, FINISHED])
        assert talk.word == "done"
        assert "cut off" in talk.provider.requests[1].text
        assert "is odd" not in talk.provider.requests[1].text

    def test_F51_an_empty_answer_is_asked_for_again(self, wire: str) -> None:
        """The model is told that its answer was empty."""
        talk = Talk(wire, [Answer(), FINISHED])
        assert talk.word == "done"
        assert len(talk.provider.requests) == 2

    def test_F52_a_refusal_ends_without_a_storm(self, wire: str) -> None:
        """One request, and an error that says so."""
        talk = Talk(wire, [Answer(text="I can't.", fault="refusal")])
        assert isinstance(talk.error, AgentFailed)
        assert "refused" in str(talk.error)
        assert len(talk.provider.requests) == 1

    def test_F48_an_unknown_tool_is_told(self, wire: str) -> None:
        """The model learns which tools there are."""
        talk = Talk(wire, [Answer(calls=(("nope", {}),)), FINISHED])
        assert talk.word == "done"
        assert (
            "nope" in talk.provider.requests[1].last or "Unknown" in talk.provider.requests[1].text
        )

    def test_F49_wrong_arguments_are_told(self, wire: str) -> None:
        """The model learns what was wrong with them."""
        talk = Talk(wire, [Answer(calls=(("_look", {"number": "three"}),)), FINISHED])
        assert talk.word == "done"
        assert "integer" in talk.provider.requests[1].text

    def test_F49_arguments_that_are_no_json_are_told(self, wire: str) -> None:
        """Cut arguments are never repaired into a call."""
        talk = Talk(wire, [Answer(calls=(("_look", '{"number": 3, "x'),)), FINISHED])
        assert talk.word == "done"
        assert "is odd" not in talk.provider.requests[1].text

    def test_F43_a_silent_stream_is_given_up(self, wire: str) -> None:
        """An answer that stops in the middle is asked for again."""
        broken = Answer(text="half", calls=FINISHED.calls, fault="stall")
        talk = Talk(wire, [broken, FINISHED], idle_seconds=0.5)
        assert talk.word == "done"
        assert len(talk.provider.requests) == 2

    def test_F42_no_answer_at_all_is_given_up(self, wire: str) -> None:
        """A server that accepts and says nothing is asked again."""
        talk = Talk(wire, [Answer(fault="hang"), FINISHED], timeout_seconds=1.0)
        assert talk.word == "done"

    def test_F54_a_wrong_key_is_said_at_once(self, wire: str) -> None:
        """No second try, and the message names the variable."""
        talk = Talk(wire, [Answer(fault="401")])
        assert isinstance(talk.error, SettingsError)
        assert "API_KEY" in str(talk.error)
        assert len(talk.provider.requests) == 1

    def test_F53_a_conversation_that_is_too_long_is_said(self, wire: str) -> None:
        """The same request would be refused again."""
        talk = Talk(wire, [Answer(fault="413")])
        assert isinstance(talk.error, ConversationTooLong)
        assert "too large" in str(talk.error)
        assert "Split the task" in talk.error.hint
        assert len(talk.provider.requests) == 1

    def test_F53_a_conversation_that_is_too_long_is_shortened_first(self, wire: str) -> None:
        """Old results are left out; from then on there is less room, and nobody asks in vain."""
        look = [Answer(calls=(("_look_closely", {"number": n}),)) for n in range(4)]
        talk = Talk(wire, [*look[:2], Answer(fault="413"), *look[2:], FINISHED])
        assert talk.word == "done"
        assert len(talk.provider.requests) == 6
        assert "left out" not in talk.provider.requests[2].text
        assert "left out" in talk.provider.requests[3].text
        assert "number 1 is odd" in talk.provider.requests[3].last

    def test_F57_an_answer_without_end_is_cut_off(self, wire: str) -> None:
        """10 MB of text are not kept, and not asked for again."""
        talk = Talk(wire, [Answer(text="x" * 10_000_000), FINISHED])
        assert isinstance(talk.error, AgentFailed)
        assert "over 4,000,000 characters" in str(talk.error)
        assert len(talk.provider.requests) == 1

    def test_F57_a_thousand_calls_are_not_carried_out(self, wire: str) -> None:
        """The model is told how many it may make."""
        many = Answer(calls=tuple(("_look", {"number": n}) for n in range(1_000)))
        talk = Talk(wire, [many, FINISHED])
        assert talk.word == "done"
        assert "1000 tool calls" in talk.provider.requests[1].text
        assert "is odd" not in talk.provider.requests[1].text

    @pytest.mark.parametrize("host", ["127.0.0.1:9", "nowhere.invalid"])
    def test_F40_a_server_that_cannot_be_reached_is_said_after_few_tries(
        self, wire: str, host: str
    ) -> None:
        """A wrong address is likelier than a busy server."""
        talk = Talk(wire, [FINISHED], url=f"http://{host}/v1")
        assert isinstance(talk.error, ProviderUnavailable)
        assert "can't be reached" in str(talk.error)
        assert len(talk.retried) <= 2

    def test_F41_a_connection_that_is_not_secure_is_not_tried_again(self, wire: str) -> None:
        """Given a server that speaks no TLS, then certificates and proxies are named."""
        talk = Talk(wire, [FINISHED], scheme="https")
        assert isinstance(talk.error, EnvironmentProblem)
        assert "SSL_CERT_FILE" in talk.error.hint
        assert (talk.retried, talk.provider.requests) == ([], [])


class TestBudgets:
    """A limit stops the run between two answers."""

    def test_F56_tokens_that_are_used_up_stop_the_next_request(self) -> None:
        """The first answer is used, a second is not asked for."""
        first = Answer(calls=(("_look", {"number": 3}),), input_tokens=500)
        talk = Talk("openai-chat", [first, FINISHED], max_tokens=100)
        assert isinstance(talk.error, BudgetExhausted)
        assert len(talk.provider.requests) == 1
        assert "--max-tokens" in talk.error.hint


_ASK = """
import sys
from agent.llm.loading import load_libraries
from agent.llm.models import ModelChoice
from tests.integration.test_wire import FINISHED, Talk
load_libraries([ModelChoice(names=(sys.argv[1] + ":x",))])
loaded = set(sys.modules)
assert Talk(sys.argv[1], [FINISHED]).word == "done"
names = sorted(set(sys.modules) - loaded)
print([name for name in names if name.startswith(("agent", "anthropic", "openai", "pydantic"))])
"""


@pytest.mark.parametrize("wire", WIRES)
def test_what_asking_takes_is_loaded_beforehand(wire: str) -> None:
    """The first request waits for no library: all came in beside the baseline."""
    done = subprocess.run(
        [sys.executable, "-c", _ASK, wire], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["[]"], done.stderr
