"""A cell and another implementation, Fedify, over HTTP, both ways: it finds, follows, likes and
answers, and verifies what it is told."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.border import fedify_peer
from tests.border.conftest import Cell, cell_in, running, until
from tests.border.fedify_peer import Fedify

from luciole.kit.ids import new_id

pytestmark = [pytest.mark.xdist_group("fedify"), pytest.mark.timeout(400)]
PERSONA = UUID("0199c0de-0000-7000-8000-00000000000a")
CLIP = UUID("0199c0de-0000-7000-8000-00000000000c")
PUT = (
    """INSERT INTO people.person (id, handle, display_name, bio, locale, age_band, is_private,
        created_at) VALUES ($1, 'ana', 'Ana', 'Herons', 'en', '18+', false, now())""",
    "INSERT INTO abroad.persona (person_id, id, made_at) VALUES ($1, $2, now())",
    """INSERT INTO abroad.consent (id, person_id, act, text_version, text_sha256, locale, operator,
        jurisdiction, peers, given_at)
        VALUES ($2, $1, 'fediverse', 1, sha256(''), 'en', $3, $4, '[]', now())""",
)
ASSET = """
INSERT INTO media.asset (id, owner_id, state, token, duration_ms, width, height, has_audio,
    is_public, created_at, changed_at, trim_start_ms, cover_ms)
VALUES ($1, $2, 'complete', 'token', 1500, 540, 960, false, true, now(), now(), 0, 0)
"""
FILE = """
INSERT INTO media.file (asset_id, kind, name, filename, object_key, mime, width, height,
    bitrate_bps, size_bytes)
VALUES ($1, 'rendition', '540p', '540p.mp4', 'p/a/540p.mp4', 'video/mp4', 540, 960, 1, 9)
"""
CLIP_OF = """
INSERT INTO clips.clip (id, author_id, asset_id, caption, audience, state, published_at)
VALUES ($1, $2, $3, 'Low tide #herons', 'everyone', 'published', now())
"""
REACH = """
INSERT INTO abroad.reach (clip_id, person_id, reach, chosen_at)
VALUES ($1, $2, 'fediverse', now())
"""


@dataclass
class ReadOut(Cell):
    """A cell whose authors may ask to be shown to the Fediverse."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "LUCIOLE_BORDER_FEDIVERSE": "open"}

    @property
    def ana(self) -> str:
        return f"{self.origin}/ap/people/{PERSONA}"

    @property
    def clip(self) -> str:
        return f"{self.origin}/ap/clips/{CLIP}"


@dataclass
class Both:
    """A cell in which Ana shows a clip, and a Fedify."""

    cell: ReadOut
    fedify: Fedify

    async def ask(self, what: str, **said: Any) -> Any:
        return await asyncio.to_thread(self.fedify.ask, what, **said)

    async def heard(self, kind: str) -> tuple[dict[str, Any], list[str]]:
        """The next activity of a kind that Fedify took, and by which signatures it came."""
        arrived: list[str] = []

        async def there() -> Any:
            found = await self.ask("heard")
            arrived.extend(found["arrived"])
            return [one["document"] for one in found["heard"] if one["kind"] == kind]

        return (await until(there))[0], arrived

    async def unfollow(self, follow: str) -> None:
        """Takes it back, and waits until the cell has heard: a late word would end the next one."""
        await self.ask("unfollow", to=self.cell.ana, id=follow)

        async def gone() -> bool:
            return await self.cell.rows("SELECT 1 FROM border.fedi_follower") == []

        await until(gone)

    async def counted(self, kind: str) -> int:
        sql = "SELECT count(*) FROM border.fedi_reaction WHERE kind = $1"
        return int((await self.cell.rows(sql, kind))[0][0])


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - on this machine
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


async def seed(cell: ReadOut) -> None:
    """Ana, who has asked to be shown, and a clip of hers; as the database has them."""
    owner, ana, asset = await cell.owner(), new_id(), new_id()
    terms = cell.settings.cell.operator, cell.settings.cell.jurisdiction
    await owner.execute(PUT[0], ana)
    await owner.execute(PUT[1], ana, PERSONA)
    await owner.execute(PUT[2], ana, new_id(), *terms)
    await owner.execute(ASSET, asset, ana)
    await owner.execute(FILE, asset)
    await owner.execute(CLIP_OF, CLIP, ana, asset)
    await owner.execute(REACH, CLIP, ana)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ReadOut, Fedify]]:
    if why := fedify_peer.find_or_install():
        pytest.skip(f"No other implementation to speak with. {why}")
    cell = ReadOut(**vars(cell_in(tmp_path_factory.mktemp("cell"), "us")))
    with running(cell), Fedify() as fedify:
        asyncio.run(_seeded(cell))
        yield cell, fedify


async def _seeded(cell: ReadOut) -> None:
    await seed(cell)
    await cell.close()


@pytest_asyncio.fixture
async def both(started: tuple[ReadOut, Fedify]) -> AsyncIterator[Both]:
    cell, fedify = started
    await asyncio.to_thread(fedify.ask, "set", refusesNew=False, isOld=False)
    owner = await cell.owner()
    await owner.execute("UPDATE clips.clip SET audience = 'everyone' WHERE id = $1", CLIP)
    await owner.execute("DELETE FROM border.fedi_follower")

    async def is_shown() -> bool:
        shown = await cell.rows("SELECT 1 FROM border.fedi_shown WHERE id = $1", CLIP)
        waiting = "SELECT 1 FROM border.fedi_stale UNION SELECT 1 FROM border.fedi_delivery"
        return shown != [] and await cell.rows(waiting) == []

    await until(is_shown)
    for table in ("fedi_server", "fedi_reaction"):
        await owner.execute(f"DELETE FROM border.{table}")
    await asyncio.to_thread(fedify.ask, "heard")
    yield Both(cell, fedify)
    await cell.close()


async def test_fedify_finds_an_author_and_reads_a_clip(both: Both) -> None:
    person = await both.ask("look", uri=both.cell.ana)
    assert (person["type"], person["preferredUsername"]) == ("Person", "ana")
    assert person["publicKey"]["owner"] == both.cell.ana
    assert person["assertionMethod"][0]["type"] == "Multikey"
    found = await both.ask("webfinger", resource=both.cell.ana)
    assert found["links"][0]["href"] == both.cell.ana
    note = await both.ask("look", uri=both.cell.clip)
    assert (note["type"], note["attributedTo"]) == ("Note", both.cell.ana)
    assert note["attachment"][0]["mediaType"] == "video/mp4"
    assert note["attachment"][0]["url"].endswith("/540p.mp4")
    for actor, kind in (("cell", "Application"), ("reader", "Person")):
        assert (await both.ask("look", uri=f"{both.cell.origin}/ap/{actor}"))["type"] == kind


@pytest.mark.parametrize("is_old", [False, True])
async def test_fedify_follows_and_is_accepted(both: Both, is_old: bool) -> None:
    """Signed by RFC 9421, and by the older signatures."""
    await both.ask("set", isOld=is_old)
    follow = (await both.ask("follow", to=both.cell.ana))["id"]
    accept, arrived = await both.heard("Accept")
    assert accept["actor"] == both.cell.ana
    assert accept["object"]["id"] == follow
    assert arrived == ["rfc9421"]
    followers = "SELECT actor FROM border.fedi_follower"
    assert await both.cell.rows(followers) == [(both.fedify.bob,)]
    await both.unfollow(follow)
    assert await both.cell.rows(followers) == []


@pytest.mark.parametrize("refuses_new", [False, True])
async def test_fedify_is_told_of_changes_and_verifies_them(both: Both, refuses_new: bool) -> None:
    """By RFC 9421; where that is refused, by the older signatures."""
    await both.ask("set", refusesNew=refuses_new)
    follow = (await both.ask("follow", to=both.cell.ana))["id"]
    _, arrived = await both.heard("Accept")
    # Where Bob's keys had to be asked for, that was already found out then.
    assert arrived in ([["rfc9421", "cavage"], ["cavage"]] if refuses_new else [["rfc9421"]])
    caption = f"High tide {refuses_new}"
    owner = await both.cell.owner()
    await owner.execute("UPDATE clips.clip SET caption = $2 WHERE id = $1", CLIP, caption)
    updated, arrived = await both.heard("Update")
    assert updated["object"]["content"] == f"<p>{caption}</p>"
    assert updated["actor"] == both.cell.ana
    # How it has to be signed was found out once.
    assert arrived == (["cavage"] if refuses_new else ["rfc9421"])
    # One at once after it, which is another one and not the same again.
    await owner.execute("UPDATE clips.clip SET caption = $2 WHERE id = $1", CLIP, f"{caption}!")
    updated, _ = await both.heard("Update")
    assert updated["object"]["content"] == f"<p>{caption}!</p>"
    await owner.execute("UPDATE people.person SET bio = $1 WHERE handle = 'ana'", caption)
    updated, _ = await both.heard("Update")
    assert updated["object"]["summary"] == f"<p>{caption}</p>"
    await both.unfollow(follow)


@pytest.mark.parametrize("is_old", [False, True])
async def test_likes_shares_and_answers_of_fedify_are_counted(both: Both, is_old: bool) -> None:
    await both.ask("set", isOld=is_old)
    for what in ("like", "announce"):
        await both.ask(what, to=both.cell.ana, object=both.cell.clip)
    await both.ask("answer", to=both.cell.ana, object=both.cell.clip, content="Nice birds")

    async def there() -> bool:
        counts = [await both.counted(kind) for kind in ("like", "share", "answer")]
        return counts == [1, 1, 1]

    await until(there)


async def test_clip_that_is_taken_back_is_gone_for_fedify(both: Both) -> None:
    await both.ask("follow", to=both.cell.ana)
    await both.heard("Accept")
    owner = await both.cell.owner()
    await owner.execute("UPDATE clips.clip SET audience = 'friends' WHERE id = $1", CLIP)
    deleted, _ = await both.heard("Delete")
    assert deleted["object"]["id"] == both.cell.clip
    # Asked of the cell itself: Fedify remembers documents for a while.
    assert (await asyncio.to_thread(status_of, both.cell.clip)) == 404
    entries = await both.cell.rows("SELECT DISTINCT kind, service FROM border.crossing")
    assert ("fediverse", both.fedify.origin) in entries
