"""Whether a bundle is whole, signed by who ran the cell, and sealed to us; before anything of it is
opened.

The logs are recomputed from their first entry on, with every tile: what the buyer goes on from is
what the seller signed last, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from luciole.kit.blobs import Missing
from luciole.ledger import handover
from luciole.ledger.archive import Tiles
from luciole.ledger.entry import parse_canonical
from luciole.ledger.handover import Handover
from luciole.ledger.merkle import EMPTY_ROOT, Refused
from luciole.ledger.note import Checkpoint, Note, VerifierKey
from luciole.ledger.policy import Policy
from luciole.ledger.tiles import WIDTH, Edge, Tile
from luciole.sale import bundle
from luciole.sale.buyer import LOGS, Buyer, BuyerKey
from luciole.sale.model import (
    FORMAT,
    MANIFEST,
    BadBundle,
    Contents,
    Manifest,
    NotForUs,
    NotWhole,
    read_contents,
)


@dataclass(frozen=True)
class Checked:
    """A bundle whose signatures, hashes and logs are right."""

    contents: Contents
    digest: str
    manifest: Manifest
    handovers: dict[str, list[Handover]]


def check(folder: Path, key: BuyerKey, policy: Policy | None) -> Checked:
    """Step 1, without the logs' entries. Raises NotWhole, BadBundle, NotForUs."""
    contents, raw = read_contents(folder)
    digest = hashlib.sha256(raw).hexdigest()
    try:
        note = Note.parse((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise NotWhole from None
    except (OSError, Refused) as error:
        raise BadBundle from error
    signers = key.signers()
    try:
        handovers = {
            log: handover.parse((folder / f"ledger/{log}/{handover.NAME}").read_bytes())
            for log in LOGS
        }
        last = {log: several[-1] for log, several in handovers.items()}
        note.verify([last["decisions"].old])
        form, text, _ = note.text.split("\n")
        manifest = msgspec.json.decode(text, type=Manifest)
        Buyer.parse(contents.buyer)
    except (Refused, ValueError, LookupError, OSError, msgspec.MsgspecError) as error:
        raise BadBundle from error
    if any(last[log].new != signers[log].verifier for log in LOGS):
        raise NotForUs
    if (
        form != FORMAT
        or manifest.contents_sha256 != digest
        or manifest.heads != {log: one.head for log, one in last.items()}
        or key.cell_id != contents.cell_id
    ):
        raise BadBundle
    if policy is not None:
        known = {party.key for party in policy.logs}
        if not all(known & {one.old for one in several} for several in handovers.values()):
            raise BadBundle(
                "Another cell has made this bundle than the one of the policy that you gave."
            )
    bundle.check_files(folder, contents, manifest.ledger)
    return Checked(contents, digest, manifest, handovers)


async def check_log(folder: Path, log: str, handovers: list[Handover]) -> list[bytes]:
    """That the archive of a log gives the root that was signed last, and that each of its handovers
    is an entry of it; the entries that tell of a sale. Raises BadBundle."""

    async def get(path: str) -> bytes:
        try:
            return (folder / "ledger" / log / path).read_bytes()
        except OSError:
            raise Missing(path) from None

    head, edge = Checkpoint.parse(Note.parse(handovers[-1].head).text), Edge()
    named: list[tuple[int, VerifierKey]] = []
    told: list[bytes] = []
    try:
        async for entries in Tiles(get).entries(0, head.size):
            for index, entry in enumerate(entries, edge.size):
                if to := handover.named_by(head.origin, entry):
                    named.append((index + 1, to))
                if b'"kind":"divest"' in entry:
                    told.append(entry)
            edge, objects = edge.append(entries)
            for path, data in objects.items():
                # A partial tile in the middle may have given way to the full one.
                is_kept = Tile.of_path(path).width == WIDTH or edge.size == head.size
                with contextlib.nullcontext() if is_kept else contextlib.suppress(Missing):
                    if await get(path) != data:
                        raise BadBundle
    except (Missing, Refused) as error:
        raise BadBundle from error
    is_right = (edge.root() if edge.size else EMPTY_ROOT) == head.root
    if not is_right or named != [(one.size, one.new) for one in handovers]:
        raise BadBundle
    return told


def names_contents(entry: bytes, digest: str) -> bool:
    """Whether an entry of the log tells of a sale with these contents."""
    try:
        said_there = parse_canonical(entry)
    except Refused:
        return False
    return said_there.get("kind") == "divest" and said_there.get("contents") == digest
