"""The process that sends the cell's backup to another cell. It holds no key of people and no key
that opens what it sends; its login may copy the database and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from luciole import config
from luciole.abroad import recovery
from luciole.abroad.keeper import Keeper
from luciole.abroad.running import Running
from luciole.abroad.server import Tools
from luciole.abroad.shipping import Shipping
from luciole.abroad.spool import Spool
from luciole.abroad.state import State
from luciole.ask.gateway import Outward
from luciole.config import Settings
from luciole.kit import logs, scraping
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.logs import log
from luciole.kit.postgres_programs import wheel_bin_dir

KIND = "backup"
ASKS_WITHIN_S = 60.0
WAITS_FOR_KEY_S = 2.0


def main(metrics_handle: int | None = None) -> None:
    """Runs until SIGTERM or SIGINT. `metrics_handle`: see `kit.scraping`."""
    settings = config.load(os.environ)
    logs.setup("abroad", level=settings.log_level)
    if settings.abroad.metrics_port:
        try:
            scraping.serve(settings.abroad.metrics_port, metrics_handle)
        except OSError as error:
            log.error("metrics port cannot be used", error=type(error).__name__)
    asyncio.run(_run(settings))


def tools_of(settings: Settings, url: str) -> Tools:
    """PostgreSQL's programs that fit the server. Raises ServerProblem."""
    folder = settings.abroad.bin_dir
    return Tools(Path(folder) if folder else wheel_bin_dir(), url)


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    public = await _public(settings, stop)
    if public is None:
        return
    outward = Outward.at(settings.gateway_dir / "copies.sock")

    async def ask(body: bytes) -> bytes:
        return await outward.ask(settings.abroad.peer, KIND, body, ASKS_WITHIN_S)

    folder, clock = settings.abroad_dir, Clock()
    state, spool = State(folder), Spool(folder / "wal")
    tools = tools_of(settings, settings.abroad.database_url)
    keys_dir = Path(settings.keys.backup_dir) if settings.keys.backup_dir else None
    shipping = Shipping(
        Keeper(ask),
        state,
        public,
        tools,
        Blobs.open(settings.blobs_place),
        spool,
        clock,
        days=settings.abroad.days,
        keys_dir=keys_dir,
    )
    running = Running(
        shipping,
        state,
        spool,
        tools,
        folder,
        clock,
        every_s=settings.abroad.every_s,
        base_s=settings.abroad.base_hours * 3600,
        spool_bytes=settings.abroad.spool_bytes,
    )
    try:
        await running.run(stop)
    finally:
        await outward.close()
        state.close()


async def _public(settings: Settings, stop: asyncio.Event) -> recovery.RecoveryPublic | None:
    """The key to seal to; waits until the operator has made one. None where we are stopped."""
    is_said = False
    while not stop.is_set():
        try:
            return recovery.public_of(settings.abroad_dir)
        except recovery.NoRecoveryKey as missing:
            if not is_said:
                log.error("backup abroad has no recovery key", code=missing.code)
            is_said = True
        try:
            await asyncio.wait_for(stop.wait(), WAITS_FOR_KEY_S)
        except TimeoutError:
            continue
    return None
