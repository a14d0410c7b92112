"""How the gateway's inward door asks the trustee process, which does something for other cells.

The trustee listens on `run/trustee.sock` (`luciole.kit.lines.listening`) and takes an `AskedOf`.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec

from luciole.kit.lines import Line


class AskedOf(msgspec.Struct, frozen=True):
    """What a peer asks of this cell: who it is (its signature was verified), the kind, the body."""

    peer: str
    cell_id: UUID
    kind: str
    body: bytes


class Trustee:
    """The trustee process, as the gateway sees it."""

    def __init__(self, place: Path) -> None:
        self._line = Line(place)

    async def close(self) -> None:
        await self._line.close()

    async def ask(self, asked: AskedOf, timeout_s: float) -> bytes:
        """Its answer. Raises LineLost, LineRefused with the code of its refusal."""
        return msgspec.msgpack.decode(await self._line.ask(asked, timeout_s), type=bytes)
