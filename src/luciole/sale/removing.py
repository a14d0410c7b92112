"""Destroying what is left at the seller, once the buyer has opened all of it.

Keys first: without them what follows is noise, however much of it a disk remembers. Each step can
be done again after a kill at any point. What stays: the archive of the logs and the witness's
mirror, which are public; what this cell keeps for other cells; and `sale/`, with what was said and
signed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from luciole.config import Settings
from luciole.keys import KeyFileRefused, private
from luciole.keys.epochs import present
from luciole.kit import durable
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Note
from luciole.roots.choose import open_root
from luciole.sale import store
from luciole.sale.adopt import receipt_text
from luciole.sale.buyer import Buyer
from luciole.sale.model import Contents, NoReceipt, NotDivested

SOLD = "sold.json"
# Of the data folder: public, of other cells, or about the sale itself.
KEPT = frozenset({"ledger", "run", "sale", "trustee", "witness"})
LEDGER = "ledger/"


class Sold(msgspec.Struct, frozen=True):
    """What stays known of a cell that was sold: which contents, to whom, and how much it was."""

    contents: str
    seller: str
    buyer: str
    persons: int
    rows: int
    objects: int


class Destroyed(msgspec.Struct):
    """What was destroyed now, and what nobody here can destroy, in words."""

    keys: int = 0
    files: int = 0
    objects: int = 0
    beyond: list[str] = []


def remember(data: Path, contents: Contents, digest: str, rows: int) -> None:
    """Writes down that the cell was sold; the database will be gone."""
    sold = Sold(
        digest,
        contents.seller,
        contents.buyer,
        contents.persons.records,
        rows,
        contents.objects.records,
    )
    durable.replace(data / "sale" / SOLD, msgspec.json.format(msgspec.json.encode(sold)))


def sold(settings: Settings) -> Sold:
    """Raises NotDivested."""
    try:
        return msgspec.json.decode((settings.data / "sale" / SOLD).read_bytes(), type=Sold)
    except (OSError, msgspec.MsgspecError):
        raise NotDivested from None


def check_receipt(given: Sold, path: Path) -> None:
    """That the buyer's key says to have opened as much as was sold. Raises NoReceipt."""
    try:
        note = Note.parse(path.read_bytes())
        note.verify([Buyer.parse(given.buyer).logs["decisions"]])
    except (OSError, Refused) as error:
        raise NoReceipt("This is no receipt by the buyer of this cell.") from error
    if note.text != receipt_text(given.contents, given.persons, given.rows, given.objects):
        raise NoReceipt("This receipt is for other contents, or for fewer than were sold.")


async def destroy(settings: Settings, at: Callable[[str], None] = lambda step: None) -> Destroyed:
    """All of it. The caller has looked for the receipt, and holds the lock of the data folder.
    Raises OSError."""
    done = Destroyed()
    _retire(settings, done)
    _destroy_keys(settings, done)
    at("keys")
    await _empty_database(settings, done)
    at("database")
    await _empty_objects(settings, done)
    at("objects")
    for path in sorted(settings.data.iterdir()):
        if path.name in KEPT or path.name == "blobs":
            continue
        done.files += _destroy_tree(path)
    for path in (settings.custody_dir, settings.ranking_socket):
        done.files += _destroy_tree(path)
    at("files")
    return done


def _retire(settings: Settings, done: Destroyed) -> None:
    """A root that is a machine destroys the keys that it has kept for the epochs."""
    if settings.keys.root.partition(":")[0] == "file":
        return
    with contextlib.suppress(FileNotFoundError):
        try:
            epochs = present(settings.keys_dir)
            root = open_root(**settings.key_place) if epochs else None
            for epoch in sorted(epochs) if root else ():
                root.retire(epoch.to_bytes(8))  # type: ignore[union-attr]
        except KeyFileRefused:
            done.beyond.append("the root did not answer, so it may keep the keys of the epochs")
            return
    done.beyond.append("the root is a machine of its own: its key is its operator's to destroy")


def key_folders(settings: Settings) -> list[Path]:
    """Where keys lie: the store, its short backup."""
    backup = [Path(settings.keys.backup_dir)] if settings.keys.backup_dir else []
    return [settings.keys_dir, *backup]


def _destroy_keys(settings: Settings, done: Destroyed) -> None:
    where, _, path = settings.keys.root.partition(":")
    if where == "file" and path and Path(path).exists():
        private.destroy(Path(path))
        done.keys += 1
    for folder in key_folders(settings):
        for file in _files(folder):
            private.destroy(file)
            done.keys += 1


async def _empty_database(settings: Settings, done: Destroyed) -> None:
    """Our own goes with its folder; of another server, what is ours in it."""
    if not settings.database.url:
        return
    database = await Database.open(settings.database.url, size=1)
    try:
        async with database.tx() as tx:
            await store.drop_all(tx)
    finally:
        await database.close()
    done.beyond.append(
        "the database is on another server: former pages of its files, its write-ahead log, "
        "archives, replicas and base backups are its operator's to remove"
    )


async def _empty_objects(settings: Settings, done: Destroyed) -> None:
    if "://" not in settings.blobs_place:
        for path in _files(Path(settings.blobs_place)):
            if not path.relative_to(settings.blobs_place).as_posix().startswith(LEDGER):
                private.destroy(path)
                done.objects += 1
        return
    blobs = Blobs.open(settings.blobs_place)
    async for key in blobs.keys(""):
        if not key.startswith(LEDGER):
            await blobs.delete(key)
            done.objects += 1
    done.beyond.append(
        f"the objects were in {settings.blobs_place}: former versions and copies are its "
        "provider's to remove"
    )


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _destroy_tree(path: Path) -> int:
    """Overwrites and removes a file, or a folder with all that is in it; how many files."""
    if path.is_symlink() or not path.is_dir():
        if path.is_file() and not path.is_symlink():
            private.destroy(path)
            return 1
        path.unlink(missing_ok=True)
        return 0
    count = 0
    for file in list(_files(path)):
        private.destroy(file)
        count += 1
    shutil.rmtree(path)
    return count
