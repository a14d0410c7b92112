"""`luciole abroad now`: what was asked for is done, whatever is under way at that moment."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest
from tests.cell.kept_abroad.support import Abroad, Peer

from luciole.abroad.running import ASKED_FOR, Running
from luciole.ask.gateway import PeerUnreachable

pytestmark = pytest.mark.timeout(120)
WITHIN_S = 60.0


@contextlib.asynccontextmanager
async def running(abroad: Abroad) -> AsyncIterator[None]:
    """The shipper as its process runs it. Its next base backup is due in a year."""
    stop = asyncio.Event()
    made = Running(
        abroad.shipping,
        abroad.state,
        abroad.spool,
        abroad.tools,
        abroad.own,
        abroad.clock,
        every_s=0.2,
        base_s=365 * 86400.0,
        spool_bytes=1 << 30,
    )
    task = asyncio.create_task(made.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
        abroad.tools.drop_slot()


async def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.05)


def has_begun(abroad: Abroad) -> bool:
    return abroad.state.next_number("base") > 0


async def test_request_during_a_base_backup_gets_one_of_its_own(abroad: Abroad, sg: Peer) -> None:
    may_go, ask = asyncio.Event(), sg.ask

    async def held(body: bytes) -> bytes:
        await may_go.wait()
        return await ask(body)

    abroad.ask = held
    abroad.begin()
    asked = abroad.own / ASKED_FOR
    async with running(abroad):
        await until(lambda: has_begun(abroad))
        moment = abroad.clock.now().timestamp()
        asked.touch(0o600)
        may_go.set()
        await until(lambda: not asked.exists())
    assert len(abroad.state.bases()) == 2
    assert abroad.state.bases()[-1].began_at >= moment


async def test_request_outlives_a_base_backup_that_failed(abroad: Abroad, sg: Peer) -> None:
    is_away, ask = True, sg.ask

    async def away(body: bytes) -> bytes:
        if is_away:
            raise PeerUnreachable
        return await ask(body)

    abroad.ask = away
    abroad.begin()
    asked = abroad.own / ASKED_FOR
    asked.touch(0o600)
    async with running(abroad):
        await until(lambda: abroad.state.get("failed") not in (None, ""))
        await asyncio.sleep(1)
        assert asked.exists()
        is_away = False
        await until(lambda: not asked.exists())
    assert len(abroad.state.bases()) == 1
