"""Which values of settings cannot be used, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LOOPBACK = ("127.0.0.1", "::1", "localhost")
AGE_BANDS = ("under-13", "13-15", "16-17", "18+")
RANKING = re.compile(r"(ray(:[^:/\s]+:\d+)?)?")
CONTACT = re.compile(r"(mailto:\S+@\S+|https://\S+)?")
PORT = range(1, 65536)


def faults(settings: Any) -> Iterator[str]:
    """A sentence for each setting of `config.Settings` that names it and says what is expected."""
    if settings.cell.minimum_age_band not in AGE_BANDS[1:]:
        yield f"LUCIOLE_CELL_MINIMUM_AGE_BAND should be one of {', '.join(AGE_BANDS[1:])}."
    is_demo = settings.cell.demo and settings.web.host in LOOPBACK
    if settings.media.allow_unfenced_decoding and not is_demo:
        yield (
            "LUCIOLE_MEDIA_ALLOW_UNFENCED_DECODING works only with LUCIOLE_CELL_DEMO=true on a "
            "loopback address: a hostile file could take over a server that others reach."
        )
    if settings.web.port not in PORT:
        yield "LUCIOLE_WEB_PORT should be between 1 and 65535."
    for name in ("worker", "ledger", "border"):
        port = getattr(settings, name).metrics_port
        if port and port not in PORT:
            yield f"LUCIOLE_{name.upper()}_METRICS_PORT should be between 1 and 65535, or 0."
    if not 10 <= settings.ledger.period_ms <= 60_000:
        yield "LUCIOLE_LEDGER_PERIOD_MS should be between 10 and 60000."
    if not RANKING.fullmatch(settings.feed.ranking):
        yield "LUCIOLE_FEED_RANKING should be empty, ray or ray:HOST:PORT."
    if not 1 <= settings.feed.replicas <= 64:
        yield "LUCIOLE_FEED_REPLICAS should be between 1 and 64."
    if settings.feed.replica_bytes < 1 << 28:
        yield "LUCIOLE_FEED_REPLICA_BYTES should be 268435456 (256 MiB) or more."
    if settings.push not in ("on", "off"):
        yield "LUCIOLE_PUSH should be on or off."
    if not CONTACT.fullmatch(settings.border.contact):
        yield "LUCIOLE_BORDER_CONTACT should be mailto:ADDRESS or https://…."
    if settings.log_level not in ("debug", "info", "warning", "error"):
        yield "LUCIOLE_LOG_LEVEL should be debug, info, warning or error."
