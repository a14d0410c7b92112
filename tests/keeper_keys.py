"""All that the machine of a cell has of keys, for whoever is root on it: read out of its folder,
with its real root; and what of another cell's sealed pieces opens with any of them.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.abroad import parcels
from luciole.abroad.parcels import ParcelBroken, Unpacker
from luciole.config import Settings
from luciole.custody import purposes, signers
from luciole.keys import KeyStore, RootKey, SealBroken, seal
from luciole.keys.hpke import Receiver, Sealer
from luciole.keys.rsa import RsaKey
from luciole.roots.choose import open_root, open_secret
from luciole.trustee import lending
from luciole.trustee.book import BOOK, Book, key_of_book
from luciole.trustee.lookups import Lookups
from luciole.trustee.shares import Deposited
from luciole.witness import identity

LOOKUPS = "lookups.sqlite"
WRAPPED = ("secret", "share", "epoch")
INDEXES = ("email", "phone", "push")
SIGNS = ("credentials-root", *(name for name in signers.SIGNING if name not in signers.OF_EACH))
# Of a first version and of the parts that have one key each.
OTHERS = ("root-id", "wrap", "wrap/fediverse", "database", lending.PURPOSE)
# Pieces are sealed to their number, which whoever holds them does not know: the first are tried.
NUMBERS = range(3)


def keys_in(settings: Settings, home: UUID) -> dict[str, bytes]:
    """Every key of 32 bytes by a name, of a cell that may be running: nothing is locked, and what
    is opened is a copy. `home`: whose people it does something for."""
    root, secret = open_root(**settings.key_place), open_secret(**settings.key_place)
    assert isinstance(root, RootKey)
    assert secret is not None
    folder = settings.keys_dir
    share = (folder / "share.wrapped").read_bytes()
    found = {
        "root": root.secret(),
        "cell secret": root.unwrap("secret", (folder / "secret.wrapped").read_bytes()),
        "share key": root.unwrap("share", share[16:], share[:16]),
    }
    found |= {f"what wraps a {label}": root._wrapping(label) for label in WRAPPED}
    for path in folder.glob("epoch-*.wrapped"):
        number = int(path.stem.rpartition("-")[2]).to_bytes(8)
        found[f"epoch key ({path.stem})"] = root.unwrap("epoch", path.read_bytes(), number)
    named = {name for names in purposes.DERIVED.values() for name in names}
    named |= {f"sign/{name}" for name in SIGNS} | {f"index/{kind}" for kind in INDEXES}
    found |= {f"derived for {name}": secret.derived(name) for name in sorted({*named, *OTHERS})}
    found |= dict(_of_people(folder, root))
    found |= dict(_of_trustee(settings.trustee_dir, secret.derived("trustee"), home))
    kept = msgspec.json.decode((settings.witness_dir / "keys.json").read_bytes())
    for name in ("ed25519", "ml_dsa_44"):
        found[f"witness, {name}"] = msgspec.convert(kept[name], bytes)
    assert all(len(key) == 32 for key in found.values()), sorted(found)
    # Where the root is a file, the cell secret is the same key: once is enough.
    names = dict[bytes, list[str]]()
    for name, key in found.items():
        names.setdefault(key, []).append(name)
    return {" and ".join(some): key for key, some in names.items()}


def _of_people(folder: Path, root: RootKey) -> Iterator[tuple[str, bytes]]:
    """Data and label keys of the cell's own people."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "keys"
        shutil.copytree(folder, copy)
        with contextlib.closing(KeyStore(copy, root)) as store:
            for person in store.everybody():
                yield f"data key of {person}", store.data_key(person)
                yield f"label key of {person}", store.label_key(person)


def _of_trustee(folder: Path, key: bytes, home: UUID) -> Iterator[tuple[str, bytes]]:
    """What it holds for another cell: its key of look-ups, its people's halves and label keys."""
    yield "book of the guardian", (book_key := key_of_book(key))
    with tempfile.TemporaryDirectory() as place:
        yield "look-ups of the first round", _look_ups(Path(place) / LOOKUPS, key, home)
        if not (folder / BOOK).exists():
            return
        copy = Path(shutil.copy(folder / BOOK, place))
        with contextlib.closing(Book(copy, book_key)) as book:
            for handle, _ in book.every(home, b"", 100):
                if held := book.held(home, handle):
                    yield f"half {handle.hex()}", held.secret
                    yield f"label key of half {handle.hex()}", held.label_key


def _look_ups(file: Path, key: bytes, home: UUID) -> bytes:
    """In the first round it is made of the trustee's key and the cell alone."""
    return Lookups(file, key)._key_of(home, 1, 1, True)


# --- a keeper -------------------------------------------------------------------------------------


def settle(settings: Settings, home: UUID) -> None:
    """What a cell has of keys that has run for a while, in its folder: a root, people, a witness; a
    half, and a key of look-ups, of the people of `home`. Each program's own code makes them."""
    root = open_root(**settings.key_place)
    with contextlib.closing(KeyStore(settings.keys_dir, root)) as keys:
        for _ in range(3):
            keys.enrol(UUID(bytes=seal.new_key()[:16], version=4))
        RsaKey.kept(keys.folder, keys.secret)
        key = keys.secret.derived("trustee")
    settings.trustee_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Book(settings.trustee_dir / BOOK, key_of_book(key))) as book:
        half = Deposited(seal.new_key()[:16], seal.new_key(), seal.new_key())
        assert book.add(home, [half], 0)
    _look_ups(settings.trustee_dir / LOOKUPS, key, home)
    identity.of(settings.witness_dir)


# --- trying ---------------------------------------------------------------------------------------


@dataclass
class Tried:
    """How often something was tried, and by which keys something opened."""

    tries: int
    opened: list[str]


def tried(pieces: Iterable[bytes], keys: Mapping[str, bytes]) -> Tried:
    """Each key on each piece: as the seed of who receives a parcel, as the key of a parcel, and as
    the key of a seal at the front, of the first piece of one and of those behind."""
    receivers = {name: Receiver(key) for name, key in keys.items()}
    front = len(parcels.MAGIC) + parcels.SEALED_KEY_BYTES
    found = Tried(0, [])
    for piece in pieces:
        for name, key in keys.items():
            found.tries += 1
            with contextlib.suppress(ParcelBroken):
                Unpacker(receivers[name]).take(piece)
                found.opened.append(name)
            bodies = (piece[front:], piece) if piece.startswith(parcels.MAGIC) else (piece,)
            for body, number in itertools.product(bodies, NUMBERS):
                with contextlib.suppress(SealBroken):
                    seal.open_at(key, body, parcels._place(number))
                    found.opened.append(name)
    return found


def traps(keys: Mapping[str, bytes], size_bytes: int) -> dict[str, list[bytes]]:
    """Pieces that each key does open, in both ways; without these a search that opens nothing would
    be one that tries nothing."""
    label = parcels.Label("wal", 1, False, b"")
    made = dict[str, list[bytes]]()
    for name, key in keys.items():
        packer = parcels.Packer(Sealer(Receiver(key).public), label, size_bytes)
        room = bytes(size_bytes - seal.OVERHEAD_BYTES)
        made[name] = [*packer.end(), seal.seal_at(key, room, parcels._place(1))]
    return made


def is_blind(keys: Mapping[str, bytes], size_bytes: int) -> list[str]:
    """Names of keys whose traps were not opened by them alone; empty is right."""
    return [
        name
        for name, pieces in traps(keys, size_bytes).items()
        if tried(pieces, keys).opened != [name, name]
    ]
