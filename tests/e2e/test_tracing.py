"""A run in OpenTelemetry, at a collector that takes what the real protocol sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.project import Project
from tests.support.provider import Provider
from tests.support.scripts import GREET_PRP, crew


class Collector:
    """Keeps the spans and metrics that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.metrics: dict[str, Any] = {}
        self.raw = b""

    def take(self, path: str, body: bytes) -> None:
        self.raw += body
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        if path == "/v1/metrics":
            for one in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.metrics |= {m.name: m for scope in one.scope_metrics for m in scope.metrics}

    def named(self, name: str) -> list[Any]:
        """Return the spans whose name begins so."""
        return [span for span in self.spans if span.name.startswith(name)]


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """Listen on a port of this machine."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def value_of(span: Any, name: str) -> Any:
    """Return an attribute of a span."""
    (found,) = (one.value for one in span.attributes if one.key == name)
    return getattr(found, found.WhichOneof("value"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a PRP."""
    return Project(tmp_path / "project", {"PRPs/greet.md": GREET_PRP})


def test_each_step_of_a_run_is_a_span_of_one_trace(project: Project) -> None:
    """The run above its steps, these above answers, tools and checks; figures and no text."""
    with Provider(crew()) as provider, collecting() as (collector, url):
        ran = project.prp(
            *("execute", "PRPs/greet.md", "--yes"),
            *("--model", "openai-chat:scripted", "--base-url", provider.url),
            PRP_OTEL_ENDPOINT=url,
        )
    assert ran.status == 0, ran.err
    (root,) = collector.named("prp execute")
    assert value_of(root, "prp.outcome") == "proven"
    assert {span.trace_id for span in collector.spans} == {root.trace_id}
    (plan,) = collector.named("plan ")
    assert plan.parent_span_id == root.span_id
    answers = collector.named("chat scripted")
    assert len(answers) == len(provider.requests)
    assert sum(value_of(span, "gen_ai.usage.output_tokens") for span in answers) > 0
    inside = {span.span_id for span in collector.spans if span.parent_span_id == root.span_id}
    assert all(span.parent_span_id in inside for span in answers)
    assert collector.named("check L1.1")
    assert collector.named("execute_tool write")
    assert {"gen_ai.client.token.usage", "prp.runs"} <= collector.metrics.keys()
    assert b"greet" not in collector.raw.replace(value_of(root, "prp.run").encode(), b"")


def test_a_collector_that_is_not_there_costs_a_run_nothing(project: Project) -> None:
    """It ends as it would have, and says once that nobody took its trace."""
    with Provider(crew()) as provider:
        ran = project.prp(
            *("execute", "PRPs/greet.md", "--yes"),
            *("--model", "openai-chat:scripted", "--base-url", provider.url),
            PRP_OTEL_ENDPOINT="http://127.0.0.1:9",
        )
    assert ran.status == 0, ran.err
    assert ran.err.count("trace was not taken by http://127.0.0.1:9") == 1
    assert "Traceback" not in ran.err


def test_an_address_that_is_none_is_said_before_anything_runs(project: Project) -> None:
    """And a repository can't name one."""
    order = ("execute", "PRPs/greet.md", "--model", "openai-chat:x", "--base-url", "http://x.test")
    ran = project.prp(*order, PRP_OTEL_ENDPOINT="here")
    assert (ran.status, "'here' is no address" in ran.err) == (4, True)
    project.write("prp.toml", 'otel_endpoint = "http://elsewhere.example"\n')
    assert project.prp(*order).status == 4
    assert project.runs == []
