"""The logs as everybody may read them (C2SP tlog-tiles), and where witnesses hand in their word."""

from __future__ import annotations

from litestar import MediaType, Response, Router, get, post
from litestar.params import FromPath

from luciole.kit.blobs import Blobs, Missing
from luciole.kit.db import Database
from luciole.kit.errors import Invalid, NotFound, TooLarge
from luciole.kit.web import AnyRequest
from luciole.ledger import handover, store
from luciole.ledger.archive import CHECKPOINT, PENDING, Archive, cosignatures
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.policy import Policy
from luciole.ledger.tiles import Tile

LOGS = ("access", "decisions", "border")
# Whoever verifies, from whatever page, may read.
OPEN = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
FOR_EVER = OPEN | {"cache-control": "public, max-age=31536000, immutable"}
NEVER_KEPT = OPEN | {"cache-control": "no-store"}
MAX_COSIGNATURE_BYTES = 32 * 1024
# Each costs a check of a signature.
MAX_LINES = 16


class NoSuchObject(NotFound):
    code = "no-such-tile"
    sentence = "The log has no such object."
    next_step = "Read the checkpoint first; it says how many entries there are."


class NoCosignature(Invalid):
    code = "no-cosignature"
    sentence = "None of these lines is a signature of a known witness for a head of this log."
    next_step = "Fetch the newest head, cosign that, and ask the operator for a line in the policy."


def routes(db: Database, blobs: Blobs) -> Router:
    """The routes of the logs."""

    async def found(key: str) -> bytes:
        try:
            return await blobs.get(key)
        except Missing:
            raise NoSuchObject from None

    async def head(log: str, name: str) -> Response[bytes]:
        if log not in LOGS:
            raise NoSuchObject
        return Response(
            await found(f"ledger/{log}/{name}"), headers=NEVER_KEPT, media_type=MediaType.TEXT
        )

    @get("/policy")
    async def policy() -> Response[bytes]:
        """The logs of this cell, its witnesses, and how many of them must have cosigned."""
        return Response(await found("ledger/policy"), headers=NEVER_KEPT, media_type=MediaType.TEXT)

    @get("/{log:str}/checkpoint")
    async def checkpoint(log: FromPath[str]) -> Response[bytes]:
        """The newest head that enough witnesses have cosigned."""
        return await head(log, CHECKPOINT)

    @get("/{log:str}/pending")
    async def pending(log: FromPath[str]) -> Response[bytes]:
        """The newest head that the log has signed; for witnesses."""
        return await head(log, PENDING)

    @get("/{log:str}/handover")
    async def handed_over(log: FromPath[str]) -> Response[bytes]:
        """Who has signed this log before whom, and until where."""
        return await head(log, handover.NAME)

    @get("/{log:str}/tile/{path:path}")
    async def tile(log: FromPath[str], path: FromPath[str]) -> Response[bytes]:
        """A tile or a bundle of entries."""
        try:
            if log not in LOGS:
                raise NoSuchObject
            content = await Archive(blobs, log).read(Tile.of_path(f"tile/{path.lstrip('/')}"))
        except (Missing, Refused):
            raise NoSuchObject from None
        return Response(content, headers=FOR_EVER, media_type="application/octet-stream")

    @post("/{log:str}/cosignature", status_code=204)
    async def cosignature(log: FromPath[str], request: AnyRequest) -> None:
        """Takes a witness's lines for a head: behind that head, or alone for the newest."""
        if log not in LOGS:
            raise NoSuchObject
        known = Policy.parse(await found("ledger/policy"))
        keys = [party.key for party in known.witnesses.values()]
        body = (await request.body())[: MAX_COSIGNATURE_BYTES + 1]
        if len(body) > MAX_COSIGNATURE_BYTES:
            raise TooLarge
        before, blank, lines = body.decode(errors="replace").rpartition("\n\n")
        if lines.count("\n") > MAX_LINES:
            raise TooLarge
        text = f"{before}\n"
        if not blank:
            text = Note.parse(await found(f"ledger/{log}/{PENDING}")).text
        try:
            head, right = Checkpoint.parse(text), cosignatures(text, lines, keys)
        except Refused:
            raise NoCosignature from None
        async with db.tx() as tx:
            kept = [await store.cosign(tx, log, head, *one) for one in right.items()]
        if not any(kept):
            raise NoCosignature

    return Router(
        "/ledger",
        route_handlers=[policy, checkpoint, pending, handed_over, tile, cosignature],
        include_in_schema=False,
    )
