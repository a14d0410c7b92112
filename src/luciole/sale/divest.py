"""Handing a cell over: everything in one bundle that only the buyer opens, and the last entry of
each log.

1. Everybody's journal gets an entry: whose keys went to whom. 2. The logs take in what waits. 3.
Keys, rows and objects go into the bundle; until here the cell is whole and can be started again.
4. The log says which contents; from here on only going on helps. 5. Other cells destroy what they
hold of this one. 6. Each log is handed over. 7. The log's own tables, the archive, the witnesses.
8. The manifest, by rename: the bundle is whole.

If we stop before 5, the next run begins again and keeps the objects. If we stop after, it finds the
contents that the log names, and does the rest.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from luciole import __version__, catalogue
from luciole.config import ROLES, Settings
from luciole.copies import archive
from luciole.copies.model import TablePart
from luciole.custody import wire
from luciole.custody.broker import Broker, said
from luciole.keys import KeyStore, Sealer, private
from luciole.keys.seal import new_key
from luciole.kit import copying
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.copying import Connection
from luciole.kit.db import Database
from luciole.kit.durable import replace
from luciole.ledger import handover
from luciole.ledger.archive import Archive
from luciole.ledger.entry import canonical
from luciole.ledger.handover import Handover
from luciole.ledger.note import KeyKind, Signer
from luciole.sale import bundle, elsewhere, removing, store
from luciole.sale.buyer import LOGS, Buyer
from luciole.sale.model import (
    CONTENTS,
    FORMAT,
    MANIFEST,
    BundleDiffers,
    Contents,
    Manifest,
    NotAnnounced,
    NotWhole,
    OtherBuyer,
    TooEarly,
    read_contents,
)
from luciole.sale.store import Sale
from luciole.sale.texts import hand_over_text
from luciole.sale.witnessing import Ending, policy_in, signers_of

PEOPLE_AT_ONCE = 500
STATEMENT_KEY = "statement.key"
# What a backup leaves behind because it goes back in time, and a sale does not.
CARRIED_TOO = frozenset(
    f"messages.{name}"
    for name in (
        "attachment",
        "conversation",
        "delivery",
        "envelope",
        "key_package",
        "member",
        "seat",
        "unclaimed",
    )
)
# What would be wrong at the buyer: its keys have no guardian yet, and by which address people are
# found hangs on a key that is new, and on a yes that was said to the seller.
LEFT = frozenset(("custody.guardian", "custody.orphan", "contacts.findable", "contacts.verified"))

Say = Callable[[str], None]


def carried() -> list[str]:
    """The tables that go along, besides the log's own."""
    return sorted(
        rule.table
        for rule in catalogue.OWNED
        if (not rule.stays or rule.table in CARRIED_TOO)
        and not rule.table.startswith((bundle.LEDGER, "house."))
        and rule.table not in LEFT
    )


class Divest:
    """One sale, into one folder. The cell does not run."""

    def __init__(
        self,
        folder: Path,
        url: str,
        blobs: Blobs,
        keys: KeyStore,
        settings: Settings,
        clock: Clock,
        say: Say = lambda line: None,
        at: Callable[[str], None] = lambda step: None,
    ) -> None:
        """`url` is the owner's; `at` is called between the steps, for who tries what happens when
        we stop there."""
        self._folder, self._url, self._blobs, self._keys = folder, url, blobs, keys
        self._settings, self._clock, self._say, self._at = settings, clock, say, at

    async def run(self, buyer: Buyer) -> Contents:
        """Raises NotAnnounced, TooEarly, OtherBuyer, BundleDiffers, NotHandedOver, OSError."""
        database = await Database.open(self._url, size=2)
        try:
            async with database.read() as tx:
                sale = await store.open_sale(tx)
                doors = frozenset(row["url"] for row in await tx.fetch(store.DOORS))
            if sale is None:
                raise NotAnnounced
            if sale.keys != buyer.text or buyer.cell_id != self._keys.cell_id:
                raise OtherBuyer
            if sale.state == "announced" and self._clock.now() < sale.not_before:
                raise TooEarly(f"People have until {sale.not_before:%Y-%m-%d %H:%M} UTC to leave.")
            signers = signers_of(self._keys.secret)
            policy = await policy_in(self._blobs, signers)
            async with Ending.over(
                self._url,
                self._blobs,
                self._clock,
                signers,
                policy,
                self._settings.witness_dir,
                self._at,
                doors,
            ) as ending:
                if sale.state == "announced":
                    sale = await self._begin(database, ending, sale, buyer)
                contents = self._known(sale)
                await self._end(database, ending, sale, buyer, contents, signers["decisions"])
        finally:
            await database.close()
        return contents

    # Until here everything can be taken back

    async def _begin(self, database: Database, ending: Ending, sale: Sale, buyer: Buyer) -> Sale:
        """Steps 1 to 4."""
        if not sale.is_noted:
            count = await self._note_everybody(database, sale)
            self._say(f"{count} journals say that the keys go to {sale.operator}.")
        self._at("noted")
        await ending.drain()
        self._at("drained")
        contents, digest = await self._write_contents(sale, buyer)
        self._at("written")
        entry = {
            "v": 1,
            "kind": "divest",
            "at": said(self._clock.now()),
            "to": sale.operator,
            "jurisdiction": sale.jurisdiction,
            "keys": {log: str(key) for log, key in buyer.logs.items()},
            "contents": digest,
            "statement_key": contents.statement_key,
        }
        async with database.tx() as tx:
            await tx.execute(store.PUT, canonical(entry))
            await tx.execute(store.BEGIN, sale.id, digest)
        self._at("begun")
        return msgspec.structs.replace(sale, state="handing-over", contents=digest)

    async def _note_everybody(self, database: Database, sale: Sale) -> int:
        """An entry about each person, all of them or none."""
        custody = await Database.open(self._url, role=ROLES["custody"], size=1)
        broker = Broker(self._keys, custody, self._clock)
        opening = {
            "actor": self._settings.cell.operator,
            "purpose": "sale",
            "columns": ["*"],
            "note": f"your keys go to {sale.operator} ({sale.jurisdiction})",
        }
        try:
            async with database.tx() as tx:
                await tx.execute(store.PATIENTLY)
                people = await store.people(tx)
                for start in range(0, len(people), PEOPLE_AT_ONCE):
                    numbers = await store.take_numbers(tx, people[start : start + PEOPLE_AT_ONCE])
                    drawn = {
                        whose: await broker.draw(wire.Draw(whose, n, "key", "automated", opening))
                        for whose, n in numbers.items()
                    }
                    await store.record(tx, drawn)
                await tx.execute(store.NOTED, sale.id)
        finally:
            await custody.close()
        return len(people)

    async def _write_contents(self, sale: Sale, buyer: Buyer) -> tuple[Contents, str]:
        """Step 3."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / CONTENTS).unlink(missing_ok=True)
        for former in self._folder.glob("rows-*"):
            shutil.rmtree(former)
        cell_id, hashed = self._keys.cell_id, bundle.buyer_hash(buyer.text)
        bundle_id, rows = bundle.new_rows(self._folder)
        # The same in each try of one sale, so that objects that are there stay good.
        secret = self._keys.secret.derived(f"divest/{sale.id}/{hashed}")
        layers, sealer = bundle.Layers(secret, cell_id, bundle_id), Sealer(buyer.hpke)
        made_at = self._clock.now()
        async with copying.snapshot(self._url) as state:
            migrations = tuple(row["name"] for row in await state.fetch(store.MIGRATIONS))
            columns = await state.columns()
            tables = [
                await bundle.write_table(state, table, columns[table], rows, layers.rows)
                for table in carried()
            ]
            people = {row["id"] for row in await state.fetch(store.PEOPLE)}
        self._say(f"{sum(part.records for part in tables)} rows of {len(tables)} tables.")
        self._at("rows")
        persons = bundle.write_keys(self._of(people), rows, layers.rows, sealer, hashed)
        self._say(f"The keys of {persons.records} people, sealed to {sale.operator}.")
        self._at("keys")
        objects, total = await bundle.write_objects(self._blobs, self._folder, rows, layers)
        self._say(f"{objects.records} objects, {total / 1024**2:.0f} MiB.")
        self._at("objects")
        cell = self._settings.cell
        contents = Contents(
            FORMAT,
            bundle_id,
            cell_id,
            made_at,
            __version__,
            migrations,
            cell.operator,
            cell.jurisdiction,
            buyer.text,
            sealer.seal(secret, bundle.info_of(cell_id, hashed, f"bundle {bundle_id}")),
            persons,
            objects,
            total,
            tuple(tables),
            str(self._statement_signer().verifier),
        )
        raw = bundle.encoded(contents)
        replace(self._folder / CONTENTS, raw)
        return contents, hashlib.sha256(raw).hexdigest()

    def _of(self, people: set[UUID]) -> Iterator[tuple[UUID, bytes, bytes]]:
        for whose in self._keys.everybody():
            if whose in people:
                yield whose, self._keys.data_key(whose), self._keys.label_key(whose)

    def _statement_signer(self) -> Signer:
        """A key that outlives the cell's here: with it the seller says that all was removed."""
        return statement_signer(self._settings.data, self._keys.cell_id, is_new=True)

    def _known(self, sale: Sale) -> Contents:
        """The contents that the log names. Raises BundleDiffers."""
        try:
            contents, raw = read_contents(self._folder)
        except NotWhole:
            raise BundleDiffers from None
        if hashlib.sha256(raw).hexdigest() != sale.contents:
            raise BundleDiffers
        bundle.check_files(self._folder, contents)
        return contents

    # From here on there is no way back

    async def _end(
        self,
        database: Database,
        ending: Ending,
        sale: Sale,
        buyer: Buyer,
        contents: Contents,
        signer: Signer,
    ) -> None:
        """Steps 5 to 8."""
        handed = await Archive(self._blobs, "border").handovers()
        if all(one.new != buyer.logs["border"] for one in handed):
            # 5. Before the log of crossings ends, which tells of it.
            for one in await elsewhere.tell(
                database, self._settings, self._keys.secret, self._clock
            ):
                self._say(f"{one.words}.")
        self._at("told")
        await ending.drain("border", "decisions")
        heads = {}
        # `decisions` last: it tells of the others.
        for log in sorted(LOGS, key=lambda log: log == "decisions"):
            made = await ending.hand_over(log, buyer.logs[log])
            await self._keep(log, made)
            heads[log] = made.head
            self._at(f"handed over {log}")
        self._say("The logs end here; nothing that the old keys sign after this is right.")
        ledger = await self._write_ledger(sale, contents)
        await archive.copy(self._blobs, self._folder)
        self._copy_witnesses()
        text = hand_over_text(self._settings, contents, buyer)
        replace(self._folder / "HAND-OVER.txt", text.encode())
        self._at("ledger")
        digest = hashlib.sha256((self._folder / CONTENTS).read_bytes()).hexdigest()
        left = tuple(one for one in elsewhere.read(self._settings.data) if not one.is_told)
        manifest = Manifest(FORMAT, digest, heads, ledger, left)
        said_all = f"{FORMAT}\n{msgspec.json.encode(manifest).decode()}\n"
        # 8. From here on the bundle is whole.
        replace(self._folder / MANIFEST, signer.sign(said_all).encode())
        self._at("manifest")
        rows = sum(part.records for part in (*contents.tables, *ledger))
        removing.remember(self._settings.data, contents, digest, rows)
        async with database.tx() as tx:
            await tx.execute(store.END, sale.id, self._clock.now())

    async def _keep(self, log: str, made: Handover) -> None:
        """Puts a handover into the list that everybody can read."""
        before = [one for one in await Archive(self._blobs, log).handovers() if one.new != made.new]
        raw = handover.listed([*before, made])
        await self._blobs.put_durably(f"ledger/{log}/{handover.NAME}", raw)

    async def _write_ledger(self, sale: Sale, contents: Contents) -> tuple[TablePart, ...]:
        """The log's own tables, which have changed since."""
        rows, cell_id = self._folder / contents.rows_dir, contents.cell_id
        hashed = bundle.buyer_hash(contents.buyer)
        secret = self._keys.secret.derived(f"divest/{sale.id}/{hashed}")
        layer = bundle.Layers(secret, cell_id, contents.id).rows
        async with copying.snapshot(self._url) as state:
            return tuple([part async for part in self._each(state, rows, layer)])

    @staticmethod
    async def _each(state: Connection, rows: Path, layer: Any) -> Any:
        columns = await state.columns()
        for table in sorted(t for t in columns if t.startswith(bundle.LEDGER)):
            (rows / table).unlink(missing_ok=True)
            yield await bundle.write_table(state, table, columns[table], rows, layer)

    def _copy_witnesses(self) -> None:
        """The file of witnesses, and what the cell's own has found against others."""
        file = self._settings.witnesses_file
        if file.exists():
            replace(self._folder / "witnesses", file.read_bytes())
        for path in self._settings.witness_dir.glob("*/evidence/*/*"):
            inside = path.relative_to(self._settings.witness_dir)
            replace(self._folder / "evidence" / inside, path.read_bytes())


def statement_signer(data: Path, cell_id: UUID, *, is_new: bool = False) -> Signer:
    """The key with which the seller signs what it says after the sale. Raises KeyFileRefused."""
    path = data / "sale" / STATEMENT_KEY
    if is_new:
        private.check_folder(path.parent)
        private.write(path, new_key())
    seed = private.needed(path, "statement key", "It was made by ./luciole divest.")
    return Signer(f"luciole/{cell_id}/seller", KeyKind.ED25519, seed)
