"""A database that is older than its log: after a restore, or a failover that lost the last second.

The log is never made to fit the database. What the archive holds under the log's own signature
stays; the database is moved on to it, and entries that came back with the restore are recognised.
An entry that waits in the inbox of a database of size A was in no tree of size A, because draining
it and growing the tree are one transaction. So if it was ever published, then at an index of at
least A: comparing the inbox with the entries from A on finds every one, and no longer window is
needed. Equal entries are told apart by counting.

What cannot be recognised here, and is reported: acts of which the log tells and the restored
database does not know. They are noted: the person's numbers, which went back with the restore, come
to their labels again, and the journal then tells of each that it is lost.
"""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime

from luciole.kit.db import Tx
from luciole.ledger import store
from luciole.ledger.archive import Archive, Stopped
from luciole.ledger.entry import PersonEntry, SealEntry, canonical, decode
from luciole.ledger.merkle import leaf_hash
from luciole.ledger.note import Checkpoint
from luciole.ledger.sealing import cover_with
from luciole.ledger.store import State, Waiting


async def recover(
    tx: Tx, log: str, archive: Archive, known: Checkpoint, at: datetime
) -> dict[str, int]:
    """Moves the database on to the head that the archive holds. Gives how many entries only the
    archive knew, how many of the inbox it had already, and how many of the inbox have a label that
    it has for another act. Raises Stopped where the archive does not continue the database,
    Missing, BadTile."""
    state = await store.state(tx, log)
    frontier, minute, start = state.frontier, state.unsealed_minute, state.frontier.size
    # 1. Nobody hands entries over while we compare.
    await store.lock_inbox(tx)
    came_back = defaultdict[bytes, deque[Waiting]](deque)
    for one in await store.waiting(tx, log):
        came_back[one.entry].append(one)
    # 2. Walk through what the archive holds beyond the database.
    dropped, placed, lost = list[int](), dict[int, int](), dict[int, bytes]()
    cover = await store.cover(tx) if log == "access" else {}
    async for entries in archive.entries(start, known.size):
        for index, entry in enumerate(entries, frontier.size):
            known_here = came_back[entry].popleft() if came_back.get(entry) else None
            if known_here:
                dropped.append(known_here.id)
                if known_here.ref is not None:
                    placed[known_here.ref] = index
            decoded = decode(entry) if log == "access" else None
            if isinstance(decoded, SealEntry):
                cover = cover_with(cover, index, decoded)
                minute = None
            elif isinstance(decoded, PersonEntry):
                minute = decoded.minute if minute is None else minute
                if not known_here:
                    lost[index] = entry
        frontier = frontier.append(map(leaf_hash, entries))
    # 3. One root tells both: the archive is what was signed, and it continues this database.
    if frontier.root() != known.root:
        raise Stopped(
            "log-forked",
            "The archive does not continue this database: it was damaged, or belongs to another "
            "cell. Restore the archive from its mirrors, or the database that belongs to it.",
        )
    # 4. An act that got a number which the log has given out already cannot be published.
    labels = {decode(entry).label for entry in lost.values()}  # type: ignore[union-attr]
    aside = [
        one
        for waiting in came_back.values()
        for one in waiting
        if log == "access" and decode(one.entry).label in labels  # type: ignore[union-attr]
    ]
    await store.forget(tx, log, [*dropped, *(one.id for one in aside)], lost)
    await store.place(tx, placed)
    if log == "access":
        await store.save_cover(tx, cover)
    await store.save(tx, log, State(frontier, minute))
    # 5. Said in public, where everybody can read it.
    counts = {
        "taken-over": known.size - start - len(dropped),
        "came-back": len(dropped),
        "set-aside": len(aside),
    }
    said = {"v": 1, "kind": "restore", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "log": log}
    sizes = {"from": start, "to": known.size}
    await store.put(tx, "decisions", canonical(said | sizes | counts))
    return counts
