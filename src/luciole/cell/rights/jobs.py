"""Background work of rights; each job may run twice, and be killed anywhere."""

from __future__ import annotations

from luciole.cell.rights.service import Rights
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue


def register(queue: Queue, db: Database, rights: Rights) -> None:
    """Declares the jobs of rights."""

    @queue.job("rights.export", at_once=1)
    async def export(body: Body) -> None:
        """Makes an export of everything that is held about a person."""
