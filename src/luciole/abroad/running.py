"""Keeps a backup abroad going: the log is received, rounds follow each other, base backups are made
when their time has come, and gaps are mended by a new one."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from luciole.abroad import measures
from luciole.abroad.server import SlotLost, Tools
from luciole.abroad.shipping import Shipping
from luciole.abroad.spool import Gap, Spool
from luciole.abroad.state import State
from luciole.ask.gateway import PeerRefused
from luciole.kit.clock import Clock
from luciole.kit.errors import Problem
from luciole.kit.logs import log

# `luciole abroad now` leaves this file in the folder. It stays until a base backup that began after
# it is abroad.
ASKED_FOR = "base-now"
LOOKS_EVERY_S = 0.5
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 60.0


class Running:
    """One process's work. `every_s` and `base_s` are seconds between rounds and base backups."""

    def __init__(
        self,
        shipping: Shipping,
        state: State,
        spool: Spool,
        tools: Tools,
        folder: Path,
        clock: Clock,
        *,
        every_s: float,
        base_s: float,
        spool_bytes: int,
    ) -> None:
        self._shipping, self._state, self._spool, self._tools = shipping, state, spool, tools
        self._folder, self._clock = folder, clock
        self._every_s, self._base_s, self._spool_bytes = every_s, base_s, spool_bytes
        self._receiving: asyncio.Task[None] | None = None
        self._basing: asyncio.Task[None] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._base_due = 0.0
        # When the request was made that the base backup under way answers (st_mtime_ns).
        self._answers: int | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        next_round = 0.0
        loop = asyncio.get_running_loop()
        try:
            while not stop.is_set():
                try:
                    await self._receive()
                    self._base()
                    if loop.time() >= next_round:
                        next_round = loop.time() + self._every_s
                        await self._round()
                        self._pause_s = FIRST_PAUSE_S
                except (Gap, SlotLost):
                    next_round = 0.0
                    await self._mend()
                except (Problem, OSError) as error:
                    self._failed(error)
                    next_round = loop.time() + self._pause_s
                    self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)
                self._measure()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOKS_EVERY_S)
        finally:
            await _end(self._receiving)
            await _end(self._basing)

    async def _receive(self) -> None:
        """Has the log received. Raises SlotLost, ToolFailed, Gap."""
        if self._receiving is not None and self._receiving.done():
            ended, self._receiving = self._receiving, None
            await ended
        if self._spool.size_bytes() > self._spool_bytes:
            raise Gap
        if self._receiving is None:
            await asyncio.to_thread(self._tools.make_slot)
            self._receiving = asyncio.create_task(self._tools.receive(self._spool.folder))

    def _base(self) -> None:
        """Begins a base backup where one is due or was asked for. Raises what the last one did."""
        if self._basing is not None:
            if not self._basing.done():
                return
            ended, self._basing = self._basing, None
            self._base_due = self._clock.now().timestamp() + self._pause_s
            ended.result()
            if self._answers is not None and self._answers == self._asked_at():
                (self._folder / ASKED_FOR).unlink(missing_ok=True)
        now = self._clock.now().timestamp()
        bases = [one for one in self._state.bases() if one.chain == self._shipping.chain]
        is_due = not bases or now - bases[-1].ended_at >= self._base_s
        asked_at = self._asked_at()
        if now >= self._base_due and (is_due or asked_at is not None):
            self._answers = asked_at
            self._basing = asyncio.create_task(self._shipping.send_base())

    def _asked_at(self) -> int | None:
        try:
            return (self._folder / ASKED_FOR).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    async def _round(self) -> None:
        await self._shipping.round()
        self._state.set("failed", "")
        self._state.commit()

    async def _mend(self) -> None:
        """Some of the log is lost for us: a new slot, an empty spool, and a base backup."""
        log.error("some of the log was lost for the backup abroad")
        measures.gaps.inc()
        for task in (self._receiving, self._basing):
            await _end(task)
        self._receiving = self._basing = None
        await asyncio.to_thread(self._tools.drop_slot)
        self._spool.clear()
        self._shipping.begin_chain()
        self._base_due = 0.0

    def _failed(self, error: Exception) -> None:
        code = error.code if isinstance(error, Problem) else type(error).__name__
        if isinstance(error, PeerRefused):
            code = error.said
        measures.failed.labels(code).inc()
        if code != self._state.get("failed"):
            log.warning("backup abroad does not go on", code=code)
            self._state.set("failed", code)
            self._state.commit()

    def _measure(self) -> None:
        now = self._clock.now().timestamp()
        measures.lag.set(now - self._state.number("covered", now))
        bases = self._state.bases()
        if bases:
            measures.base_age.set(now - bases[-1].ended_at)
        measures.spool.set(self._spool.size_bytes())


async def _end(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
