"""Counters and durations in Prometheus' text form, named by OpenTelemetry's conventions.

Any OpenTelemetry collector scrapes `/metrics`. Labels take few fixed values; a person, a clip or
a path never is one.
"""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram
from prometheus_client import generate_latest as _render

__all__ = [
    "CONTENT_TYPE",
    "Counter",
    "Gauge",
    "Histogram",
    "render",
    "request_duration",
]

CONTENT_TYPE = CONTENT_TYPE_LATEST

# https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ (http.server.request.duration)
request_duration = Histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP requests, from the first byte to the start of the answer.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def render() -> bytes:
    """All metrics of this process."""
    return _render(REGISTRY)
