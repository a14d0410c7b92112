"""Background work of abroad."""

from __future__ import annotations

from luciole.cell.abroad.leaving import Leaving
from luciole.cell.abroad.reading import Reading
from luciole.cell.abroad.traffic import Traffic
from luciole.kit.queue import Queue


def register(queue: Queue, traffic: Traffic, leaving: Leaving, reading: Reading) -> None:
    """Declares the jobs of abroad."""

    @queue.every("abroad.look", "* * * * *")
    async def look() -> None:
        """Does what is due while nobody listened, and stops reading whom nobody follows."""
        await reading.end_due()
        await traffic.catch_up()

    @queue.every("abroad.fall-out", "*/10 * * * *")
    async def fall_out() -> None:
        """Calls clips back that became older than others may see."""
        await leaving.fall_out()
        await traffic.catch_up()

    @queue.every("abroad.totals", "41 3 * * *")
    async def totals() -> None:
        """Tells other cells what people here like, share and follow of theirs, rounded."""
        await reading.tell_totals()
