"""Finding people whom one knows: two real cells, a real Chromium, and an address book of canaries
of which nothing may be found anywhere afterwards."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Response, Route, expect
from tests.border import conftest as border
from tests.border.code_server import SECRET, CodeServer, code_server
from tests.e2e.stage import Cell, Member, Stage, true, until

from luciole import contacts_console
from luciole.cell.contacts.rotating import Rotating
from luciole.config import BorderSettings, ContactsSettings
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.parts import Parts

# Nobody in any cell has these; only the address book has.
CANARIES = [
    *(f"+3367{number:07}" for number in range(5_550_100, 5_550_112)),
    *(f"canary.{word}@address-book.example" for word in ("wren", "finch", "linnet")),
]
BEN, CLEO = "+33612340001", "cleo.present@address-book.example"
WORDS = ("+", "", "phone:", "phone:+", "email:", "00")
HASHES = ("md5", "sha1", "sha256", "sha512")


@dataclass
class Pair:
    """`us`, where people live, and `sg`, which has the other half of its key."""

    us: border.Cell
    sg: border.Cell
    codes: CodeServer
    pages: Cell
    seen: list[bytes] = field(default_factory=list)
    """Every request and answer of every page."""

    async def verified(self, word: str, kind: str, address: str, *, is_found: bool) -> Member:
        member = await self.pages.member(word)
        for call in (
            member.api.put(f"/api/me/contacts/{kind}", json={"value": address}),
            member.api.post(f"/api/contacts/{kind}/code"),
        ):
            answer = await call
            assert answer.status_code < 300, answer.text
        code = self.codes.newest(address)
        answer = await member.api.put(f"/api/contacts/{kind}/code", json={"code": code})
        assert answer.status_code == 204, answer.text
        if is_found:
            answer = await member.api.put(f"/api/contacts/{kind}/findable")
            assert answer.status_code == 204, answer.text
        return member


class _Cell(border.Cell):
    """With what contact discovery needs."""

    def environment(self) -> dict[str, str]:
        found = self.settings.border
        return {
            **super().environment(),
            "LUCIOLE_BORDER_CODES_URL": found.codes_url,
            "LUCIOLE_BORDER_CODES_SECRET_FILE": found.codes_secret_file,
            "LUCIOLE_CONTACTS_PEER": self.settings.contacts.peer,
            "LUCIOLE_PEOPLE_SIGN_UPS_PER_HOUR": "100000",
        }


def _made(folder: Path, name: str, codes_url: str = "", secret: str = "", peer: str = "") -> _Cell:
    plain = border.cell_in(folder, name)
    settings = msgspec.structs.replace(
        plain.settings,
        border=msgspec.structs.replace(
            plain.settings.border, codes_url=codes_url, codes_secret_file=secret
        ),
        contacts=ContactsSettings(peer=peer),
    )
    assert isinstance(settings.border, BorderSettings)
    return _Cell(name, settings)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    folder = tmp_path_factory.mktemp("find")
    secret = folder / "secret"
    secret.write_text(SECRET)
    with code_server() as codes:
        us = _made(folder, "us", codes.url, str(secret), "sg")
        sg = _made(folder, "sg")
        with border.running(us, sg):
            await border.peered(us, sg)
            pages = Cell(f"http://localhost:{us.settings.web.port}", us.settings.data)
            made = Pair(us, sg, codes, pages)
            yield made
            await pages.close()
            assert codes.faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def finder(pair: Pair, browser: Browser) -> AsyncIterator[Stage]:
    made = Stage(pair.pages, browser)
    yield made
    await made.close()


def watched(pair: Pair, page: Page) -> None:
    """Keeps every request and answer of a page."""

    async def keep(answer: Response) -> None:
        with contextlib.suppress(Exception):
            pair.seen.append(await answer.body())

    page.on(
        "request",
        lambda asked: pair.seen.append(
            asked.url.encode() + str(asked.headers).encode() + (asked.post_data_buffer or b"")
        ),
    )
    page.on("response", keep)


# --- looking for canaries ----------------------------------------------------------------------


def forms(address: str) -> Iterator[bytes]:
    """An address in the clear and under every hash, as bytes, hex and base64."""
    bare = address.removeprefix("+")
    yield bare.encode()
    for word in WORDS:
        text = f"{word}{bare}".encode()
        for name in HASHES:
            digest = hashlib.new(name, text).digest()
            yield digest
            yield digest.hex().encode()
            yield digest.hex().upper().encode()
            yield base64.b64encode(digest).rstrip(b"=")
            yield base64.urlsafe_b64encode(digest).rstrip(b"=")


class Search:
    """All forms of some addresses at once: where three bytes begin one, the rest is compared."""

    def __init__(self, addresses: list[str]) -> None:
        self._by_start: dict[bytes, list[tuple[bytes, str]]] = {}
        for one in addresses:
            for form in forms(one):
                self._by_start.setdefault(form[:3], []).append((form, one))
        self._begins = np.zeros(1 << 24, bool)
        for start in self._by_start:
            self._begins[int.from_bytes(start, "big")] = True

    def of(self, content: bytes) -> list[str]:
        if len(content) < 3:
            return []
        there = np.frombuffer(content, np.uint8).astype(np.uint32)
        starts = (there[:-2] << 16) | (there[1:-1] << 8) | there[2:]
        found = set()
        for at in np.flatnonzero(self._begins[starts]).tolist():
            for form, one in self._by_start[content[at : at + 3]]:
                if content.startswith(form, at):
                    found.add(one)
        return sorted(found)


def found_in(content: bytes, addresses: list[str]) -> list[str]:
    return Search(addresses).of(content)


def leaks(folder: Path, addresses: list[str]) -> dict[str, list[str]]:
    """Which of these addresses are in which files below a folder: database, its log, objects,
    logs, keys, the trustee's file."""
    found, search = {}, Search(addresses)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_socket():
            with contextlib.suppress(OSError):
                if there := search.of(path.read_bytes()):
                    found[str(path.relative_to(folder))] = there
    return found


async def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "segment").write_bytes(
        b"\0" * 9 + hashlib.sha256(b"+33675550103").digest() + b"\0"
    )
    (tmp_path / "log").write_text("looked for 33675550104")
    assert leaks(tmp_path, CANARIES) == {
        "log": ["+33675550104"],
        "pg/segment": ["+33675550103"],
    }


# --- the page ----------------------------------------------------------------------------------


async def see(page: Page, name: str) -> None:
    """A picture, where somebody wants to look at it."""
    if folder := os.environ.get("LUCIOLE_PICTURES"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def test_people_are_found_and_nothing_of_the_address_book_is_anywhere(
    pair: Pair, finder: Stage
) -> None:
    ben = await pair.verified("ben", "phone", BEN, is_found=True)
    cleo = await pair.verified("cleo", "email", CLEO, is_found=True)
    await pair.verified("shy", "phone", "+33612340002", is_found=False)
    ana = await pair.pages.member("ana")
    page = await finder.phone(ana, "/search")
    watched(pair, page)
    await page.get_by_test_id("to-find").click()
    await expect(page.get_by_test_id("own-phone")).to_be_visible()
    await see(page, "find-1-start")
    await page.get_by_test_id("own-address-phone").fill("+33 6 12 34 00 09")
    await page.get_by_test_id("send-code-phone").click()
    await expect(page.get_by_test_id("code-phone")).to_be_visible()
    await see(page, "find-2-code")
    await page.get_by_test_id("code-phone").fill(pair.codes.newest("+33612340009"))
    await page.get_by_test_id("verify-phone").click()
    await expect(page.get_by_test_id("own-phone")).to_have_attribute("data-state", "verified")
    await page.get_by_test_id("findable-phone").check()
    await expect(page.get_by_test_id("own-phone")).to_have_attribute("data-state", "findable")

    book = [f"Canary {i}, {address}" for i, address in enumerate(CANARIES)]
    book += [f"Ben from school; {BEN}", "Shy, 06 12 34 00 02"]
    await expect(page.get_by_test_id("calling-code")).to_have_value("+33")
    await page.get_by_test_id("contact-text").fill("\n".join(book))
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Cleo\r\nEMAIL:{CLEO.upper()}\r\nEND:VCARD\r\n"
    await page.get_by_test_id("contact-file").set_input_files(
        {"name": "all.vcf", "mimeType": "text/vcard", "buffer": card.encode()}
    )
    count = str(len(CANARIES) + 3)
    await expect(page.get_by_test_id("understood")).to_have_attribute("data-count", count)
    await page.get_by_test_id("look").click()
    matches = page.get_by_test_id("match")
    await expect(matches).to_have_count(2)
    handles = {await matches.nth(i).get_attribute("data-handle") for i in range(2)}
    assert handles == {ben.handle, cleo.handle}
    await expect(page.get_by_test_id("matches")).to_contain_text("Ben from school")
    await expect(page.get_by_test_id("left")).to_have_attribute("data-left", str(1000 - int(count)))
    await see(page, "find-3-found")

    # Once more costs nothing: this browser keeps the values, sealed.
    await page.get_by_test_id("look").click()
    await true(page, "!document.querySelector('[data-testid=look]').disabled")
    await expect(page.get_by_test_id("left")).to_have_attribute("data-left", str(1000 - int(count)))
    await matches.filter(has_text="Ben from school").get_by_test_id("follow").click()
    await until_follows(ana, ben)

    # --- and nothing of it is anywhere: both cells, everything that went over the wire.
    everybody = [*CANARIES, BEN, CLEO.lower()]
    assert len(pair.seen) > 20
    sent = b"\n".join(pair.seen)
    assert found_in(sent, everybody) == []
    owner = await pair.us.owner()
    # A commit that waits for the disk brings all that was written before it there.
    await owner.execute("SET synchronous_commit TO on")
    await owner.execute("CREATE TEMPORARY TABLE flushed ()")
    assert any("pg_wal" in place for place in leaks(pair.us.settings.data, [ben.handle]))
    for cell in (pair.us, pair.sg):
        assert leaks(cell.settings.data, CANARIES) == {}
    # Not even those who live here are anywhere in the clear; `sg` knows nobody.
    assert leaks(pair.us.settings.data, [BEN, CLEO]) == {}
    assert leaks(pair.sg.settings.data, [BEN, CLEO, ben.handle]) == {}
    await pair.us.close()


async def until_follows(ana: Member, ben: Member) -> None:
    async def look() -> bool:
        answer = await ana.api.get(f"/api/people/{ana.handle}/following")
        return ben.handle in [one["handle"] for one in answer.json()["items"]]

    await until(look)


async def test_the_worker_speaks_to_nobody_and_the_page_runs_no_webassembly(
    pair: Pair, finder: Stage
) -> None:
    page = await finder.phone(await pair.pages.member("eve"), "/find")
    await expect(page.get_by_test_id("own-phone")).to_be_visible()
    policy = (await page.request.get("/")).headers["content-security-policy"]
    assert "wasm" not in policy
    assets = Path(__file__).parents[2] / "web" / "dist" / "assets"
    (worker,) = assets.glob("finder-*.js")
    told = await page.request.get(f"/assets/{worker.name}")
    said = told.headers["content-security-policy"]
    assert said == "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"


async def test_an_answer_that_is_not_proved_is_refused_by_the_page(
    pair: Pair, finder: Stage
) -> None:
    member = await pair.verified("fay", "phone", "+33612340005", is_found=False)
    page = await finder.phone(member, "/find")

    async def swapped(route: Route) -> None:
        answer = await route.fetch()
        body = bytearray(await answer.body())
        # Two answers of the other cell, one in the place of the other.
        size = (len(body) - 128) // 2
        at = size + 64
        body[at : at + 64] = body[at + 32 : at + 64] + body[at : at + 32]
        await route.fulfill(response=answer, body=bytes(body))

    await page.route("**/api/contacts/points*", swapped)
    await page.get_by_test_id("contact-text").fill(f"{BEN}\n+33612340006")
    await page.get_by_test_id("look").click()
    await expect(page.get_by_text("did not prove")).to_be_visible()
    await expect(page.get_by_test_id("match")).to_have_count(0)


async def test_the_key_is_changed_in_both_cells_and_an_open_page_finds_on(
    pair: Pair, finder: Stage
) -> None:
    ivy = await pair.verified("ivy", "phone", "+33612340011", is_found=True)
    hal = await pair.verified("hal", "phone", "+33612340012", is_found=False)
    page = await finder.phone(hal, "/find")
    await page.get_by_test_id("contact-text").fill("+33612340011")
    match = page.get_by_test_id("match")
    for left in (999, 998):
        await page.get_by_test_id("look").click()
        await expect(match).to_have_attribute("data-handle", ivy.handle)
        await expect(page.get_by_test_id("left")).to_have_attribute("data-left", str(left))
        if left == 998:
            break
        before = (await hal.api.get("/api/contacts/")).json()
        owner = await pair.us.owner()
        async with owner.transaction():
            await contacts_console.done(pair.us.settings, owner, "rotate", Clock())
        # The worker's next minute, by its own lines to the broker and to the gateway.
        database = await Database.open(await pair.us.url(), size=4)
        parts = Parts.over(pair.us.settings, database, process="worker")
        await Rotating(database, parts.people, parts.discovery, Clock(), 180).turn()
        await parts.outward.close()
        await database.close()
    after = (await hal.api.get("/api/contacts/")).json()
    assert not set(before["keys"]) & set(after["keys"])

    async def is_told() -> bool:
        said = [one for one in await pair.us.entries("decisions") if one["kind"] == "contacts-key"]
        return [one["keys"] for one in said] == [after["keys"]]

    await until(is_told)
    file = pair.sg.settings.trustee_dir / "lookups.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as there:
        assert there.execute("SELECT number FROM round").fetchall() == [(after["round"],)]
        assert there.execute("SELECT number FROM oldest").fetchall() == [(after["round"],)]


async def test_alone_the_page_says_why_it_is_not_offered(stage: Stage, cell: Cell) -> None:
    page = await stage.phone(await cell.member("ana"), "/find")
    await expect(page.get_by_test_id("find-not-offered")).to_contain_text("two cells hold half")
    await see(page, "find-4-alone")


async def test_in_french(pair: Pair, finder: Stage) -> None:
    member = await pair.verified("gil", "phone", "+33612340007", is_found=False)
    await member.patch(locale="fr")
    page = await finder.phone(member, "/find", locale="fr-FR")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Trouver vos connaissances")
    await page.locator("summary").click()
    await see(page, "find-5-french")
