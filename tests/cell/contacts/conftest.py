"""Two cells in one process: a whole one, and the trustee's handler of the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from tests.cell.house import Browser, House
from tests.cell.once import Once
from tests.cell.vault import Vault

from luciole.ask.gateway import PeerInfo, PeerRefused, PeerUnreachable
from luciole.border import wire
from luciole.config import BorderSettings, ContactsSettings, PeopleSettings, Settings
from luciole.kit.db import Database
from luciole.trustee.asked import Refused
from luciole.trustee.lookups import Lookups

US = UUID("0198c0de-0000-7000-8000-000000000001")
SG = UUID("0198c0de-0000-7000-8000-000000000002")


class Other:
    """The way to the other cell: `Outward` over its real handler, and every byte of it."""

    def __init__(self, lookups: Lookups) -> None:
        self.lookups = lookups
        self.bodies: list[bytes] = []
        self.is_away = False
        self.lies = False
        self.codes: list[wire.Code] = []

    async def ask(self, peer: str, kind: str, body: bytes, timeout_s: float = 10.0) -> bytes:
        assert (peer, kind) == ("sg", "lookup")
        if self.is_away:
            raise PeerUnreachable
        self.bodies.append(body)
        try:
            answer = await self.lookups(US, body)
        except Refused as refused:
            raise PeerRefused(refused.code) from refused
        self.bodies.append(answer)
        if self.lies:
            said = msgspec.msgpack.decode(answer, type=wire.LookupAnswer)
            swapped = said.answers[32:] + said.answers[:32] or said.answers
            proof = bytes(32) + said.proof[32:]
            answer = msgspec.msgpack.encode(wire.LookupAnswer(said.public, swapped, proof))
        return answer

    async def send_code(self, code: wire.Code) -> None:
        if self.is_away:
            raise PeerUnreachable
        self.codes.append(code)

    async def peers(self) -> list[PeerInfo]:
        return [PeerInfo("sg", SG, "https://sg.test", "Sg Ltd", "SG", "Singapore")]


@pytest.fixture
def other(tmp_path: Path, only_pair: House) -> Other:
    lookups = Lookups(
        tmp_path / "lookups.sqlite", bytes(range(32)), today=lambda: only_pair.clock.now().date()
    )
    return Other(lookups)


class _Lent:
    """The `Other` of the test that runs."""

    def __init__(self) -> None:
        self.now: Other | None = None

    async def ask(self, peer: str, kind: str, body: bytes, timeout_s: float = 10.0) -> bytes:
        assert self.now is not None
        return await self.now.ask(peer, kind, body, timeout_s)

    async def send_code(self, code: wire.Code) -> None:
        assert self.now is not None
        await self.now.send_code(code)

    async def peers(self) -> list[PeerInfo]:
        assert self.now is not None
        return await self.now.peers()


@pytest.fixture(scope="session")
def only_pair(
    pools: tuple[Database, Database], vault: Vault, tmp_path_factory: pytest.TempPathFactory
) -> House:
    settings = Settings(
        data_dir=str(tmp_path_factory.mktemp("pair") / "var"),
        people=PeopleSettings(sign_up_work=0, sign_ups_per_hour=10_000, sign_ins_per_minute=10_000),
        border=BorderSettings(codes_url="https://codes.test/send", codes_secret_file="secret"),
        contacts=ContactsSettings(peer="sg"),
    )
    return House(pools[1], settings, vault, outside=_Lent())


@pytest_asyncio.fixture(loop_scope="session")
async def pair(
    only_pair: House, other: Other, db: Database, once: Once, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """The cell `us`, with the other half of its key in `sg`."""
    once.stand_in(monkeypatch)
    only_pair.outside.now = other
    halves = only_pair.parts.discovery.halves
    monkeypatch.setattr(halves, "_others", {})
    only_pair.parts.discovery.shelf.forget()
    yield only_pair
    await only_pair.leave()


async def verify(house: House, browser: Browser, kind: str, address: str) -> None:
    """Gives an address and shows that it is one's own."""
    answer = await browser.put(f"/api/me/contacts/{kind}", json={"value": address})
    assert answer.status_code == 200, answer.text
    answer = await browser.post(f"/api/contacts/{kind}/code")
    assert answer.status_code == 204, answer.text
    said = house.outside.now.codes[-1]
    assert (said.channel, said.to) == (kind, address)
    answer = await browser.put(f"/api/contacts/{kind}/code", json={"code": said.code})
    assert answer.status_code == 204, answer.text


async def findable(house: House, handle: str, address: str, kind: str = "phone") -> Browser:
    """Somebody who wants to be found."""
    browser = await house.person(handle)
    await verify(house, browser, kind, address)
    answer = await browser.put(f"/api/contacts/{kind}/findable")
    assert answer.status_code == 204, answer.text
    return browser
