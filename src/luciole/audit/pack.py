"""What an auditor is handed: verifier, logs, catalogue, rights, parties outside, digests; one ZIP.

Nothing in it is about a person. The same cell gives the same bytes: files are in order, without
times, and not compressed (the logs, most of it, do not get smaller).
"""

from __future__ import annotations

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from luciole import __version__, catalogue, pages, reach, release
from luciole.audit import data_page, outside, rights
from luciole.config import Settings
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.catalogue import Held
from luciole.kit.console import say
from luciole.kit.db import Database, Tx
from luciole.kit.errors import NotFound
from luciole.ledger.archive import CHECKPOINT, Archive
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.policy import Policy
from luciole.ledger.tiles import ENTRIES, WIDTH, Tile, tile_of

LOGS = ("access", "decisions", "border")
# One cell is judged by the first alone; the second matches it with another cell, the third with the
# list of what its staff did, the fourth with what another cell has kept of its logs, the fifth with
# what operators have said of a sale and what others hold, the sixth with a table of least ages.
VERIFIER = (
    "luciole_verify.py",
    "luciole_crossings.py",
    "luciole_acts.py",
    "luciole_mirror.py",
    "luciole_between.py",
    "luciole_ages.py",
)
# The oldest time that a ZIP can hold.
NO_TIME = (1980, 1, 1, 0, 0, 0)
COLUMN_TYPES = """
SELECT n.nspname || '.' || c.relname AS place, a.attname::text AS name,
       format_type(a.atttypid, a.atttypmod) AS type
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT starts_with(n.nspname, 'pg_')
  AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname, a.attnum
"""


class NoLog(NotFound):
    """The cell has not published anything yet."""

    code = "no-log-yet"
    sentence = "The logs of this cell are not published yet, so there is nothing to hand over."
    next_step = "Start the cell, wait until it answers, then try again."


class NoVerifier(NotFound):
    """This installation came without the auditor's verifier."""

    code = "no-verifier"
    sentence = "The auditor's verifier is not beside this installation."
    next_step = "Install from a release, or run this from a source checkout."


async def make(settings: Settings, out: Path, *, heads_only: bool = False) -> int:
    """Writes the pack of the cell that the settings name, running or not; gives its size in bytes.
    Raises NoCell, NoLog, NoVerifier."""
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.read() as tx:
                blobs = Blobs.open(settings.blobs_place)
                await _write(out, files(tx, blobs, settings, heads_only=heads_only))
        finally:
            await database.close()
    return out.stat().st_size  # noqa: ASYNC240 - a command of its own, with nobody waiting


async def files(
    tx: Tx, blobs: Blobs, settings: Settings, *, heads_only: bool = False
) -> AsyncIterator[tuple[str, bytes]]:
    """(path, content) of everything in the pack but the list of check sums."""
    heads = {log: await _head(blobs, log) for log in LOGS}
    policy = await blobs.get("ledger/policy")
    dist = pages.find_dist(settings.web.dist)
    cell = {
        "id": Checkpoint.parse(Note.parse(heads["access"]).text).origin.split("/")[1],
        "name": settings.cell.name,
        "short_name": settings.cell.short_name,
        "operator": settings.cell.operator,
        "jurisdiction": settings.cell.jurisdiction,
        "origin": settings.origin,
        "source_url": settings.cell.source_url,
        "version": __version__,
        "logs": {log: Checkpoint.parse(Note.parse(head).text).size for log, head in heads.items()},
    }
    yield "README.md", (release.HERE / "audit" / "for_the_auditor.md").read_bytes()
    yield "cell.json", _json(cell)
    for name in VERIFIER:
        yield name, _verifier(name)
    # The logs, laid out as the verifier reads them from a folder.
    yield "ledger/policy", policy
    for log, head in heads.items():
        yield f"ledger/{log}/{CHECKPOINT}", head
        if not heads_only:
            archive = Archive(blobs, log)
            for tile in _tiles(Checkpoint.parse(Note.parse(head).text).size):
                yield f"ledger/{log}/{tile.path}", await archive.read(tile)
    # What is stored, and who may do what with it.
    types: dict[str, dict[str, str]] = {}
    for row in await tx.fetch(COLUMN_TYPES):
        types.setdefault(row["place"], {})[row["name"]] = row["type"]
    yield "data/data.md", data_page.page(types).encode()
    yield "data/data.json", _json([_held(one) for one in catalogue.ALL])
    allowed = await rights.read(tx)
    yield "rights/rights.md", rights.page(allowed, catalogue.ALL).encode()
    yield "rights/rights.json", _json(allowed)
    # Who is outside.
    parties = outside.parties(settings, Policy.parse(policy))
    yield "outside/outside.md", outside.page(parties).encode()
    yield "outside/outside.json", _json(parties)
    # What runs.
    yield "release/release.json", _json(release.current(dist))
    yield "release/server.sha256", _sums(release.server_files())
    yield "release/web.sha256", _sums(release.web_files(dist))


async def _write(out: Path, found: AsyncIterator[tuple[str, bytes]]) -> None:
    sums: dict[str, str] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        async for name, content in found:
            packed.writestr(zipfile.ZipInfo(name, NO_TIME), content)
            sums[name] = hashlib.sha256(content).hexdigest()
        packed.writestr(zipfile.ZipInfo("SHA256SUMS", NO_TIME), _sums(sums))


async def _head(blobs: Blobs, log: str) -> bytes:
    try:
        return await blobs.get(f"ledger/{log}/{CHECKPOINT}")
    except Missing:
        raise NoLog from None


def _tiles(size: int) -> list[Tile]:
    """Every tile and bundle of a tree of `size`."""
    found = [tile_of(ENTRIES, index, size) for index in range(-(-size // WIDTH))]
    level = 0
    while size >> 8 * level:
        count = -(-(size >> 8 * level) // WIDTH)
        found += [tile_of(level, index, size) for index in range(count)]
        level += 1
    return found


def _held(one: Held) -> dict[str, Any]:
    return {
        "where": one.where,
        "class": one.data_class.value,
        "purpose": one.purpose,
        "kept": one.retention,
        "border": one.border.value,
    }


def _json(value: Any) -> bytes:
    encoded = msgspec.json.encode(value, order="sorted")
    return msgspec.json.format(encoded, indent=1) + b"\n"


def _sums(found: dict[str, str]) -> bytes:
    """As `sha256sum -c` reads them."""
    lines = sorted(found.items(), key=lambda one: one[0].encode())
    return "".join(f"{sha256}  {name}\n" for name, sha256 in lines).encode()


def _verifier(name: str) -> bytes:
    checkout = release.HERE.parents[1]
    for folder in (release.HERE / "verifier_dist", checkout / "verifier", checkout / "comparer"):
        if (folder / name).exists():
            return (folder / name).read_bytes()
    raise NoVerifier


def main(settings: Settings, out: Path, *, heads_only: bool) -> int:
    """Writes the pack and says so."""
    size_bytes = asyncio.run(make(settings, out, heads_only=heads_only))
    say(f"Written: {out} ({size_bytes:,} bytes). Nothing in it is about a person.")
    return 0
