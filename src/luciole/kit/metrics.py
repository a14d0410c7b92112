"""Counters and durations in Prometheus' text form, named by OpenTelemetry's conventions.

Any OpenTelemetry collector scrapes `/metrics`. Labels take few fixed values; a person, a clip or
a path never is one.
"""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    MetricsHandler,
)
from prometheus_client import generate_latest as _render
from prometheus_client import start_http_server as _start_http_server

__all__ = [
    "CONTENT_TYPE",
    "Counter",
    "Gauge",
    "Histogram",
    "MetricsHandler",
    "job_duration",
    "render",
    "request_duration",
    "serve",
]

CONTENT_TYPE = CONTENT_TYPE_LATEST

# https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ (http.server.request.duration)
request_duration = Histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP requests, from the first byte to the start of the answer.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

job_duration = Histogram(
    "luciole_job_duration_seconds",
    "Duration of background jobs. The outcome is done, failed (it is tried again) or gave-up.",
    ["job", "outcome"],
    buckets=(0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600),
)


def render() -> bytes:
    """All metrics of this process."""
    return _render(REGISTRY)


def serve(port: int) -> None:
    """Answers every GET on a loopback port with all metrics of this process, from a thread; for
    processes that have no HTTP server. Raises OSError where the port cannot be had."""
    _start_http_server(port, addr="127.0.0.1")
