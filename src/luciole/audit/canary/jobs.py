"""Which background jobs a cell has, and which of them a run has seen done."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from luciole import worker
from luciole.ask.client import Custody
from luciole.ask.gateway import Outward
from luciole.config import Settings
from luciole.kit.db import Database
from luciole.parts import Parts

_DONE = re.compile(rb'luciole_job_duration_seconds_count\{job="([^"]+)",outcome="([^"]+)"\} (\S+)')


def not_run(metrics: bytes) -> list[str]:
    """Jobs that the worker knows and has never done, by its own metrics."""
    done = {
        name.decode()
        for name, outcome, count in _DONE.findall(metrics)
        if outcome == b"done" and float(count) > 0
    }
    return sorted(_known() - done)


def _known() -> set[str]:
    """Nothing connects: the names are all that is wanted."""
    nowhere = Database("postgresql://nowhere")
    no_keys = defaultdict[str, bytes](lambda: bytes(32))
    custody = Custody.at(Path("nowhere"))
    settings = Settings(blobs="memory:///")
    parts = Parts.over(settings, nowhere, custody=custody, derived=no_keys)
    worker.register(parts, Outward.at(Path("nowhere")))
    return set(parts.queue.names) | set(parts.queue.periodic)
