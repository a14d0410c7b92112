"""Background work of rights; each job may run twice, and be killed anywhere."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.rights.export.making import ExportMaker
from luciole.cell.rights.imports.taking import Taker
from luciole.kit.queue import Body, Queue


def register(queue: Queue, maker: ExportMaker, taker: Taker) -> None:
    """Declares the jobs of exports and imports."""

    # One at a time in the cell, so that a new clip always finds a slot of the worker: an export
    # reads every film of somebody, and an import looks at every film of one.
    @queue.job("rights.archive", at_once=1)
    async def archive(body: Body) -> None:
        """Makes an export of everything that is held about a person, or takes one in that a person
        has brought along. An import that takes long makes room for others every few minutes."""
        if "export_id" in body:
            await maker.make(UUID(body["export_id"]))
        else:
            await taker.take(UUID(body["import_id"]))

    @queue.job("rights.forget-export")
    async def forget_export(body: Body) -> None:
        """Deletes the objects of an export that its owner has deleted."""
        await maker.forget(UUID(body["export_id"]))

    @queue.job("rights.forget-import")
    async def forget_import(body: Body) -> None:
        """Deletes the file of an import that is over."""
        await taker.forget(UUID(body["import_id"]))

    @queue.every("rights.tidy", "*/10 * * * *")
    async def tidy() -> None:
        """Begins stuck exports and imports again, and deletes those whose time is over."""
        await maker.tidy()
        await taker.tidy()

    @queue.every("rights.sweep", "41 3 * * *")
    async def sweep() -> None:
        """Deletes sealed pieces that belong to nothing any more."""
        await maker.sweep()
        await taker.sweep()
