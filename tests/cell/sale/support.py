"""A small town that is sold: its people with marks in every field, its seller, its buyer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from tests.cell.house import PASSWORD, Browser, House
from tests.cell.vault import Vault

from luciole.config import CellSettings, MediaSettings, PeopleSettings, Settings
from luciole.keys import KeyStore
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.ledger.policy import Policy
from luciole.roots.choose import open_root
from luciole.sale import announcing
from luciole.sale.adopt import Adopt, Adopted
from luciole.sale.buyer import Buyer, BuyerKey
from luciole.sale.divest import Divest
from luciole.sale.model import Contents
from luciole.sale.witnessing import Ending, policy_in, signers_of

MARKS = {
    "mail": "qmarkmail7c2@example.org",
    "phone": "+33612345678",
    "bio": "qmarkbiography9d4",
    "caption": "qmarkcaption3f1",
    "name": "Qmarkname8a6",
    "word": PASSWORD,
}


@dataclass
class Town:
    """The cell before and after."""

    house: House
    owner_url: str
    folder: Path
    people: dict[str, Browser] = field(default_factory=dict)

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    def buyer_key(self, name: str = "buyer") -> BuyerKey:
        path = self.folder / f"{name}.key"
        cell_id = self.house.vault.store.cell_id
        return BuyerKey.load(path) if path.exists() else BuyerKey.make(path, cell_id)

    def buyer(self, name: str = "buyer") -> Buyer:
        return self.buyer_key(name).public("Nouvelle Maison SAS", "FR")

    async def live(self, film: bytes) -> None:
        """Three people with clips, who know each other, and whose fields hold marks."""
        for handle in ("ana", "ben", "eve"):
            self.people[handle] = await self.house.person(handle)
        clips = {
            handle: await one.clip(self.house, film, caption=f"by {handle} {MARKS['caption']}")
            for handle, one in self.people.items()
        }
        for one in self.people.values():
            for other in self.people.values():
                if other is not one:
                    await one.follow(other)
            for clip in clips.values():
                await one.put(f"/api/clips/{clip['id']}/like")
        ana = self.people["ana"]
        await ana.put("/api/me/contacts/email", json={"value": MARKS["mail"]})
        await ana.put("/api/me/contacts/phone", json={"value": MARKS["phone"]})
        await ana.patch("/api/me", json={"bio": MARKS["bio"], "display_name": MARKS["name"]})
        # Grants of the first sessions, before the sale.
        for one in self.people.values():
            await one.get("/api/me/contacts")
        await self.house.work()

    async def announce(self, days: int = 30, name: str = "buyer") -> int:
        database = await Database.open(self.owner_url, size=1)
        now = self.house.clock.now()
        try:
            return await announcing.announce(
                database, self.buyer(name), new_id(), now, now + timedelta(days=days)
            )
        finally:
            await database.close()

    def divest_of(self, at: Callable[[str], None] = lambda step: None) -> Divest:
        return Divest(
            self.bundle,
            self.owner_url,
            self.house.parts.blobs,
            self.house.vault.store,
            self.house.settings,
            self.house.clock,
            at=at,
        )

    async def divest(self, at: Callable[[str], None] = lambda step: None) -> Contents:
        return await self.divest_of(at).run(self.buyer())

    async def sell(self, film: bytes) -> Contents:
        """All of it, after the notice."""
        await self.live(film)
        await self.announce()
        self.house.clock.advance(timedelta(days=31))
        return await self.divest()

    # After

    @property
    def settings(self) -> Settings:
        """The buyer's."""
        return Settings(
            data_dir=str(self.folder / "buyer"),
            cell=CellSettings(operator="Nouvelle Maison SAS", jurisdiction="FR"),
            people=PeopleSettings(
                sign_up_work=0, sign_ups_per_hour=10_000, sign_ins_per_minute=10_000
            ),
            media=MediaSettings(min_free_bytes=0),
        )

    def adopt_of(
        self,
        url: str,
        at: Callable[[str], None] = lambda step: None,
        policy: Policy | None = None,
        key: BuyerKey | None = None,
    ) -> Adopt:
        settings = self.settings
        settings.data.mkdir(exist_ok=True)
        return Adopt(
            self.bundle,
            key or self.buyer_key(),
            settings,
            url,
            self.house.clock,
            policy,
            at=at,
        )

    async def adopt(self, url: str, at: Callable[[str], None] = lambda step: None) -> Adopted:
        return await self.adopt_of(url, at).run()

    async def boot(self, url: str) -> House:
        """The cell of the buyer, in this process."""
        settings = self.settings
        keys = KeyStore(settings.keys_dir, open_root(**settings.key_place))
        custody = await Database.open(url, role="luciole_custody_process", size=2)
        db = await Database.open(url, role="luciole_api", size=4)
        return House(db, settings, Vault(keys, custody), clock=self.house.clock)

    async def shut(self, house: House) -> None:
        await house.close()
        await house.db.close()
        await house.vault.db.close()
        house.vault.store.close()


async def sign_in(house: House, handle: str) -> Browser:
    made = house.visitor()
    answer = await made.post("/api/sessions", json={"handle": handle, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    made.handle = handle
    return made


async def take_in(url: str, house: House) -> None:
    """Has the logs of a cell take in what waits."""
    blobs = Blobs.open(house.settings.blobs_place)
    signers = signers_of(house.vault.store.secret)
    policy = await policy_in(blobs, signers)
    async with Ending.over(
        url, blobs, house.clock, signers, policy, house.settings.witness_dir, lambda step: None
    ) as logs:
        await logs.drain()


async def fetch(url: str, query: str, *args: Any) -> list[Any]:
    owner = await asyncpg.connect(url)
    try:
        return list(await owner.fetch(query, *args))
    finally:
        await owner.close()


async def counts(url: str, tables: list[str]) -> dict[str, int]:
    return {
        table: (await fetch(url, f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables
    }
