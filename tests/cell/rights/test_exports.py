"""Taking everything along."""

from __future__ import annotations

import base64
import json
import os
import resource
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.cell.house import PASSWORD, TUS, Browser, House, refused
from tests.cell.rights.log import Log
from tests.cell.rights.support import Killed
from tests.cell.rights.taken import Taken, take

from luciole.cell.media import service as media
from luciole.cell.rights.export import making, pieces
from luciole.kit.ids import new_id
from luciole.ledger.merkle import leaf_hash
from luciole.ledger.policy import Policy
from luciole.ledger.proof import Proof
from luciole.me import check


async def test_export_holds_everything_with_its_bytes(
    house: House, log: Log, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(
        house,
        tiny_film,
        caption="First <light> #dawn",
        captions_vtt="WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n",
    )
    await ben.clip(house, tiny_film, caption="Not hers")
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await ana.follow(ben)
    await ben.follow(ana)
    await log.take()
    await log.seal(29_700_000)

    taken = await take(house, ana)
    taken.check()

    (account,) = taken.json("data/people/account.json")
    assert account["handle"] == "ana"
    (contact,) = taken.json("data/people/contacts.json")
    assert contact["address"] == "ana@example.org"
    (row,) = taken.json("data/clips/clips.json")
    assert row["id"] == clip["id"]
    assert taken.files[row["captions"]].startswith(b"WEBVTT")
    for file in taken.json("data/media/files.json"):
        (stored,) = await house.rows(
            "SELECT object_key FROM media.file WHERE asset_id = $1 AND kind = $2 AND name = $3",
            file["asset_id"],
            file["kind"],
            file["name"],
        )
        assert taken.files[file["file"]] == await house.parts.blobs.get(stored["object_key"])
    assert [each["handle"] for each in taken.json("data/graph/following.json")] == ["ben"]
    assert [each["handle"] for each in taken.json("data/graph/followers.json")] == ["ben"]
    assert "ben@localhost:8080" not in taken.files["following.csv"].decode()[:20]
    assert "ben@localhost:8080" in taken.files["following.csv"].decode()
    (create,) = taken.json("outbox.json")["orderedItems"]
    assert create["object"]["url"][0]["href"] in taken.files
    page = taken.files["README.html"].decode()
    assert "First &lt;light&gt; #dawn" in page
    assert "Not hers" not in page
    journal = [json.loads(line) for line in taken.files["journal/journal.jsonl"].splitlines()]
    assert [each["n"] for each in journal] == list(range(len(journal)))
    # The archive is evidence by itself.
    policy = Policy.parse(taken.files["journal/policy.txt"])
    key = base64.b64decode(taken.files["journal/label-key.txt"])
    proof = taken.json("journal/proof.json")
    found = check.journal([proof], {each["n"]: each for each in journal}, key, policy)
    assert (found.entries, found.sealed_until is None) == (2, False)
    for each in journal[:2]:
        receipt = Proof.parse(taken.files[f"journal/receipts/{each['n']:06}.tlog-proof"].decode())
        receipt.verify(leaf_hash(base64.b64decode(each["leaf"])), policy)


async def start(person: Browser) -> dict[str, Any]:
    answer = await person.post("/api/me/exports")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def made(house: House, person: Browser) -> str:
    """The address of an export that is ready."""
    export_id = (await start(person))["id"]
    await house.work()
    return f"/api/me/exports/{export_id}"


async def test_asking_needs_a_proof_of_the_last_minutes(
    house: House, log: Log, ana: Browser
) -> None:
    house.clock.advance(timedelta(minutes=11))
    refused(await ana.post("/api/me/exports"), 403, "proof-needed")
    proof = "/api/sessions/current/proof"
    refused(await ana.post(proof, json={"password": "not this one"}), 403, "wrong-password")
    refused(await ana.post("/api/me/exports"), 403, "proof-needed")
    assert (await ana.post(proof, json={"password": PASSWORD})).status_code == 204
    place = await made(house, ana)
    assert (await ana.get(f"{place}/file")).status_code == 200
    house.clock.advance(timedelta(minutes=61))
    refused(await ana.get(f"{place}/file"), 403, "proof-needed")


async def test_one_at_a_time_and_each_for_its_owner(
    house: House, log: Log, ana: Browser, ben: Browser
) -> None:
    begun = await start(ana)
    assert begun["state"] == "queued"
    assert begun["file_url"] is None
    refused(await ana.post("/api/me/exports"), 409, "export-under-way")
    place = f"/api/me/exports/{begun['id']}"
    refused(await ana.get(f"{place}/file"), 409, "export-not-ready")
    await house.work()
    assert (await ana.get(place)).json()["progress"] == 100
    for path in (place, f"{place}/file"):
        refused(await ben.get(path), 404, "no-such-export")
        refused(await house.visitor().get(path), 401, "not-signed-in")
    refused(await ben.delete(place), 404, "no-such-export")
    await start(ana)
    assert len((await ana.get("/api/me/exports")).json()["items"]) == 2
    assert (await ben.get("/api/me/exports")).json()["items"] == []


async def test_three_are_kept(house: House, log: Log, ana: Browser) -> None:
    places = [await made(house, ana) for _ in range(3)]
    refused(await ana.post("/api/me/exports"), 429, "too-many-exports")
    await ana.delete(places[0])
    await made(house, ana)


async def test_export_that_would_fill_the_disk_is_not_made(
    house: House, log: Log, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.clip(house, tiny_film)
    monkeypatch.setattr(media.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    place = await made(house, ana)
    assert (await ana.get(place)).json()["state"] == "failed"
    answer = await ana.post("/api/me/imports", headers={**TUS, "upload-length": "101"})
    refused(answer, 507, "disk-full")


async def test_download_goes_on_where_it_broke_off(
    house: House, log: Log, ana: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film)
    place = f"{await made(house, ana)}/file"
    whole = await ana.get(place)
    size = len(whole.content)
    assert whole.headers["content-type"] == "application/zip"
    assert 'filename="luciole-ana-' in whole.headers["content-disposition"]
    head = await ana.head(place)
    assert head.headers["content-length"] == str(size)
    tag = whole.headers["etag"]
    half = await ana.get(place, headers={"range": f"bytes={size // 2}-", "if-range": tag})
    assert half.status_code == 206
    assert half.content == whole.content[size // 2 :]
    other = await ana.get(place, headers={"range": "bytes=5-", "if-range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, size)
    refused(await ana.get(place, headers={"range": f"bytes={size}-"}), 416, "range-outside")


async def test_parts_lie_across_pieces(
    house: House, log: Log, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1_000)
    await ana.clip(house, tiny_film)
    place = f"{await made(house, ana)}/file"
    whole = (await ana.get(place)).content
    Taken.of(whole).check()
    for start_, end in ((0, 1), (999, 1_001), (1_500, 4_100), (len(whole) - 3, len(whole))):
        part = await ana.get(place, headers={"range": f"bytes={start_}-{end - 1}"})
        assert part.content == whole[start_:end]


async def test_nothing_of_it_lies_in_the_clear(
    house: House, log: Log, ana: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film, caption="A caption")
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await made(house, ana)
    keys = [key async for key in house.parts.blobs.keys("exports/")]
    assert keys
    for key in keys:
        raw = await house.parts.blobs.get(key)
        for word in (b"PK\3\4", b"ana@example.org", b"A caption", b"ftyp", b"manifest"):
            assert word not in raw


async def test_export_is_gone_when_it_is_deleted_or_four_days_old(
    house: House, log: Log, ana: Browser
) -> None:
    place = await made(house, ana)
    assert (await ana.delete(place)).status_code == 204
    await house.work()
    refused(await ana.get(f"{place}/file"), 404, "no-such-export")
    assert [key async for key in house.parts.blobs.keys("exports/")] == []

    place = await made(house, ana)
    house.clock.advance(timedelta(days=4))
    await house.parts.queue.run_periodic("rights.tidy")
    refused(await ana.get(place), 404, "no-such-export")
    assert [key async for key in house.parts.blobs.keys("exports/")] == []


async def test_killed_worker_is_followed_by_another(
    house: House, log: Log, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At several places of the work; what the dead attempts have stored does not stay."""
    await ana.clip(house, tiny_film)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1_000)
    begun = await start(ana)
    original, left = pieces.SealedFile.put, 0

    async def put(self: Any, *args: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        await original(self, *args)

    monkeypatch.setattr(pieces.SealedFile, "put", put)
    for number in (1, 3, 8):
        left = number
        with pytest.raises(Killed):
            await house.parts.queue.run_once("rights.archive", {"export_id": begun["id"]})
    left = 0
    await house.work()
    # Whoever thought to be dead and was not: nothing is left to do for them.
    await house.parts.queue.run_once("rights.archive", {"export_id": begun["id"]})
    place = f"/api/me/exports/{begun['id']}"
    body = (await ana.get(place)).json()
    assert body["state"] == "ready"
    Taken.of((await ana.get(f"{place}/file")).content).check()
    before = [key async for key in house.parts.blobs.keys("exports/")]
    await house.parts.queue.run_periodic("rights.sweep")
    after = [key async for key in house.parts.blobs.keys("exports/")]
    assert len(after) < len(before)
    assert all("/4-" in key for key in after)
    Taken.of((await ana.get(f"{place}/file")).content).check()


async def test_lost_job_is_put_again_and_given_up_in_the_end(
    house: House, log: Log, ana: Browser
) -> None:
    place = f"/api/me/exports/{(await start(ana))['id']}"
    await house.rows("DELETE FROM queue.pgqueuer RETURNING id")
    house.clock.advance(timedelta(minutes=11))
    await house.parts.queue.run_periodic("rights.tidy")
    await house.work()
    assert (await ana.get(place)).json()["state"] == "ready"

    place = f"/api/me/exports/{(await start(await signed_in(house)))['id']}"
    await house.rows("UPDATE rights.export SET attempt = 8 WHERE state = 'queued' RETURNING id")
    await house.work()
    assert (await ana.get(place)).json()["state"] == "failed"


async def signed_in(house: House) -> Browser:
    """Ana once more, with a fresh proof."""
    again = house.visitor()
    answer = await again.post("/api/sessions", json={"handle": "ana", "password": PASSWORD})
    assert answer.status_code == 201
    return again


async def test_clips_that_change_or_go_meanwhile(
    house: House, log: Log, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await ana.clip(house, tiny_film, caption="Gone")
    moved = await ana.clip(house, tiny_film, caption="Moved")
    begun = await start(ana)
    original = making._Attempt._write_films

    async def write(self: Any, contents: Any) -> None:
        await ana.delete(f"/api/clips/{gone['id']}")
        await ana.patch(f"/api/clips/{moved['id']}", json={"audience": "only-me"})
        await house.work()
        house.clock.advance(timedelta(hours=3))
        await house.parts.queue.run_periodic("media.sweep")
        await original(self, contents)

    monkeypatch.setattr(making._Attempt, "_write_films", write)
    waiting = await house._take()
    for name, body in waiting:
        await house.parts.queue.run_once(name, body)
    place = f"/api/me/exports/{begun['id']}"
    ana = await signed_in(house)
    taken = Taken.of((await ana.get(f"{place}/file")).content)
    taken.check()
    clips = {row["caption"]: row["asset_id"] for row in taken.json("data/clips/clips.json")}
    assert f"media/{clips['Moved']}/540.mp4" in taken.files
    assert f"media/{clips['Gone']}/540.mp4" not in taken.files
    assert f"media/{clips['Gone']}/540.mp4" in taken.manifest["gone"]


async def test_export_is_in_the_journal(house: House, log: Log, ana: Browser) -> None:
    await made(house, ana)
    items = (await ana.get("/api/me/journal")).json()["items"]
    assert [(item["kind"], item["class"], item["purpose"]) for item in items[:2]] == [
        ("export", "export", "export"),
        ("grant", "export", "export"),
    ]
    assert items[0]["actor"] == "you"
    assert "files" in items[0]["note"]


@pytest.mark.long
async def test_two_hundred_clips_take_no_more_memory_than_one(
    house: House, log: Log, ana: Browser, tiny_film: bytes
) -> None:
    """200 clips of three renditions, 1.2 GB: read, packed, sealed and stored bit by bit."""
    await ana.clip(house, tiny_film, caption="One of many")
    me = await house.person_id("ana")
    film = os.urandom(2_000_000)
    await house.parts.blobs.put("p/many/film.mp4", film)
    async with log.owner.tx() as tx:
        for number in range(200):
            asset_id, clip_id = new_id(), new_id()
            await tx.execute(ASSET, asset_id, me, f"many{number}")
            for name in ("540", "720", "1080"):
                await tx.execute(FILE, asset_id, name, len(film))
            await tx.execute(CLIP, clip_id, me, asset_id, f"Clip {number} " + "x" * 2_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    place = f"{await made(house, ana)}/file"
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 150_000, grown_kib
    body = (await ana.get(place.removesuffix("/file"))).json()
    assert body["size_bytes"] > 1_200_000_000


ASSET = """
INSERT INTO media.asset (id, owner_id, state, trim_start_ms, cover_ms, is_public, token, progress,
                         duration_ms, width, height, created_at, changed_at)
VALUES ($1, $2, 'complete', 0, 0, true, $3, 100, 1000, 540, 960, now(), now())
"""
FILE = """
INSERT INTO media.file (asset_id, kind, name, filename, object_key, mime, width, height,
                        bitrate_bps, size_bytes)
VALUES ($1, 'rendition', $2, $2 || '-1.mp4', 'p/many/film.mp4', 'video/mp4', 540, 960, 1, $3)
"""
CLIP = """
INSERT INTO clips.clip (id, author_id, asset_id, caption, audience, state, published_at)
VALUES ($1, $2, $3, $4, 'everyone', 'published', now())
"""
