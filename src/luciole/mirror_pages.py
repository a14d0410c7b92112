"""The logs of other cells as this one mirrors them: for who audits a cell that is gone, or that has
cut its log. The same files under the same names as at that cell, below `/mirror/<cell>/ledger/`.
"""

from __future__ import annotations

import msgspec
from litestar import MediaType, Response, Router, get
from litestar.params import FromPath

from luciole.kit.blobs import Missing
from luciole.kit.errors import NotFound
from luciole.ledger import handover
from luciole.ledger.archive import CHECKPOINT, PENDING
from luciole.ledger_pages import FOR_EVER, NEVER_KEPT
from luciole.mirrors import POLICY, Mirrors

HEADS = (CHECKPOINT, PENDING, handover.NAME)


class NotMirrored(NotFound):
    code = "not-mirrored"
    sentence = "This cell keeps no such part of a log of that cell."
    next_step = "Glass lists what it mirrors, and up to which size. Other peers may have more."


def routes(mirrors: Mirrors) -> Router:
    """The routes of the mirrors."""

    async def found(cell: str, path: str) -> bytes:
        try:
            return await mirrors.read(cell, path)
        except Missing:
            raise NotMirrored from None

    @get("/{cell:str}/ledger/policy")
    async def policy(cell: FromPath[str]) -> Response[bytes]:
        """The policy of that cell, as it was shown last."""
        return Response(await found(cell, POLICY), headers=NEVER_KEPT, media_type=MediaType.TEXT)

    @get("/{cell:str}/ledger/{log:str}/{name:str}")
    async def head(cell: FromPath[str], log: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        """The newest head whose entries are all here (`checkpoint`), the newest that the log has
        signed (`pending`), and who has signed before whom (`handover`)."""
        if name not in HEADS:
            raise NotMirrored
        return Response(
            await found(cell, f"{log}/{name}"), headers=NEVER_KEPT, media_type=MediaType.TEXT
        )

    @get("/{cell:str}/ledger/{log:str}/tile/{path:path}")
    async def tile(cell: FromPath[str], log: FromPath[str], path: FromPath[str]) -> Response[bytes]:
        """A tile or a bundle of entries."""
        content = await found(cell, f"{log}/tile/{path.lstrip('/')}")
        return Response(content, headers=FOR_EVER, media_type="application/octet-stream")

    @get("/{cell:str}/ledger/evidence")
    async def evidence(cell: FromPath[str]) -> Response[bytes]:
        """Pairs of heads that the logs of that cell have signed and that contradict each other."""
        try:
            kept = await mirrors.evidence(cell)
        except Missing:
            raise NotMirrored from None
        return Response(msgspec.json.encode(kept), headers=NEVER_KEPT, media_type=MediaType.JSON)

    return Router("/mirror", route_handlers=[policy, head, tile, evidence], include_in_schema=False)
