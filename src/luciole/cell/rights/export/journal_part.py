"""The part of an export that makes it evidence: every entry of the log about the person, what it
means, where it is, and the proof that there are no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.rights.export.archive import Archive
from luciole.cell.rights.export.pieces import Lending
from luciole.cell.rights.journal import Entry, Journal
from luciole.cell.rights.log_reader import Head, NoCheckpoint
from luciole.cell.rights.store.journal import Noted
from luciole.ledger.note import to_base64

# proof.json has them all; an archive with more files than these would be no pleasure to unpack.
MOST_RECEIPTS = 10_000


async def write(archive: Archive, journal: Journal, lending: Lending, custody: Custody) -> str:
    """Writes the folder `journal/`; gives the checkpoint that all of it stands on, empty where
    the log has published none yet."""
    grant = await lending.grant()
    label_key = await custody.label_key(grant)
    await archive.text("journal/label-key.txt", to_base64(label_key) + "\n")
    last = -1
    async with archive.file("journal/journal.jsonl") as entry:
        async for opened in journal.all(grant):
            for each in opened:
                await entry.write(line(each))
            last = opened[-1].n
    try:
        head = await journal.head()
    except NoCheckpoint:
        return ""
    if (policy := await journal.policy()) is not None:
        await archive.text("journal/policy.txt", policy)
    proved = -1
    async with archive.file("journal/proof.json") as entry:
        await entry.write(b'{"checkpoint":' + msgspec.json.encode(head.note) + b',"entries":[')
        async for noted in _inside(journal, grant.person_id, head, last):
            for found in await journal.proved(head, noted):
                await entry.write(b",\n" if proved >= 0 else b"\n")
                await entry.write(msgspec.json.encode(found))
                proved = int(found["n"])
        absence = await journal.absence(head, label_key, proved + 1)
        await entry.write(b'\n],"absence":' + msgspec.json.encode(absence) + b"}\n")
    async for noted in _inside(journal, grant.person_id, head, min(last, MOST_RECEIPTS)):
        for one, receipt in zip(noted, await journal.receipts(head, noted), strict=True):
            await archive.text(f"journal/receipts/{one.n:06}.tlog-proof", receipt)
    return head.note


async def _inside(
    journal: Journal, person_id: UUID, head: Head, last: int
) -> AsyncIterator[list[Noted]]:
    """The entries that the checkpoint covers, of those that were written above."""
    async for noted in journal.noted(person_id):
        yield [
            each
            for each in noted
            if each.n <= last and each.index is not None and each.index < head.size
        ]


def line(entry: Entry) -> bytes:
    """An entry as a line of journal.jsonl. The opening is there as it was committed, byte for
    byte, and the nonce; leaf and index let it be found in the log."""
    said = {
        "n": entry.n,
        "index": entry.index,
        "leaf": to_base64(entry.leaf),
        "nonce": to_base64(entry.nonce),
        "opening": entry.opening.decode(),
    }
    return msgspec.json.encode(said) + b"\n"
