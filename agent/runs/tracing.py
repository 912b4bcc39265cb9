"""A run sent to an OpenTelemetry collector: a trace with a span for each step, metrics of models.

Only figures and names are sent: no text of a document, a model or a command leaves this way.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from agent.errors import SettingsError
from agent.journal import Event, Noted, Record, as_json

_SECONDS = 5
"""What a collector may take to answer: a run that is over waits no longer."""
_AT_ONCE = 500


@contextmanager
def traced(endpoint: str | None, listen: Record, *, run: str) -> Iterator[Record]:
    """Send what happens in a run to a collector, when the process is done with it.

    Args:
        endpoint: Where the collector takes OTLP over HTTP, such as `http://localhost:4318`; without
            one nothing is done.
        listen: Is told of every event, too, and of a collector that did not take the trace.
        run: Name of the run: all processes that work on it have one trace.

    """
    if not endpoint:
        yield listen
        return
    events: list[Mapping[str, Any]] = []

    def record(event: Event) -> None:
        listen(event)
        events.append(as_json(event, sequence=len(events) + 1))

    try:
        yield record
    finally:
        if events and not _sent(events, endpoint.rstrip("/"), run):
            words = f"The run's trace was not taken by {endpoint} within {_SECONDS} s"
            listen(Noted(text=words, warning=True))


def require_collector(endpoint: str | None) -> None:
    """Make sure that a run can be sent, before it begins.

    Raises:
        SettingsError: The address is none, or the packages are not installed.

    """
    if not endpoint:
        return
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f"otel_endpoint {endpoint!r} is no address of a collector",
            hint="Name where it takes OTLP over HTTP, such as http://localhost:4318.",
        )
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise SettingsError(
            "Traces need packages that are not installed beside prp",
            hint='Install them: pip install "prp-agent[otel]".',
        )


def _sent(events: Sequence[Mapping[str, Any]], endpoint: str, run: str) -> bool:
    """Send spans and metrics; return whether the collector took both."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - optional
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.metrics.export import MetricExportResult  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415

    from agent.runs.spans import metrics_of, spans_of  # noqa: PLC0415 - loads the library

    # A failure is told once, as a note; the library would write it into the terminal's picture.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False
    spans = spans_of(events, run=run)
    sender = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=_SECONDS)
    for first in range(0, len(spans), _AT_ONCE):
        if sender.export(spans[first : first + _AT_ONCE]) is not SpanExportResult.SUCCESS:
            return False
    meter = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", timeout=_SECONDS)
    return meter.export(metrics_of(events)) is MetricExportResult.SUCCESS
