"""SQL of the pictures that are laid over films."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from luciole.cell.media.model import Layer
from luciole.kit.db import Tx

ADD = """
INSERT INTO media.layer (asset_id, place, png, start_ms, end_ms) VALUES ($1, $2, $3, $4, $5)
"""
LAYERS = "SELECT png, start_ms, end_ms FROM media.layer WHERE asset_id = $1 ORDER BY place"
DROP = "DELETE FROM media.layer WHERE asset_id = $1"


async def add(tx: Tx, asset_id: UUID, layers: Sequence[Layer]) -> None:
    for place, layer in enumerate(layers):
        await tx.execute(ADD, asset_id, place, layer.png, layer.start_ms, layer.end_ms)


async def layers(tx: Tx, asset_id: UUID) -> tuple[Layer, ...]:
    """The layers of a film, the lowest first."""
    return tuple(Layer(*row) for row in await tx.fetch(LAYERS, asset_id))


async def drop(tx: Tx, asset_id: UUID) -> None:
    """Lets go of them, when they are part of every rendition."""
    await tx.execute(DROP, asset_id)
