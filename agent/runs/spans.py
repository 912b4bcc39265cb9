"""What a run's journal is in the words of OpenTelemetry.

Source: its semantic conventions for generative AI, spans and metrics.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from agent.deliver import steps_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_FAILS = ("failed", "timed out", "could not run")
_Told = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one event says took place within a step."""

    name: str
    start: float
    """Seconds since 1970."""
    end: float
    attributes: Mapping[str, str | int | float]
    kind: SpanKind = SpanKind.INTERNAL
    failed: bool = False


def spans_of(events: Sequence[_Told], *, run: str) -> "Sequence[ReadableSpan]":
    """Return the spans of a run: the run, its steps, and within these answers, tools and checks.

    Args:
        events: Of one process that worked on the run, at least one, oldest first.
        run: Its name: all processes that work on it have one trace.

    """
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=_resource(), id_generator=_OneTrace(run))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tree = _Tree(provider.get_tracer("prp"), run, events)
    tree.grow()
    return kept.get_finished_spans()


@dataclass(frozen=True)
class _Tree:
    """Spans within spans, ended from the innermost to the outermost."""

    tracer: Any
    run: str
    events: Sequence[_Told]

    def grow(self) -> None:
        began, ended = self.events[0]["at"], self.events[-1]["at"]
        root = self._root(began)
        steps = steps_of(self.events)
        spans = [
            # A step's title can hold words of the document; its kind and place can't.
            self._start(f"{step.kind} {place}", began + step.start, root, {"prp.step": step.kind})
            for place, step in enumerate(steps, 1)
        ]
        for part in _parts(self.events):
            at = part.end - began
            place = next((n for n, step in enumerate(steps) if at <= step.end), len(steps) - 1)
            below = spans[place] if spans else root
            span = self._start(part.name, part.start, below, part.attributes, kind=part.kind)
            if part.failed:
                span.set_status(Status(StatusCode.ERROR))
            span.end(_nanoseconds(part.end))
        for step, span in zip(steps, spans, strict=True):
            span.end(_nanoseconds(began + step.end))
        root.end(_nanoseconds(ended))

    def _root(self, began: float) -> Span:
        started = _first(self.events, "run-started")
        ended = _first(self.events, "run-ended")
        about = {
            "prp.run": self.run,
            "prp.outcome": ended.get("outcome", "not ended"),
            "prp.exit_status": ended.get("exit_status", -1),
        }
        root = self._start("prp execute" if started else "prp resume", began, None, about)
        if ended.get("exit_status"):
            root.set_status(Status(StatusCode.ERROR, about["prp.outcome"]))
        return root

    def _start(
        self,
        name: str,
        at: float,
        below: Span | None,
        attributes: Mapping[str, str | int | float],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        context = set_span_in_context(below) if below else Context()
        span: Span = self.tracer.start_span(
            name, context=context, kind=kind, start_time=_nanoseconds(at), attributes=attributes
        )
        return span


def _parts(events: Sequence[_Told]) -> Iterator[_Part]:
    for before, event in pairwise([events[0], *events]):
        at = float(event["at"])
        match event["type"]:
            case "model-answered":
                yield _Part(
                    name=f"chat {_model_of(event)}",
                    start=at - event["seconds"],
                    end=at,
                    kind=SpanKind.CLIENT,
                    attributes={
                        **_asked(event),
                        "gen_ai.agent.name": event["role"],
                        "gen_ai.usage.input_tokens": event["input_tokens"],
                        "gen_ai.usage.output_tokens": event["output_tokens"],
                        "gen_ai.usage.cache_read.input_tokens": event["cache_read_tokens"],
                        "gen_ai.usage.cache_creation.input_tokens": event["cache_write_tokens"],
                        **({} if event["cost_usd"] is None else {"prp.usd": event["cost_usd"]}),
                    },
                )
            case "tool-used":
                yield _Part(
                    name=f"execute_tool {event['tool']}",
                    start=float(before["at"]),
                    end=at,
                    attributes={
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.name": event["tool"],
                        "gen_ai.agent.name": event["role"],
                    },
                    failed=event["failed"],
                )
            case "check-finished":
                yield _Part(
                    name=f"check {event['check']}",
                    start=at - (event["seconds"] or 0.0),
                    end=at,
                    attributes={
                        "prp.check": event["check"],
                        "prp.check.state": event["state"],
                        "prp.check.exit_status": -1 if event["status"] is None else event["status"],
                    },
                    # Red on the base commit is what a run is for.
                    failed=event["state"] in _FAILS and event["stage"] != "baseline",
                )


def metrics_of(events: Sequence[_Told]) -> MetricsData:
    """Return what models were asked for, how long they took, and what it cost."""
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], resource=_resource()).get_meter("prp")
    tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")
    seconds = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
    dollars = meter.create_counter("prp.cost", unit="USD")
    runs = meter.create_counter("prp.runs", unit="{run}")
    for event in events:
        if event["type"] == "run-ended":
            runs.add(1, {"prp.outcome": event["outcome"]})
        if event["type"] == "model-answered":
            about = _asked(event)
            seconds.record(event["seconds"], about)
            dollars.add(event["cost_usd"] or 0.0, {**about, "gen_ai.agent.name": event["role"]})
            for kind in ("input", "output"):
                tokens.record(event[f"{kind}_tokens"], {**about, "gen_ai.token.type": kind})
    return reader.get_metrics_data() or MetricsData(resource_metrics=())


def _asked(event: _Told) -> dict[str, str | int | float]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": event["model"].partition(":")[0],
        "gen_ai.request.model": _model_of(event),
    }


def _model_of(event: _Told) -> str:
    provider, colon, name = str(event["model"]).partition(":")
    # A recording's name is a place on the disk.
    return name if colon and provider != "replay" else provider


def _first(events: Sequence[_Told], *kinds: str) -> _Told:
    return next((event for event in events if event["type"] in kinds), {})


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000) * 1_000


def _resource() -> Resource:
    return Resource.create({"service.name": "prp", "service.version": version("prp-agent")})


class _OneTrace(IdGenerator):
    """Gives all processes of a run one trace."""

    def __init__(self, run: str) -> None:
        self._trace = int.from_bytes(sha256(run.encode()).digest()[:16], "big")

    def generate_trace_id(self) -> int:
        return self._trace

    def generate_span_id(self) -> int:
        return random.getrandbits(64) or 1
