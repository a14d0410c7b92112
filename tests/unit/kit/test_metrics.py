"""What jobs took is counted, and can be scraped from a process without an HTTP server."""

from __future__ import annotations

import random
import socket
import urllib.request
from types import SimpleNamespace
from typing import Any, cast

import pytest

# First, because it names the schema of the library's tables.
from luciole.kit import metrics, queue  # isort: skip
from pgqueuer.domain.errors import RetryRequested


def scraped() -> str:
    for _ in range(50):
        port = random.randrange(20_000, 32_000)
        try:
            metrics.serve(port)
        except OSError:
            continue
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
    raise AssertionError("no port is free")


def job(attempts: int = 0) -> Any:
    return cast(Any, SimpleNamespace(payload=b"{}", attempts=attempts))


async def test_each_outcome_of_a_job_is_counted() -> None:
    async def works(_body: queue.Body) -> None: ...

    async def breaks(_body: queue.Body) -> None:
        raise ValueError("hush")

    await queue._guarded("test.works", works)(job())
    with pytest.raises(RetryRequested):
        await queue._guarded("test.breaks", breaks)(job())
    with pytest.raises(queue.GaveUp):
        await queue._guarded("test.breaks", breaks)(job(queue.MAX_ATTEMPTS - 1))
    told = scraped()
    for name, outcome in (("works", "done"), ("breaks", "failed"), ("breaks", "gave-up")):
        line = f'luciole_job_duration_seconds_count{{job="test.{name}",outcome="{outcome}"}} 1.0'
        assert line in told
    assert "hush" not in told


def test_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            metrics.serve(taken.getsockname()[1])
