"""How much a run may spend, and how much it has spent."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import ParamSpec, TypeVar

from agent.errors import BudgetExhausted, SettingsError
from agent.llm.prices import Prices, Tokens

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_LOW = 0.8


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The limits of a run; None means no limit of this kind."""

    max_attempts: int = 3
    """How often the coder may try."""
    max_cost_usd: float | None = None
    """US dollars for all models together."""
    max_minutes: float | None = None
    """Wall time of the run, over all its processes when it is resumed."""
    max_tokens: int | None = None
    """Tokens read and written by all models together."""
    max_requests_per_task: int = 60
    """Model requests that one task may take."""

    def __post_init__(self) -> None:
        """Refuse limits that nothing could keep.

        Raises:
            SettingsError: A limit is zero, negative or not a number; it names the flag.

        """
        for one in fields(self):
            limit = getattr(self, one.name)
            if limit is not None and not (math.isfinite(limit) and limit > 0):
                raise SettingsError(
                    f"{_flag(one.name)} is {limit}, but must be more than 0",
                    hint="Leave it away for no limit of this kind."
                    if one.default is None
                    else f"The default is {one.default}.",
                )


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a run has used up so far."""

    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: float = 0.0
    """Of all answers whose price is known."""
    unpriced: int = 0
    """Answers whose price nobody knows."""
    minutes: float = 0.0
    requests: int = 0
    """Answers that arrived, the unusable ones included."""


class Meter:
    """Counts what a run spends and says when it has to stop."""

    def __init__(
        self,
        budget: Budget,
        *,
        prices: Mapping[str, tuple[float, float]] | None = None,
        earlier: Spent | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start to measure.

        Args:
            budget: The limits.
            prices: US dollars per million tokens read and written, for models of the person's own.
            earlier: What earlier processes of a resumed run have used.
            clock: Seconds; only differences count.

        """
        self.budget = budget
        self.prices = Prices(own=prices or {})
        self._earlier = earlier or Spent()
        self._clock = clock
        self._started = clock()
        self._tokens = self._earlier.tokens
        self._cost = self._earlier.cost_usd
        self._unpriced = self._earlier.unpriced
        self._requests = self._earlier.requests
        self._called_low: set[str] = set()
        self._open = 0
        self._largest_tokens, self._largest_cost = 0, 0.0
        self._has_counted = asyncio.Condition()
        self.cost_by_role: dict[str, float] = defaultdict(float)
        """US dollars that each role spent in this process."""
        self.cost_by_model: dict[str, float] = defaultdict(float)
        """US dollars that went to each model in this process."""

    def require_prices(self, models: Iterable[str]) -> None:
        """Make sure that a limit in money can be kept, before any money is spent.

        Raises:
            SettingsError: There is such a limit, and the price of a model is not known.

        """
        if self.budget.max_cost_usd is None:
            return
        for model in models:
            if not self.prices.knows(model):
                raise SettingsError(
                    f"The price of {model} is not known, so --max-cost-usd could not be kept",
                    hint="Set its price as `prices` in your config.toml, in dollars per million "
                    f'tokens: `prices = {{ "{model}" = [1.0, 5.0] }}`; or limit --max-tokens.',
                )

    def count(self, *, role: str, model: str, tokens: Tokens) -> float | None:
        """Add one answer, whether it was of use or not.

        Returns:
            What it cost in US dollars, None where the price is not known.

        """
        cost = self.prices.cost(model, tokens)
        self._requests += 1
        self._tokens += tokens
        self._largest_tokens = max(self._largest_tokens, tokens.total)
        self._largest_cost = max(self._largest_cost, cost or 0.0)
        if cost is None:
            self._unpriced += 1
        else:
            self._cost += cost
            self.cost_by_role[role] += cost
            self.cost_by_model[model] += cost
        return cost

    def spent(self) -> Spent:
        """Return what is used up, earlier processes included."""
        return Spent(
            tokens=self._tokens,
            cost_usd=self._cost,
            unpriced=self._unpriced,
            minutes=self._earlier.minutes + (self._clock() - self._started) / 60,
            requests=self._requests,
        )

    def fraction(self) -> float:
        """Return how much of the tightest limit is used: 0 is nothing, 1 and above is all of it."""
        return max((used / limit for _, used, limit, _ in self._limits()), default=0.0)

    def newly_low(self) -> Iterator[str]:
        """Yield of each limit, once, that more than four fifths of it are used."""
        for name, used, limit, words in self._limits():
            if _LOW * limit <= used < limit and name not in self._called_low:
                self._called_low.add(name)
                yield (
                    f"{used / limit:.0%} of a limit is used: {words.format(used)} of "
                    f"{words.format(limit)} ({_flag(name)})"
                )

    def require_left(self) -> None:
        """Let the caller go on only while something is left of every limit.

        Raises:
            BudgetExhausted: A limit is reached: which, how much was used, and which flag raises it.

        """
        for name, used, limit, words in self._limits():
            if used >= limit:
                raise BudgetExhausted(
                    f"The run has used {words.format(used)} of {words.format(limit)}",
                    hint=f"What was done so far is kept. To go on, add a higher {_flag(name)}.",
                )

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Wait for room for one more question, and keep it until the answer is counted.

        Near a limit questions follow each other, so that conversations that go on at the same time
        pass it by one answer together, as a single one would.
        """
        async with self._has_counted:
            await self._has_counted.wait_for(self._has_room)
            self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            async with self._has_counted:
                self._has_counted.notify_all()

    def _has_room(self) -> bool:
        """Return whether what is open and one more stay within the limits, as answers go so far."""
        budget, spent, asked = self.budget, self.spent(), self._open + 1
        cost = spent.cost_usd + asked * self._largest_cost
        tokens = spent.tokens.total + asked * self._largest_tokens
        return not self._open or (
            (budget.max_cost_usd is None or cost < budget.max_cost_usd)
            and (budget.max_tokens is None or tokens < budget.max_tokens)
        )

    @asynccontextmanager
    async def within_time(self) -> AsyncIterator[None]:
        """Cancel what happens inside as soon as the run's minutes are used up.

        Raises:
            BudgetExhausted: They are; commands that ran were ended in order.

        """
        limit = self.budget.max_minutes
        left = None if limit is None else (limit - self.spent().minutes) * 60
        try:
            async with asyncio.timeout(left):
                yield
        except TimeoutError:
            self.require_left()
            raise

    def in_time(
        self, do: Callable[_Given, Awaitable[_Result]]
    ) -> Callable[_Given, Awaitable[_Result]]:
        """Return the same function, ended when the run's minutes are used up."""

        async def timed(*given: _Given.args, **named: _Given.kwargs) -> _Result:
            async with self.within_time():
                return await do(*given, **named)

        return timed

    def _limits(self) -> Iterable[tuple[str, float, float, str]]:
        """Yield each limit that is set: name, used, limit, how to say an amount."""
        spent = self.spent()
        for name, used, words in (
            ("max_cost_usd", spent.cost_usd, "${:.2f}"),
            ("max_tokens", spent.tokens.total, "{:,} tokens"),
            ("max_minutes", spent.minutes, "{:.2g} minutes"),
        ):
            limit = getattr(self.budget, name)
            if limit is not None:
                yield name, used, limit, words


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
