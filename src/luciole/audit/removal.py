"""`luciole prove-removal`: destroys what is left of a cell that was sold, looks for it everywhere,
and says what is shown by that and what is not.

GREEN, RED or CANNOT TELL for each claim, as the auditor's verifier says it. The statement is signed
by a key that the log names in its entry about the sale, so that the buyer can put its hash there.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from luciole.audit.canary import marks, peel
from luciole.audit.canary.marks import Mark
from luciole.audit.canary.search import SHORTEST_BYTES, Search
from luciole.config import Settings
from luciole.copies.model import CellRuns
from luciole.keys import KeyFileRefused
from luciole.kit import durable
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.errors import Invalid
from luciole.kit.keeper import FolderLock
from luciole.roots.choose import open_secret
from luciole.sale import elsewhere, left, removing
from luciole.sale.buyer import Buyer
from luciole.sale.divest import statement_signer
from luciole.sale.left import Left
from luciole.sale.model import NoReceipt
from luciole.sale.removing import Destroyed, Sold

Verdict = Literal["GREEN", "RED", "CANNOT TELL"]
VERDICTS: tuple[Verdict, ...] = ("GREEN", "RED", "CANNOT TELL")
STATEMENT = "removal.note"
FORM = "luciole-removal-v1"
# Larger files are looked through in pieces that overlap.
PIECE_BYTES = 64 * 1024 * 1024
NOT_PROVED = """\
- That no copy exists: of the database, of its log or of a backup, on another disk, with a provider
  or on paper. What is named here was looked through; what is not named was not.
- That the disk has forgotten: an SSD, a copy-on-write file system or a snapshot may keep what was
  overwritten until it needs the space. Destroy the disk, if that matters.
- That nobody has read a data key while the cell ran here. The data keys themselves are the same at
  the buyer: only what wraps them is new.
- That memory, swap and core dumps of this machine hold nothing. Switch it off.
- That people forget what they have seen."""


class BadCanaries(Invalid):
    code = "removal-canaries"
    sentence = f"The file of marks has none, or one of fewer than {SHORTEST_BYTES} characters."
    next_step = "Give one mark a line, each so long that nothing else looks like it."


class Claim(msgspec.Struct, frozen=True):
    """One claim, what was found, and what to do unless it is GREEN."""

    claim: str
    verdict: Verdict
    sentence: str
    next: str = ""


class Statement(msgspec.Struct, frozen=True):
    """What the seller says and signs."""

    contents: str
    seller: str
    buyer: str
    at: str
    verdict: Verdict
    claims: list[Claim]
    not_proved: str


def main(
    settings: Settings,
    *,
    receipt: Path | None,
    may_miss_receipt: bool,
    canaries: Path | None,
    also: Sequence[Path],
    out: Path | None,
    agreed: bool,
) -> int:
    """Destroys, looks, says and signs; 0 all GREEN, 1 at least one RED, 2 otherwise. Raises
    NotDivested, NoReceipt, BadCanaries, CellRuns."""
    sold = removing.sold(settings)
    if receipt is not None:
        removing.check_receipt(sold, receipt)
    elif not may_miss_receipt:
        raise NoReceipt
    looked = Look(read_canaries(canaries)) if canaries else None
    if not agreed and not _agreed(settings):
        return 1
    lock = FolderLock(settings.data / "run")
    if not lock.take():
        raise CellRuns
    try:
        lock.end_leftovers()
        done, there = asyncio.run(_destroy(settings, looked))
        made = prove(settings, sold, done, there, looked, also, is_received=receipt is not None)
    finally:
        lock.release()
    _write(settings, made, out)
    show(made)
    return VERDICTS.index(made.verdict)


async def _destroy(settings: Settings, looked: Look | None) -> tuple[Destroyed, Left]:
    """Destroys, then asks the servers outside of the data folder what they still have."""
    done = await removing.destroy(settings)
    return done, await left.look(settings, looked.object if looked else None)


def _agreed(settings: Settings) -> bool:
    say(f"This destroys the keys and all data of the cell in {settings.data}, for good.")
    try:
        return input("Type destroy to go on: ").strip() == "destroy"
    except EOFError:
        say("\nNothing was destroyed. Without a terminal, use --yes.")
        return False


def read_canaries(path: Path) -> list[Mark]:
    """Raises BadCanaries."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    found = [line for line in lines if line]
    if not found or any(len(line) < SHORTEST_BYTES for line in found):
        raise BadCanaries
    return [Mark(f"mark {number}", "", line, line) for number, line in enumerate(found, 1)]


def prove(
    settings: Settings,
    sold: Sold,
    done: Destroyed,
    there: Left,
    looked: Look | None,
    also: Sequence[Path],
    *,
    is_received: bool,
) -> Statement:
    """Looks at everything that is left. `looked` has seen what is in a bucket, `there` is what
    other servers say. Raises OSError."""
    copies = [f"{one} at the database server copies what it writes" for one in there.copiers]
    claims = [
        _receipt(sold, is_received),
        _keys(settings, done),
        *_stores(settings, done, there),
        *_elsewhere(settings),
        *(Claim("beyond this machine", "CANNOT TELL", _sentence(one), "Ask them for a word on it.")
          for one in (*done.beyond, *copies)),
        _canaries(settings, there, looked, also),
    ]  # fmt: skip
    verdicts = {one.verdict for one in claims}
    verdict: Verdict = (
        "RED" if "RED" in verdicts else "GREEN" if verdicts == {"GREEN"} else "CANNOT TELL"
    )
    buyer = Buyer.parse(sold.buyer).operator
    at = f"{Clock().now():%Y-%m-%dT%H:%M:%SZ}"
    return Statement(sold.contents, sold.seller, buyer, at, verdict, claims, NOT_PROVED)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _receipt(sold: Sold, is_received: bool) -> Claim:
    counts = f"{sold.persons} people, {sold.rows} rows and {sold.objects} objects"
    if is_received:
        return Claim("receipt", "GREEN", f"The buyer has signed to have opened {counts}.")
    return Claim(
        "receipt",
        "CANNOT TELL",
        f"Nobody has signed to have opened {counts}.",
        "Ask the buyer for its receipt.",
    )


def _keys(settings: Settings, done: Destroyed) -> Claim:
    """That no key of the cell is here any more."""
    left = [path for folder in removing.key_folders(settings) for path in _files(folder)]
    try:
        secret = open_secret(**settings.key_place)
    except KeyFileRefused:
        secret = None
    if left or secret is not None:
        return Claim(
            "keys", "RED", f"{len(left)} files of keys are still here.", "Run this once more."
        )
    return Claim(
        "keys",
        "GREEN",
        f"{done.keys} files of keys were overwritten now; none is here, so what a copy of the "
        "database or of a backup holds opens with nothing that is here.",
    )


def _stores(settings: Settings, done: Destroyed, there: Left) -> Iterator[Claim]:
    """That the stores are empty."""
    data = settings.data
    files = list(_files(data / "postgres"))
    if settings.database.url:
        yield _outside_database(left.place_of(settings.database.url), there)
    elif files:
        yield Claim("database", "RED", f"{len(files)} files are left.", "Run this once more.")
    else:
        yield Claim("database", "GREEN", "The folder of the database, with its log, is gone.")
    if left.is_bucket(settings):
        yield _bucket(settings.blobs_place, done, there)
    else:
        place = Path(settings.blobs_place)
        objects = [path for path in _files(place) if path.relative_to(place).parts[0] != "ledger"]
        if objects:
            yield Claim("objects", "RED", f"{len(objects)} are left.", "Run this once more.")
        else:
            yield Claim("objects", "GREEN", f"{done.objects} were overwritten now; none is left.")
    others = [
        path.name
        for path in data.iterdir()
        if path.name not in removing.KEPT and path.name != "blobs"
    ]
    if others:
        yield Claim("folders", "RED", "Folders of the cell are left.", "Run this once more.")
    else:
        yield Claim("folders", "GREEN", "Work, logs and all other folders of the cell are gone.")


def _outside_database(place: str, there: Left) -> Claim:
    """What the catalogue of another server says."""
    if why := there.unasked.get("database"):
        return Claim(
            "database", "CANNOT TELL", f"{place} does not answer ({why}).", "Run this once more."
        )
    if there.tables:
        sentence = f"The catalogue of {place} still has {left.some(there.tables)}."
        return Claim("database", "RED", sentence, "Run this once more.")
    if there.others:
        return Claim(
            "database",
            "CANNOT TELL",
            f"The catalogue of {place} has no schema of the cell, but tables in `public`, which "
            f"were not looked through: {left.some(there.others)}.",
            "Say whose they are, or remove them.",
        )
    return Claim("database", "GREEN", f"The catalogue of {place} has no table of the cell.")


def _bucket(place: str, done: Destroyed, there: Left) -> Claim:
    """What a bucket itself lists."""
    if why := there.unasked.get("objects"):
        return Claim(
            "objects", "CANNOT TELL", f"{place} does not answer ({why}).", "Run this once more."
        )
    if there.objects:
        sentence = f"{place} still lists {left.some(there.objects)}."
        return Claim("objects", "RED", sentence, "Run this once more.")
    return Claim(
        "objects",
        "GREEN",
        f"{done.objects} were deleted now; {place} lists none but the public log.",
    )


def _elsewhere(settings: Settings) -> Iterator[Claim]:
    """What other cells held: halves of keys, which are worth nothing without the wraps here, and a
    sealed backup, which is worth nothing without the recovery key."""
    for one in elsewhere.read(settings.data):
        claim, sentence = f"held by {one.peer}", f"The cell {one.words}."
        if one.is_told:
            yield Claim(claim, "GREEN", f"{sentence} Its own log says so, too.")
        else:
            step = "The buyer's cell asks it again; its log will tell."
            yield Claim(claim, "CANNOT TELL", sentence, step)


def _canaries(settings: Settings, there: Left, looked: Look | None, also: Sequence[Path]) -> Claim:
    """That no mark is anywhere that we can look."""
    if looked is None:
        return Claim(
            "canaries",
            "CANNOT TELL",
            "No marks were given to look for.",
            "Give a file of them with --canaries: what people had written in their fields.",
        )
    folders = [settings.data, *removing.key_folders(settings), *also]
    if not left.is_bucket(settings):
        folders.append(Path(settings.blobs_place))
    missing = [folder for folder in also if not folder.is_dir()]
    for path in dict.fromkeys(path for folder in folders for path in _files(folder)):
        looked.file(path)
    what = f"{looked.marks} marks in {looked.forms} forms, {looked.files} files and objects of "
    what += f"{looked.size_bytes / 1024**2:.1f} MiB"
    if looked.hits:
        places = ", ".join(sorted(looked.hits)[:5])
        return Claim("canaries", "RED", f"Of {what}: found in {places}.", "Remove these files.")
    if missing:
        return Claim(
            "canaries", "CANNOT TELL", "A folder that you named is not there.", "Name it anew."
        )
    if "objects" in there.unasked:
        sentence = f"{settings.blobs_place} does not answer, so it was not looked through."
        return Claim("canaries", "CANNOT TELL", sentence, "Run this once more.")
    return Claim("canaries", "GREEN", f"Of {what}: none was found.")


class Look:
    """All forms of all marks, looked for in files and in what is wrapped in them."""

    def __init__(self, planted: Sequence[Mark]) -> None:
        known = [form for mark in planted for form in marks.forms(mark, [])]
        # Hashes of a mark count as well: they tell whose record it was.
        self.marks = len(planted)
        self.forms, self.files, self.size_bytes = len(known), 0, 0
        self.hits: set[str] = set()
        self._searches = [
            (is_folded, Search([one.pattern for one in known if one.is_folded is is_folded]))
            for is_folded in (True, False)
        ]
        self._overlap = max(search.longest for _, search in self._searches)

    def file(self, path: Path) -> None:
        self.files += 1
        if self._finds(path.name.encode()):
            self.hits.add("the name of a file")
        rest = b""
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                self.size_bytes += len(piece)
                text = rest + piece
                if self._is_in(text):
                    self.hits.add(str(path))
                    return
                rest = text[-self._overlap :]

    def object(self, key: str, data: bytes) -> None:
        """One that is not a file of this machine."""
        self.files += 1
        self.size_bytes += len(data)
        if self._finds(key.encode()):
            self.hits.add("the name of an object")
        if self._is_in(data):
            self.hits.add(key)

    def _is_in(self, text: bytes) -> bool:
        return self._finds(text) or any(self._finds(inner) for _, inner in peel.layers(text))

    def _finds(self, text: bytes) -> bool:
        return any(
            next(search.hits(text.lower() if is_folded else text), None) is not None
            for is_folded, search in self._searches
        )


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _write(settings: Settings, made: Statement, out: Path | None) -> None:
    """Signs the statement and puts it down."""
    sold = removing.sold(settings)
    cell_id = Buyer.parse(sold.buyer).cell_id
    text = f"{FORM}\n{msgspec.json.encode(made).decode()}\n"
    note = statement_signer(settings.data, cell_id).sign(text).encode()
    path = out or settings.data / "sale" / STATEMENT
    durable.replace(path, note)
    say(f"The signed statement is in {path}; its SHA-256 is {hashlib.sha256(note).hexdigest()}.\n")


def show(made: Statement) -> None:
    """Says it."""
    for one in made.claims:
        say(f"{one.verdict:12} {one.claim}: {one.sentence}")
        if one.next:
            say(f"{'':12} What to do: {one.next}")
    say(f"\n{made.verdict}\n\nNot proved:\n{made.not_proved}")
