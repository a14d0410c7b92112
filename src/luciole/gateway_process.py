"""The gateway's process: the one that speaks outside. It holds no key and sees no person: its
database role reads what was offered to the border, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal

from luciole import config
from luciole.border.gateway import Gateway
from luciole.border.wire import Services
from luciole.kit import logs, metrics
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.logs import log

POOL = 4


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    settings = config.load(os.environ)
    logs.setup("gateway", level=settings.log_level)
    if settings.border.metrics_port:
        try:
            metrics.serve(settings.border.metrics_port)
        except OSError as error:
            log.error("metrics port cannot be used", error=type(error).__name__)
    try:
        services = Services(settings.border.push_services)
    except ValueError as error:
        raise config.SettingError(f"LUCIOLE_BORDER_PUSH_SERVICES: {error}") from error
    asyncio.run(_run(settings, services))


async def _run(settings: config.Settings, services: Services) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url, role = settings.database.login("gateway")
    db = await Database.open(url, role=role, size=POOL)
    try:
        await Gateway(db, services, Clock()).run(stop)
    finally:
        await db.close()
