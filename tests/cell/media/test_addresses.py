"""Who gets which bytes: ranges, validators, signatures, audiences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.cell.media.support import Cell, Person, refused
from tests.cell.once import Once

from luciole.cell.media import fence

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


@pytest.fixture(autouse=True)
def made_once(once: Once, monkeypatch: pytest.MonkeyPatch) -> None:
    once.stand_in(monkeypatch)


@pytest_asyncio.fixture(loop_scope="session")
async def public(cell: Cell, ana: Person, small_film: bytes) -> Any:
    return await cell.playable(ana, small_film)


@pytest_asyncio.fixture(loop_scope="session")
async def private(cell: Cell, ana: Person, small_film: bytes) -> Any:
    return await cell.playable(ana, small_film, is_public=False)


def key_of(found: Any) -> str:
    return str(found["renditions"][0]["key"])


async def test_public_file_is_whole_cacheable_and_harmless(cell: Cell, public: Any) -> None:
    answer = await cell.visitor().get(f"/media/{key_of(public)}")
    assert answer.status_code == 200
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_head_tells_what_get_would(cell: Cell, public: Any) -> None:
    visitor = cell.visitor()
    url = f"/media/{key_of(public)}"
    told, got = await visitor.head(url), await visitor.get(url)
    assert told.status_code == 200
    assert told.content == b""
    for name in ("content-length", "content-type", "etag", "accept-ranges"):
        assert told.headers[name] == got.headers[name]


async def test_ranges(cell: Cell, public: Any) -> None:
    visitor = cell.visitor()
    url = f"/media/{key_of(public)}"
    whole = (await visitor.get(url)).content
    size = len(whole)
    for header, start, end in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-50", size - 50, size),
        (f"bytes=10-{size * 2}", 10, size),
    ):
        answer = await visitor.get(url, headers={"range": header})
        assert answer.status_code == 206
        assert answer.content == whole[start:end]
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert answer.headers["content-length"] == str(end - start)
    answer = await visitor.get(url, headers={"range": f"bytes={size}-"})
    refused(answer, 416, "range-outside")
    assert answer.headers["content-range"] == f"bytes */{size}"
    for ignored in ("bytes=0-1,3-4", "lines=1-2", "bytes=z"):
        assert (await visitor.get(url, headers={"range": ignored})).content == whole


async def test_validators(cell: Cell, public: Any) -> None:
    visitor = cell.visitor()
    url = f"/media/{key_of(public)}"
    etag = (await visitor.get(url)).headers["etag"]
    answer = await visitor.get(url, headers={"if-none-match": f'"x", W/{etag}'})
    assert answer.status_code == 304
    assert answer.content == b""
    same = await visitor.get(url, headers={"range": "bytes=0-0", "if-range": etag})
    assert same.status_code == 206
    other = await visitor.get(url, headers={"range": "bytes=0-0", "if-range": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "p/none/540-1.mp4",
        "p/",
        "x",
        "r/none/540-1.mp4",
        "uploads/x/0-y",
        "p/../uploads/x",
        "p/%2e%2e/x",
        "q/" + "a" * 300,
        "p/%00/x",
        "p/é/x",
    ],
)
async def test_other_keys_do_not_exist(cell: Cell, public: Any, key: str) -> None:
    await cell.blobs.put("uploads/x/0-y", b"somebody's raw upload")
    answer = await cell.visitor().get(f"/media/{key}")
    assert answer.status_code == 404, answer.text


async def test_restricted_file_needs_a_signature_for_this_session(
    cell: Cell, ana: Person, private: Any
) -> None:
    key = key_of(private)
    assert key.startswith("r/")
    url = cell.media.url(key, ana.session_id)
    answer = await ana.get(url)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert (await ana.get(url, headers={"range": "bytes=0-9"})).status_code == 206

    refused(await ana.get(f"/media/{key}"), 404, "no-such-file")
    refused(await ana.get(url[:-1] + ("A" if url[-1] != "A" else "B")), 404, "no-such-file")
    refused(await ana.get(url.replace("exp=1", "exp=2")), 404, "no-such-file")
    other_session = await cell.sign_in(ana.person_id)
    refused(await other_session.get(url), 404, "no-such-file")
    refused(await cell.visitor().get(url), 404, "no-such-file")
    refused(await (await cell.person()).get(url), 404, "no-such-file")
    public_form = url.replace("/media/r/", "/media/p/")
    refused(await ana.get(public_form), 404, "no-such-file")


async def test_signed_address_ends(cell: Cell, ana: Person, private: Any) -> None:
    url = cell.media.url(key_of(private), ana.session_id)
    cell.clock.advance(timedelta(seconds=299))
    assert (await ana.get(url)).status_code == 200
    cell.clock.advance(timedelta(seconds=2))
    refused(await ana.get(url), 403, "link-expired")


@pytest.mark.parametrize("query", ["exp=x&sig=y", "exp=-1&sig=", "exp=99999999999999999999&sig=a"])
async def test_malformed_signature_is_refused(
    cell: Cell, ana: Person, private: Any, query: str
) -> None:
    answer = await ana.get(f"/media/{key_of(private)}?{query}")
    assert answer.status_code in (400, 404)


async def test_narrowing_kills_the_public_address_at_once(
    cell: Cell, ana: Person, public: Any
) -> None:
    old = key_of(public)
    async with cell.db.tx() as tx:
        await cell.media.narrow(tx, public["asset_id"])
    refused(await cell.visitor().get(f"/media/{old}"), 404, "no-such-file")
    assert (await cell.visitor().get(f"/media/{public['poster_key']}")).status_code == 404
    new = key_of(await cell.look(public["asset_id"]))
    assert new.startswith("r/")
    assert new.split("/")[1] != old.split("/")[1]
    url = cell.media.url(new, ana.session_id)
    assert (await ana.get(url)).status_code == 200, "plays before the objects are renamed"
    await cell.work()
    assert (await ana.get(url)).status_code == 200
    assert await cell.referred() == {key for key in await cell.referred() if key.startswith("r/")}
    await cell.sweep()
    assert await cell.objects() == await cell.referred()


async def test_narrowing_again_kills_signed_addresses(
    cell: Cell, ana: Person, private: Any
) -> None:
    url = cell.media.url(key_of(private), ana.session_id)
    async with cell.db.tx() as tx:
        await cell.media.narrow(tx, private["asset_id"])
    refused(await ana.get(url), 404, "no-such-file")


async def test_widening_gives_a_public_address(cell: Cell, private: Any) -> None:
    async with cell.db.tx() as tx:
        await cell.media.widen(tx, private["asset_id"])
        await cell.media.widen(tx, uuid4())
    await cell.work()
    key = key_of(await cell.look(private["asset_id"]))
    assert key.startswith("p/")
    assert (await cell.visitor().get(f"/media/{key}")).status_code == 200
    await cell.sweep()
    assert await cell.objects() == await cell.referred()


async def test_audience_changed_while_it_is_made(
    cell: Cell, ana: Person, small_film: bytes
) -> None:
    asset_id = await cell.begin(ana, small_film)
    from luciole.cell.media.shelf import Shelf

    original = Shelf.put

    async def put(self: Any, *args: Any) -> None:
        await original(self, *args)
        async with cell.db.tx() as tx:
            await cell.media.narrow(tx, asset_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "put", put)
        await cell.work()
    await cell.work()
    found = await cell.look(asset_id)
    url = cell.media.url(key_of(found), ana.session_id)
    assert (await ana.get(url)).status_code == 200
    await cell.sweep()
    assert {key[:2] for key in await cell.objects()} == {"r/"}


async def test_avatars_are_served(cell: Cell, ana: Person) -> None:
    from tests.cell.media.test_avatar import png

    made = await cell.make_avatar(png())
    await cell.blobs.put("p/token/avatar.webp", made)
    refused(await cell.visitor().get("/media/p/token/avatar.webp"), 404, "no-such-file")
    async with cell.db.tx() as tx:
        await cell.people.set_avatar(tx, ana.person_id, "p/token/avatar.webp")
    answer = await cell.visitor().get("/media/p/token/avatar.webp")
    assert answer.content == made
    assert answer.headers["content-type"] == "image/webp"
