"""Going on with a cell that was bought, from its bundle alone: the seller may be away for good.

1. The manifest's signature, the hashes, the logs from their first entry on, and that each is handed
over to our keys. 2. A new root, a new secret, a new share and epoch; each person's data key under
them. 3. The objects. 4. In one transaction: the tables, the indexes of addresses under the new
secret, an entry and a notice for each person, the mark of the new keys. 5. The archive of the logs,
its heads signed by us as well. 6. The file of witnesses.

Each step can be done again after a kill at any point; the cell starts when the last one is done.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from luciole.border.passport import key_of
from luciole.cell.people.model import index_form
from luciole.config import ROLES, Settings
from luciole.copies.model import Damaged
from luciole.custody import wire
from luciole.custody.broker import Broker, said
from luciole.fit import PURPOSE as MARK
from luciole.keys import (
    CellSecret,
    KeyStore,
    NoKey,
    RootKey,
    SealBroken,
    open_field,
    private,
)
from luciole.keys.root import CELL_KEY_FILE, name_cell
from luciole.kit import copying, migrate
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.copying import Connection
from luciole.kit.db import Database
from luciole.kit.durable import replace
from luciole.kit.ids import new_id
from luciole.ledger.archive import CHECKPOINT, PENDING
from luciole.ledger.entry import canonical
from luciole.ledger.note import Note
from luciole.ledger.policy import Policy
from luciole.roots.choose import open_root
from luciole.sale import elsewhere, store
from luciole.sale.bundle import Opened
from luciole.sale.buyer import LOGS, Buyer, BuyerKey
from luciole.sale.checking import Checked, check, check_log, names_contents
from luciole.sale.model import (
    RECEIPT,
    AdoptNotEmpty,
    BadBundle,
    NotForUs,
)

ROWS_AT_ONCE = 2000
PEOPLE_AT_ONCE = 500
SAID_EVERY = 500
CONTACT = {"email": "contact.email", "phone": "contact.phone"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Adopted:
    """What was opened. All of what the bundle lists, or adopting fails."""

    persons: int
    rows: int
    objects: int
    is_own_word: bool
    """Whether who ran the cell before is known from the bundle alone."""


class Adopt:
    """One bundle, into an empty place."""

    def __init__(
        self,
        folder: Path,
        key: BuyerKey,
        settings: Settings,
        url: str,
        clock: Clock,
        policy: Policy | None = None,
        say: Say = lambda line: None,
        at: Callable[[str], None] = lambda step: None,
    ) -> None:
        """`url` is the owner's of a database that is empty."""
        self._folder, self._key, self._settings, self._url = folder, key, settings, url
        self._clock, self._policy, self._say, self._at = clock, policy, say, at
        self._blobs = Blobs.open(settings.blobs_place)

    async def run(self) -> Adopted:
        """Raises NotWhole, BadBundle, NotForUs, AdoptNotEmpty, KeyFileRefused, OSError."""
        checked = check(self._folder, self._key, self._policy)
        contents = checked.contents
        for log in LOGS:
            told = await check_log(self._folder, log, checked.handovers[log])
            if log == "decisions" and not any(
                names_contents(entry, checked.digest) for entry in told
            ):
                raise BadBundle("The log does not name these contents.")
        self._say(f"The logs are whole, and handed over to you by {contents.seller}.")
        try:
            opened = Opened(self._folder, contents, self._key.receiver)
        except SealBroken:
            raise NotForUs from None
        known = migrate.load()
        then = [one for one in known if one.name in contents.migrations]
        if len(then) < len(contents.migrations):
            raise BadBundle(
                "This bundle was made by a newer version of Luciole.",
                next_step="Adopt it with that version.",
            )
        if await self._goes_on(checked.digest):
            total = sum(p.records for p in (*contents.tables, *checked.manifest.ledger))
            return self._done(checked, contents.persons.records, total, contents.objects.records)
        keys = self._make_keys(contents.cell_id)
        try:
            persons = self._take_keys(keys, opened)
            self._at("keys")
            objects = await self._put_objects(opened)
            self._at("objects")
            await migrate.apply(self._url, then)
            rows = await self._fill(checked, opened, keys)
            await migrate.apply(self._url, known)
            self._at("rows")
            await self._continue_logs(checked)
            self._at("logs")
        except (Damaged, SealBroken) as error:
            raise BadBundle from error
        finally:
            keys.close()
        return self._done(checked, persons, rows, objects)

    def _done(self, checked: Checked, persons: int, rows: int, objects: int) -> Adopted:
        self._put_witnesses()
        if not (self._settings.data / "sale" / elsewhere.FILE).exists():
            elsewhere.write(self._settings.data, checked.manifest.elsewhere)
        self._write_receipt(checked, persons, rows, objects)
        return Adopted(persons, rows, objects, self._policy is None)

    async def _goes_on(self, digest: str) -> bool:
        """Whether all of this bundle is here already: then the logs have gone on, perhaps, and
        nothing is put back that was deleted since. Raises AdoptNotEmpty where somebody else is."""
        async with copying.reader(self._url) as state:
            columns = await state.columns()
            if "people.person" not in columns:
                return False
            if "house.sale" in columns and await self._is_done(state, digest):
                heads = [await _is_there(self._blobs, f"ledger/{log}/{PENDING}") for log in LOGS]
                return all(heads)
            if await state.fetch(store.ANYBODY):
                raise AdoptNotEmpty
        return False

    @staticmethod
    async def _is_done(state: Connection, digest: str) -> bool:
        found = await state.fetch(store.ADOPTED)
        return bool(found) and found[0]["contents"] == digest

    # Keys

    def _make_keys(self, cell_id: UUID) -> KeyStore:
        """A new root for the same cell, and a key store below it. Raises AdoptNotEmpty."""
        place, folder = self._settings.key_place, self._settings.keys_dir
        private.check_folder(folder)
        kind, _, path = place["where"].partition(":")
        if not (folder / CELL_KEY_FILE).exists():
            if kind == "file":
                RootKey.make(Path(path or folder / "root.key"), cell_id)
            else:
                name_cell(folder, cell_id)
        root = open_root(**place)
        if root.cell_id != cell_id:
            raise AdoptNotEmpty("The keys of another cell are in this place.")
        CellSecret.bring(folder, root, self._key.secret)
        keys = KeyStore(folder, root, clock=self._clock)
        if keys.secret.derived(MARK) != CellSecret(cell_id, self._key.secret).derived(MARK):
            keys.close()
            raise AdoptNotEmpty("This cell has keys in this place that are not those of the sale.")
        return keys

    def _take_keys(self, keys: KeyStore, opened: Opened) -> int:
        """Step 2."""
        count, some = 0, list[tuple[UUID, bytes, bytes]]()
        for one in opened.persons():
            some.append(one)
            count += 1
            if len(some) == PEOPLE_AT_ONCE:
                keys.take(some)
                some = []
        keys.take(some)
        self._say(f"{count} people's keys are under your root.")
        return count

    # Objects

    async def _put_objects(self, opened: Opened) -> int:
        """Step 3."""
        work_dir = self._settings.work_dir / "adopt"
        work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        count = 0
        for key, size_bytes in opened.objects():
            count += 1
            if not await _is_there(self._blobs, key, size_bytes):
                with tempfile.NamedTemporaryFile(dir=work_dir) as file:
                    for piece in opened.pieces(key, size_bytes):
                        file.write(piece)
                    file.flush()
                    await self._blobs.put(key, Path(file.name))
            if count % SAID_EVERY == 0:
                self._say(f"{count} objects.")
        return count

    # Rows

    async def _fill(self, checked: Checked, opened: Opened, keys: KeyStore) -> int:
        """Step 4."""
        contents = checked.contents
        parts = {part.table: part for part in (*contents.tables, *checked.manifest.ledger)}
        total = sum(part.records for part in parts.values())
        custody = await Database.open(self._url, role=ROLES["custody"], size=1)
        try:
            async with copying.whole(self._url) as connection:
                if await self._is_done(connection, checked.digest):
                    return total
                for table in await connection.order(list(parts)):
                    await connection.copy_in(
                        table, parts[table].columns, _batches(opened.lines(parts[table]))
                    )
                await connection.move_sequences_on()
                self._say(f"{total} rows of {len(parts)} tables.")
                self._at("filled")
                await self._tell(connection, checked, keys, Broker(keys, custody, self._clock))
        finally:
            await custody.close()
        return total

    async def _tell(
        self, connection: Connection, checked: Checked, keys: KeyStore, broker: Broker
    ) -> None:
        """New indexes, an entry and a notice for each person, and what the log says of it."""
        tx, contents, now = connection.tx, checked.contents, self._clock.now()
        buyer = Buyer.parse(contents.buyer)
        people = await store.people(tx)
        opening = {
            "actor": "luciole",
            "purpose": "adoption",
            "columns": list(CONTACT.values()),
            "note": f"your keys were taken over by {buyer.operator} ({buyer.jurisdiction})",
        }
        for start in range(0, len(people), PEOPLE_AT_ONCE):
            some = people[start : start + PEOPLE_AT_ONCE]
            numbers = await store.take_numbers(tx, some)
            drawn = {
                whose: await broker.draw(wire.Draw(whose, n, "key", "automated", opening))
                for whose, n in numbers.items()
            }
            await store.record(tx, drawn)
            await self._index(connection, keys, some)
            await tx.execute(store.TELL, [new_id() for _ in some], some)
        await tx.execute(store.LOOK_AGAIN)
        await tx.execute(store.REPLACED)
        border = await broker.public_key(wire.PublicKeyOf("border"))
        await tx.execute(store.SET_MARK, keys.secret.derived(MARK))
        entry = {
            "v": 1,
            "kind": "adopted",
            "at": said(now),
            "operator": buyer.operator,
            "jurisdiction": buyer.jurisdiction,
            "from": contents.seller,
            "contents": checked.digest,
            "persons": len(people),
            # So that cells which had agreed with the seller's know with whom they speak now.
            "border": str(key_of(keys.cell_id, border.key)),
        }
        await tx.execute(store.PUT, canonical(entry))
        # The last: by this row the next try sees that all of it is here.
        await tx.execute(
            store.ADOPT,
            contents.id,
            buyer.operator,
            buyer.jurisdiction,
            contents.buyer,
            now,
            checked.digest,
        )

    async def _index(self, connection: Connection, keys: KeyStore, some: list[UUID]) -> None:
        """Addresses are found by an index under the cell's secret, which is another one now."""
        whose, kinds, indexes = list[UUID](), list[str](), list[bytes]()
        for row in await store.contacts_of(connection.tx, some):
            kind, person_id = row["kind"], row["person_id"]
            try:
                value = open_field(
                    keys.data_key(person_id),
                    row["sealed"],
                    cell_id=keys.cell_id,
                    person_id=person_id,
                    field_id=CONTACT[kind],
                    version=row["version"],
                )
            except (NoKey, SealBroken) as error:
                raise BadBundle("A sealed address does not open with its key.") from error
            whose.append(person_id)
            kinds.append(kind)
            indexes.append(keys.secret.index(kind, index_form(kind, value.decode())))
        await connection.tx.execute(store.SET_INDEXES, whose, kinds, indexes)

    # Logs

    async def _continue_logs(self, checked: Checked) -> None:
        """Step 5: the heads come last, signed by us as well; nothing is put over what is there."""
        signers = self._key.signers()
        for log in LOGS:
            folder = self._folder / "ledger" / log
            if await _is_there(self._blobs, f"ledger/{log}/{PENDING}"):
                continue
            paths = [path for path in folder.rglob("*") if path.is_file()]
            for path in paths:
                if path.name not in (PENDING, CHECKPOINT):
                    name = path.relative_to(self._folder).as_posix()
                    await self._blobs.put_durably(name, path.read_bytes())
            head = checked.manifest.heads[log]
            text = Note.parse(head).text
            both = (head + signers[log].line(text)).encode()
            await self._blobs.put_durably(f"ledger/{log}/{CHECKPOINT}", both)
            await self._blobs.put_durably(f"ledger/{log}/{PENDING}", both)

    def _put_witnesses(self) -> None:
        """Step 6. The operator looks through it: they were the seller's choice."""
        file = self._folder / "witnesses"
        if file.exists() and not self._settings.witnesses_file.exists():
            replace(self._settings.witnesses_file, file.read_bytes())
        for path in (self._folder / "evidence").rglob("*"):
            if path.is_file():
                inside = path.relative_to(self._folder)
                replace(self._settings.data / "sale" / inside, path.read_bytes())

    def _write_receipt(self, checked: Checked, persons: int, rows: int, objects: int) -> None:
        """What the seller needs before it destroys: that everything was opened, signed by the key
        to which `decisions` was handed over."""
        text = receipt_text(checked.digest, persons, rows, objects)
        note = self._key.signers()["decisions"].sign(text)
        replace(self._settings.data / "sale" / RECEIPT, note.encode())


def receipt_text(digest: str, persons: int, rows: int, objects: int) -> str:
    """What a receipt says."""
    return (
        f"luciole-receipt-v1\ncontents {digest}\npersons {persons}\nrows {rows}\n"
        f"objects {objects}\n"
    )


async def _batches(lines: Iterator[bytes]) -> AsyncIterator[list[bytes]]:
    some: list[bytes] = []
    for line in lines:
        some.append(line)
        if len(some) == ROWS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


async def _is_there(blobs: Blobs, key: str, size_bytes: int | None = None) -> bool:
    try:
        found = await blobs.stat(key)
    except Missing:
        return False
    return size_bytes in (None, found.size_bytes)
