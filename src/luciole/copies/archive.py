"""The archive of the logs in a backup, as it is: it is public, and it only grows.

What lies in the object store counts more than any copy: a log that is put back to an earlier state
would tell another story than the one that witnesses have signed. So a restore puts tiles only where
none are, and heads only where there is no log at all.
"""

from __future__ import annotations

from pathlib import Path

from luciole.kit.blobs import Blobs, Missing
from luciole.kit.durable import replace
from luciole.ledger import handover
from luciole.ledger.archive import CHECKPOINT, PENDING
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.tiles import Tile

PREFIX = "ledger/"
# What is written anew under its name; the rest never changes.
POLICY = "ledger/policy"


async def copy(blobs: Blobs, folder: Path) -> int:
    """Copies what the newest signed heads cover and is not there yet; gives how many objects."""
    sizes: dict[str, int] = {}
    heads: dict[str, bytes] = {}
    names: list[str] = []
    # The heads first: what they cover is there from then on.
    async for key in blobs.keys(PREFIX):
        log, _, name = key.removeprefix(PREFIX).partition("/")
        if name in (PENDING, CHECKPOINT, handover.NAME) or key == POLICY:
            heads[key] = await blobs.get(key)
            if name == PENDING:
                sizes[log] = Checkpoint.parse(Note.parse(heads[key]).text).size
        else:
            names.append(key)
    written = 0
    for key in names:
        path = folder / key
        if path.exists() or not _is_covered(key, sizes):
            continue
        try:
            data = await blobs.get(key)
        except Missing:
            continue  # a partial tile that has become a full one
        replace(path, data)
        written += 1
    for key, data in heads.items():
        replace(folder / key, data)
    return written


async def put_back(blobs: Blobs, folder: Path) -> dict[str, str]:
    """Puts the archive where it is missing. Gives for each log: `kept` where the object store has
    one, `put back` where it had none."""
    found: dict[str, str] = {}
    for log in sorted(path.name for path in (folder / PREFIX).glob("*") if path.is_dir()):
        pending = f"{PREFIX}{log}/{PENDING}"
        if await _is_there(blobs, pending):
            found[log] = "kept"
            continue
        paths = [path for path in (folder / PREFIX / log).rglob("*") if path.is_file()]
        paths.sort(key=lambda path: path.name in (PENDING, CHECKPOINT))
        for path in paths:
            await blobs.put_durably(path.relative_to(folder).as_posix(), path.read_bytes())
        found[log] = "put back"
    return found


def _is_covered(key: str, sizes: dict[str, int]) -> bool:
    log, _, name = key.removeprefix(PREFIX).partition("/")
    try:
        tile = Tile.of_path(name)
    except Refused:
        return False
    end = (tile.index * 256 + tile.width) << 8 * max(tile.level, 0)
    return end <= sizes.get(log, 0)


async def _is_there(blobs: Blobs, key: str) -> bool:
    try:
        await blobs.stat(key)
    except Missing:
        return False
    return True
