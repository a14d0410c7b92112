"""A mirror of another cell's logs in a house, as its witness would have kept it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from luciole.ledger.note import Checkpoint, KeyKind, Note, Signer
from luciole.ledger.tiles import Edge
from luciole.mirrors import FOLDER, POLICY, PUBLISHED, TOLD, Mirrored, MirroredLog, folder_of

CELL_ID = "6f1d2a34-9b7c-4e58-8a10-5c3de0b7f921"
AT = 1_800_000_000


def keep(witness_dir: Path, entries: list[bytes], *, state: str = "kept") -> Signer:
    """The log `border` of a cell `sg` with these entries; who signs it."""
    home = witness_dir / FOLDER
    signer = Signer(f"luciole/{CELL_ID}/border", KeyKind.ED25519, b"b" * 32)
    folder = folder_of(home, CELL_ID, "border")
    edge, objects = Edge().append(entries)
    head = signer.sign(str(Checkpoint(signer.verifier.name, edge.size, edge.root()))).encode()
    assert Note.parse(head)
    objects |= {PUBLISHED: head, "checkpoint": head, "state": b"secret"}
    for path, data in objects.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    pair = folder / "evidence" / "fork-0011"
    pair.mkdir(parents=True)
    (pair / "ours").write_bytes(head)
    (pair / "theirs").write_bytes(head)
    (home / CELL_ID / POLICY).write_text(f"log {signer.verifier}\nquorum none\n")
    logs = [MirroredLog("border", len(entries), AT)]
    told = Mirrored(CELL_ID, "sg", "https://border.sg.example", state, 9000, 10_000, logs)  # type: ignore[arg-type]
    (home / CELL_ID / TOLD).write_bytes(msgspec.json.encode(told))
    return signer
