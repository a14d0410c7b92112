"""The logs over HTTP, and cosignatures that witnesses hand in by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from tests.ledger.house import House, person

from luciole import ledger_pages
from luciole.kit import web
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.policy import Policy
from luciole.ledger.sequencer import Sequencer


class Outside:
    """A log whose policy wants a witness that nobody can call."""

    def __init__(self, house: House, client: httpx.AsyncClient) -> None:
        self.house, self.client = house, client
        self.house.near.is_away = True

    async def begin(self) -> Sequencer:
        house = self.house
        lines = [f"log {house.signer.verifier}"]
        for name, signer in zip(("out", "out-pq"), house.cosigners, strict=True):
            lines.append(f"witness {name} {signer.verifier}")
        written = "".join(f"{line}\n" for line in [*lines, "quorum out"]).encode()
        await house.blobs.put("ledger/policy", written)
        sequencer = house.sequencer(policy=Policy.parse(written), patience_s=0.01)
        await house.put(*[person() for _ in range(300)])
        await sequencer.round()
        return sequencer

    async def pending(self) -> str:
        return (await self.client.get("/ledger/access/pending")).text

    def lines(self, note: str, which: slice = slice(None)) -> str:
        text = Note.parse(note).text
        return "".join(signer.line(text, 7) for signer in self.house.cosigners[which])

    async def hand_in(self, body: str) -> httpx.Response:
        return await self.client.post("/ledger/access/cosignature", content=body.encode())


@pytest_asyncio.fixture(loop_scope="session")
async def outside(house: House) -> AsyncIterator[Outside]:
    app = web.application(
        [ledger_pages.routes(house.api, house.blobs)],
        title="Luciole",
        version="0",
        max_body_bytes=1_000_000,
    )
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://cell.example") as client:
        yield Outside(house, client)


async def test_log_is_served_as_its_archive_has_it(outside: Outside) -> None:
    await outside.begin()
    for path in outside.house.folder.rglob("*"):
        if path.is_file() and "#" not in path.name:
            name = path.relative_to(outside.house.folder).as_posix()
            answer = await outside.client.get(f"/ledger/access/{name}")
            assert answer.content == path.read_bytes(), name


async def test_tiles_are_kept_for_ever_and_heads_never(outside: Outside) -> None:
    await outside.begin()
    tile = await outside.client.get("/ledger/access/tile/0/000")
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert tile.headers["content-type"] == "application/octet-stream"
    assert len(tile.content) == 8192
    for name in ("access/pending", "policy"):
        head = await outside.client.get(f"/ledger/{name}")
        assert head.headers["cache-control"] == "no-store"
        assert head.headers["content-type"] == "text/plain; charset=utf-8"
    for answer in (tile, head):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_partial_tile_that_is_gone_is_cut_from_the_full_one(outside: Outside) -> None:
    await outside.begin()
    cut = await outside.client.get("/ledger/access/tile/0/000.p/7")
    whole = await outside.client.get("/ledger/access/tile/0/000")
    assert cut.content == whole.content[:224]
    cut = await outside.client.get("/ledger/access/tile/entries/000.p/7")
    whole = await outside.client.get("/ledger/access/tile/entries/000")
    assert cut.content == whole.content[: 7 * 73]


@pytest.mark.parametrize(
    "path",
    [
        "access/tile/0/999",
        "access/tile/0/000.p/256",
        "access/tile/0/0",
        "access/tile/64/000",
        "access/tile/entries/../pending",
        "access/tile/0/001.p/45",
        "gossip/checkpoint",
        "gossip/tile/0/000",
        "border/checkpoint",
        "access/checkpoint",
    ],
)
async def test_what_is_not_there_is_404_in_words(outside: Outside, path: str) -> None:
    await outside.begin()
    answer = await outside.client.get(f"/ledger/{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("no-such-tile", "not-found")


async def test_cell_without_a_policy_says_so(outside: Outside) -> None:
    assert (await outside.client.get("/ledger/policy")).status_code == 404
    assert (await outside.hand_in("x\n")).status_code == 404


# Cosignatures


async def test_head_is_published_once_its_witness_has_come(outside: Outside) -> None:
    sequencer = await outside.begin()
    assert (await outside.client.get("/ledger/access/checkpoint")).status_code == 404
    note = await outside.pending()
    text = Note.parse(note).text
    lines = outside.lines(note)
    answer = await outside.hand_in(f"{text}\n{lines}")
    assert answer.status_code == 204, answer.text
    await sequencer.round()
    published = (await outside.client.get("/ledger/access/checkpoint")).text
    assert published.startswith(note)
    assert sorted(published.splitlines()) == sorted((note + lines).splitlines())


async def test_lines_alone_are_for_the_newest_head(outside: Outside) -> None:
    sequencer = await outside.begin()
    assert (await outside.hand_in(outside.lines(await outside.pending()))).status_code == 204
    await sequencer.round()
    assert len(outside.house.published()) == 300


async def test_later_cosignature_of_an_older_head_counts(outside: Outside) -> None:
    """The log goes on while a witness looks."""
    sequencer = await outside.begin()
    seen = await outside.pending()
    await outside.house.put(person())
    await sequencer.round()
    newest = await outside.pending()
    assert newest != seen
    assert len(outside.house.policy.witnesses) == 2
    await outside.hand_in(f"{Note.parse(seen).text}\n{outside.lines(seen)}")
    await sequencer.round()
    assert len(outside.house.published()) == 300
    await outside.hand_in(f"{Note.parse(newest).text}\n{outside.lines(newest)}")
    await sequencer.round()
    assert len(outside.house.published()) == 301


async def test_published_head_gains_cosignatures_and_loses_none(outside: Outside) -> None:
    sequencer = await outside.begin()
    note = await outside.pending()
    await outside.hand_in(outside.lines(note, slice(1)))
    await sequencer.round()
    few = (await outside.client.get("/ledger/access/checkpoint")).text
    await outside.hand_in(outside.lines(note, slice(1, None)))
    await sequencer.round()
    more = (await outside.client.get("/ledger/access/checkpoint")).text
    assert set(few.splitlines()) < set(more.splitlines())
    # A database that has forgotten one of them takes none away.
    await outside.house.owner.execute("DELETE FROM ledger.cosignature WHERE length(line) > 1000")
    sequencer.forget()
    await sequencer.round()
    assert (await outside.client.get("/ledger/access/checkpoint")).text == more


@pytest.mark.parametrize(
    "flaw", ["nothing", "nonsense", "unknown key", "other head", "never signed", "log's own"]
)
async def test_word_that_counts_for_nothing_is_refused(outside: Outside, flaw: str) -> None:
    await outside.begin()
    note = await outside.pending()
    text, lines = Note.parse(note).text, outside.lines(note)
    never = str(Checkpoint(outside.house.signer.verifier.name, 7, bytes(32)))
    body = {
        "nothing": "",
        "nonsense": f"{text}\nno lines\n",
        "unknown key": f"{text}\n{lines.replace('near', 'nigh')}",
        "other head": f"{text.replace('300', '299')}\n{lines}",
        "never signed": f"{never}\n{outside.lines(f'{never}{chr(10)}{lines}')}",
        "log's own": note,
    }[flaw]
    answer = await outside.hand_in(body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "no-cosignature"
    assert await outside.house.rows("SELECT * FROM ledger.cosignature") == []


async def test_too_much_is_refused(outside: Outside) -> None:
    await outside.begin()
    assert (await outside.hand_in("x" * 40_000)).status_code == 413
    assert (await outside.hand_in("x\n" * 17)).status_code == 413
    answer = await outside.client.post("/ledger/gossip/cosignature", content=b"")
    assert answer.status_code == 404


async def test_heads_of_long_ago_are_forgotten(outside: Outside) -> None:
    house = outside.house
    house.near.is_away = False
    sequencer = house.sequencer()
    for size in range(1, 5):
        await house.put(person())
        await sequencer.round()
        made_at = "UPDATE ledger.checkpoint SET made_at = $1 WHERE size = $2"
        await house.owner.execute(made_at, house.clock.now(), size)
        house.later(minutes=6)
    assert await house.rows("SELECT size FROM ledger.checkpoint ORDER BY size") == [(3,), (4,)]
