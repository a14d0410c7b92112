"""Two cells with people who live in them, and everything that goes over the wire between them: a
clip, a comment, follows, totals, a recall, shares of keys, look-ups of contacts, pieces of a
backup. All of it is in both logs, all that they tell was there, and nothing that people have in
private is in any of it. Needs root, and time to encode films.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.border.cell import WORKS
from tests.border.conftest import Cell, cell_in, peered, until
from tests.border.test_published import PASSWORD, agree, listed, published
from tests.drills import captured, doors
from tests.drills.captured import Captured
from tests.drills.cell_process import started
from tests.drills.nets import Net, connected
from tests.unit.media import films

from luciole import blind
from luciole.abroad import parcels
from luciole.abroad.keeper import Keeper
from luciole.ask.client import Custody
from luciole.audit.canary import marks
from luciole.audit.canary.marks import Mark
from luciole.border.wire import Person, encode
from luciole.cell.abroad.reading import Reading
from luciole.keys import seal
from luciole.keys.hpke import Receiver, Sealer
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.ids import new_id

pytestmark = [*captured.NEEDS, pytest.mark.timeout(900)]
SEED = b"people who live in two cells"
# Films are encoded meanwhile, on a machine that others use too.
WITHIN_S = 300.0
FANS = 10
MORE = {
    "us": {"LUCIOLE_KEYS_GUARDIAN": "sg", "LUCIOLE_CONTACTS_PEER": "sg"},
    "sg": {"LUCIOLE_TRUSTEE_BACKUP_BYTES": str(1 << 30), "LUCIOLE_CONTACTS_PEER": "us"},
}
PERSON_ID = "SELECT id FROM people.person WHERE handle = $1"
VERIFIED = """
INSERT INTO contacts.verified (person_id, kind, version, verified_on)
SELECT person_id, kind, version, current_date FROM people.contact_version
"""
PUT = "SELECT border.put('person', $1, $2, 'sg', $3)"


@dataclass
class Lived(Cell):
    """A cell with a worker and what is in MORE, where many sign up from one address."""

    def environment(self) -> dict[str, str]:
        plenty = {"LUCIOLE_PEOPLE_SIGN_UPS_PER_HOUR": "1000", WORKS: "1"}
        return {**super().environment(), **plenty, **MORE[self.name]}


@dataclass
class Town:
    """Both cells, their people's browsers, and what of those people is to be found nowhere."""

    wire: Captured
    halls: dict[str, Path]
    marks: list[Mark] = field(default_factory=list)
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def mark(self, person: str, what: str, value: str = "") -> str:
        """A word that is this person's alone, and looked for from now on."""
        token = value or marks.token(SEED, person, what)
        self.marks.append(Mark(f"{what} of {person}", person, token, token))
        return token

    async def person(self, cell: Cell, name: str, *, is_public: bool = False) -> httpx.AsyncClient:
        """Somebody who signs up and fills in everything; of who is seen in public, handle and name
        are no secret."""
        who = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self.halls[cell.name])),
            base_url=cell.settings.origin,
            headers={"sec-fetch-site": "same-origin", "user-agent": self.mark(name, "browser")},
            timeout=60,
        )
        self.browsers.append(who)
        handle = name if is_public else self.mark(name, "handle")
        body = {
            "handle": handle,
            "display_name": name.title() if is_public else self.mark(name, "name"),
            "age_band": "18+",
            "locale": "en",
            "password": PASSWORD,
        }
        await done(who.post("/api/sign-up", json=body))
        self.mark(name, "session", who.cookies["luciole_session"])
        email = {"value": f"{self.mark(name, 'address')}@example.org"}
        await done(who.put("/api/me/contacts/email", json=email))
        number = marks.digits(SEED, name, "phone", 11)
        await done(who.put("/api/me/contacts/phone", json={"value": f"+{number}"}))
        self.mark(name, "phone", number)
        if not is_public:
            await done(who.patch("/api/me", json={"bio": self.mark(name, "bio")}))
        ((number_of,),) = await cell.rows(PERSON_ID, handle)
        raw = UUID(str(number_of))
        self.marks.append(Mark(f"id of {name}", name, str(raw), str(raw), raw.bytes))
        await done(who.post("/api/search", json={"q": self.mark(name, "search")}))
        return who


async def done(asked: Awaitable[httpx.Response]) -> Any:
    answer = await asked
    assert answer.is_success, (answer.request.url, answer.status_code, answer.text)
    return answer.json() if answer.content else None


@pytest.fixture
def halls() -> Iterator[Path]:
    """A folder for Unix sockets, whose addresses are short."""
    folder = Path(tempfile.mkdtemp(prefix="halls-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def town(tmp_path: Path, halls: Path) -> Iterator[Town]:
    with connected("10.77.9") as nets, contextlib.ExitStack() as stack:
        cells, places = list[Cell](), dict[str, Path]()
        for net, name in zip(nets, ("us", "sg"), strict=True):
            origin = captured.origin_of(net)
            cells.append(Lived(name, cell_in(tmp_path, name, origin).settings))
        wire = stack.enter_context(captured.capturing(cells, nets, tmp_path, "relay"))
        for net, cell in zip(nets, cells, strict=True):
            places[cell.name] = stack.enter_context(hall(net, cell, halls))
        yield Town(wire, places)


@contextlib.contextmanager
def hall(net: Net, cell: Cell, folder: Path) -> Iterator[Path]:
    """A way to the pages of a cell from outside of its namespace, for the browsers of the test."""
    place = folder / f"{cell.name}.sock"
    words = [*net.inside, *doors.hall(place, cell.settings.web.port)]
    with started(words, cell.environment()) as process:
        process.wait_for(doors.READY, 30)
        yield place


# --- what they do ---------------------------------------------------------------------------------


async def publish_and_meet(town: Town, ana: httpx.AsyncClient, folder: Path) -> None:
    """A clip goes there; it is followed, liked, commented on, counted, and taken back."""
    us, sg = town.wire.us, town.wire.sg
    wei = await town.person(sg, "wei", is_public=True)
    mina = await town.person(sg, "mina")
    film = films.make(folder / "tiny.mp4", size="90x160", seconds=0.4, rate=10).read_bytes()
    await agree(ana, "clip")
    clip = await published(ana, film, caption="Low tide #herons")
    await published(ana, film, caption=town.mark("ana", "caption for friends"), audience="friends")
    await done(ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"}))
    (seen,) = await until(listed(wei, "/api/people/ana@us/clips"), WITHIN_S)

    # What stays there: who follows, who likes, what was said without a yes to its leaving.
    fans = [mina, *[await town.person(sg, f"fan{number}") for number in range(FANS)]]
    for one in fans:
        await done(one.put("/api/people/ana@us/follow"))
        await done(one.put(f"/api/clips/{seen['id']}/like"))
    path = f"/api/clips/{seen['id']}/comments"
    await done(mina.post(path, json={"text": town.mark("mina", "comment that stays")}))

    async def is_read() -> Any:
        return await us.rows("SELECT peer FROM abroad.reader")

    assert await until(is_read, WITHIN_S) == [("sg",)]
    # What goes: a comment with a yes, and sums.
    made = await done(wei.post(path, json={"text": "Seen from far away"}))
    await agree(wei, "comment")
    await done(wei.put(f"/api/comments/{made['id']}/reach", json={"crosses": True}))
    comments = listed(ana, f"/api/clips/{clip['id']}/comments")
    (comment,) = await until(comments, WITHIN_S)
    assert comment["text"] == "Seen from far away"
    async with reading(sg) as read:
        await until(read.tell_totals, WITHIN_S)

    async def is_summed() -> Any:
        return (await done(ana.get("/api/me/abroad")))["totals"]

    assert await until(is_summed, WITHIN_S)
    # Nobody there follows any more; the cell says so a while later, which is over here.
    for one in fans:
        await done(one.delete("/api/people/ana@us/follow"))

    async def ends() -> Any:
        return await sg.rows("SELECT 1 FROM abroad.reading WHERE end_at IS NOT NULL")

    await until(ends, WITHIN_S)
    await (await sg.owner()).execute("UPDATE abroad.reading SET end_at = now()")
    async with reading(sg) as read:
        await read.end_due()
    await done(ana.delete(f"/api/clips/{clip['id']}"))

    async def is_gone() -> bool:
        return (await wei.get(f"/api/clips/{seen['id']}")).status_code == 404

    await until(is_gone, WITHIN_S)


@contextlib.asynccontextmanager
async def reading(cell: Cell) -> AsyncIterator[Reading]:
    """What the worker does at night, now."""
    db = await Database.open(await cell.url(), role="luciole_worker", size=2)
    try:
        yield Reading(db, Clock())
    finally:
        await db.close()


async def look_for_contacts(town: Town, who: httpx.AsyncClient) -> None:
    """A device looks for two addresses of an address book, which are in no clear form anywhere. The
    code by which somebody shows first that an address is their own has been typed: no operator's
    sender is here who would bring it."""
    await (await town.wire.us.owner()).execute(VERIFIED)

    async def is_offered() -> Any:
        answer = await who.get("/api/contacts/")
        return answer.json()["keys"] if answer.is_success else None

    keys = [bytes.fromhex(key) for key in await until(is_offered, WITHIN_S)]
    book = [
        f"phone:+{town.mark('a friend', 'phone', marks.digits(SEED, 'friend', 'phone', 11))}",
        f"email:{town.mark('a friend', 'address')}@example.org",
    ]
    points = b"".join(point for _, point in map(blind.blind, (one.encode() for one in book)))
    answer = await who.post("/api/contacts/points", content=points)
    assert answer.status_code == 200, answer.text
    size = len(points) + 64
    for key, half in zip(keys, (answer.content[:size], answer.content[size:]), strict=True):
        blind.check(key, points, half[: len(points)], half[len(points) :])


async def keep_abroad(town: Town) -> None:
    """Sealed pieces of a backup, in which everything stands that is looked for."""
    key = seal.new_key()
    content = "\n".join(mark.value for mark in town.marks).encode()

    async def parts() -> AsyncIterator[bytes]:
        yield content

    label = parcels.Label("wal", 1, False, b"")
    pieces = [one async for one in parcels.packed(Sealer(Receiver(key).public), label, parts())]
    whole = parcels.Unpacker(Receiver(key))
    assert content in b"".join(whole.take(one) for one in pieces)
    outward = town.wire.us.outward("copies")
    keeper = Keeper(lambda body: outward.ask("sg", "backup", body))
    names = [uuid4().bytes for _ in pieces]
    await keeper.put(list(zip(names, pieces, strict=True)))
    assert await keeper.get(names) == pieces


async def in_office(us: Cell) -> None:
    """The guardian guards from now on."""
    operator = Custody.at(us.settings.custody_dir / "operator.sock")

    async def is_on() -> bool:
        state = await operator.guardian("status")
        return state.is_on and not state.left and not state.fault

    await until(is_on, WITHIN_S)
    await operator.close()


def kinds_of(entries: dict[str, list[dict[str, Any]]]) -> Counter[str]:
    """What crossed, by what both logs call it."""
    told = [
        {one["of"] if one["kind"] == "workings" else one.get("wire", "") for one in some}
        for some in entries.values()
    ]
    return Counter(kind for some in told for kind in some)


async def test_lives_of_people_leave_nothing_on_the_wire_that_they_have_in_private(
    town: Town, tmp_path: Path
) -> None:
    wire = town.wire
    await peered(wire.us, wire.sg)
    await in_office(wire.us)
    ana = await town.person(wire.us, "ana", is_public=True)
    await town.person(wire.us, "noa")
    await look_for_contacts(town, ana)
    await keep_abroad(town)
    await publish_and_meet(town, ana, tmp_path)
    await asyncio.sleep(2)
    wire.marks = town.marks
    seen = await wire.whole()

    async def is_told() -> bool:
        await wire.told()
        return not await wire.faults(seen)

    with contextlib.suppress(AssertionError):
        await until(is_told)
    assert await wire.faults(seen) == []
    assert await wire.missing() == []
    kinds = kinds_of((await wire.judge()).entries)
    both = {"person", "clip", "media", "comment", "follow", "unfollow", "totals", "gone"}
    both |= {"cosign", "share", "lookup", "backup"}
    assert both == {kind for kind, cells in kinds.items() if kind and cells == 2}
    assert len(town.marks) > 8 * (FANS + 4)
    # A slice that would hand over what it must not: both logs tell of it, as of anything, and still
    # it is seen.
    (bio,) = [mark.value for mark in town.marks if mark.field == "bio of noa"]
    persona = Person(f"{wire.us.origin}/ap/people/{new_id()}", "kofi", "Kofi", bio)
    await (await wire.us.owner()).execute(PUT, uuid4(), new_id(), encode(persona))

    await wire.seen_as("a mark of bio of noa")
    for browser in town.browsers:
        await browser.aclose()
    for cell in (wire.us, wire.sg):
        await cell.close()
