"""Sealed files: attachments for who is in the conversation, backups for oneself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from tests.cell.house import House, refused
from tests.cell.messages.phone import M, Phone

from luciole.cell.media import service as media
from luciole.cell.messages import limits, model
from luciole.config import MessagesSettings
from luciole.kit.rates import Rate

SEALED = os.urandom(300_000)


async def objects(house: House) -> list[str]:
    return [
        key
        for prefix in ("attachments/", "histories/")
        async for key in house.parts.blobs.keys(prefix)
    ]


async def tidy(house: House) -> None:
    await house.parts.queue.run_periodic("messages.tidy")


async def attach(phone: Phone, conversation: str, sealed: bytes = SEALED) -> str:
    place = f"{M}/conversations/{conversation}/attachments"
    answer = await phone.browser.post(place, content=sealed)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_attachment_comes_as_it_was_sealed(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    place = f"{M}/attachments/{await attach(anas, pair)}"
    answer = await bens.browser.get(place)
    assert answer.content == SEALED
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"
    eve = await house.person("eve")
    refused(await eve.get(place), 404, "no-such-attachment")
    await bens.browser.post(f"{M}/conversations/{pair}/leave")
    refused(await bens.browser.get(place), 404, "no-such-attachment")
    assert (await anas.browser.get(place)).status_code == 200


async def test_attachment_goes_after_thirty_days(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    made = await attach(anas, pair)
    house.clock.advance(timedelta(days=29))
    await tidy(house)
    assert len(await objects(house)) == 1
    house.clock.advance(timedelta(days=2))
    await tidy(house)
    assert await objects(house) == []
    assert made
    for table in ("attachment", "unclaimed"):
        assert await house.rows(f"SELECT object_key FROM messages.{table}") == []


async def test_attachments_go_with_the_conversation(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    await attach(anas, pair)
    for phone in (anas, bens):
        await phone.browser.post(f"{M}/conversations/{pair}/leave")
    await tidy(house)
    assert await objects(house) == []


@pytest.mark.parametrize("what", ["attachment", "backup"])
async def test_too_large_and_empty_files_are_refused(
    house: House, anas: Phone, bens: Phone, what: str
) -> None:
    pair = await anas.talk("pair", bens)
    if what == "backup":
        put, place, most = anas.browser.put, f"{M}/backup", model.MAX_BACKUP_BYTES
    else:
        put, most = anas.browser.post, model.MAX_ATTACHMENT_BYTES
        place = f"{M}/conversations/{pair}/attachments"
    answer = await put(place, content=bytes(most + 1))
    assert (answer.status_code, answer.json()["code"][-9:]) == (413, "too-large")
    refused(await put(place, content=b""), 400, "invalid")
    assert await objects(house) == []


async def test_upload_that_was_killed_leaves_nothing(
    house: House, anas: Phone, bens: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await anas.talk("pair", bens)
    write = house.parts.blobs.put

    async def put_and_die(key: str, data: bytes) -> None:
        await write(key, data)
        raise TimeoutError  # between the object and its row

    monkeypatch.setattr(house.parts.blobs, "put", put_and_die)
    place = f"{M}/conversations/{pair}/attachments"
    refused(await anas.browser.post(place, content=SEALED), 503, "unavailable")
    await tidy(house)
    assert len(await objects(house)) == 1, "it may still be on its way"
    house.clock.advance(timedelta(hours=2))
    await tidy(house)
    assert await objects(house) == []


async def test_backup_is_kept_replaced_and_deleted(house: House, anas: Phone, bens: Phone) -> None:
    place = f"{M}/backup"
    refused(await anas.browser.get(place), 404, "no-backup")
    assert (await anas.browser.put(place, content=b"first")).status_code == 204
    assert (await anas.browser.put(place, content=SEALED)).status_code == 204
    assert (await anas.browser.get(place)).content == SEALED
    refused(await bens.browser.get(place), 404, "no-backup")
    await tidy(house)
    assert len(await objects(house)) == 1
    assert (await anas.browser.delete(place)).status_code == 204
    refused(await anas.browser.delete(place), 404, "no-backup")
    await tidy(house)
    assert await objects(house) == []


async def test_what_waits_too_long_goes(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    await anas.send(pair)
    house.clock.advance(timedelta(days=31))
    await tidy(house)
    for table in ("envelope", "delivery"):
        assert await house.rows(f"SELECT at FROM messages.{table} AS at") == []


async def test_what_only_removed_devices_waited_for_goes(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    await anas.send(pair)
    await anas.fetch()
    await bens.browser.delete(f"{M}/devices/{bens.id}")
    house.clock.advance(timedelta(hours=1))
    await tidy(house)
    assert await house.rows("SELECT id FROM messages.envelope") == []
    house.clock.advance(timedelta(days=model.REVOKED_KEPT_DAYS))
    await tidy(house)
    assert {str(r["id"]) for r in await house.rows("SELECT id FROM messages.device")} == {anas.id}


async def test_full_disk_takes_no_sealed_files(
    anas: Phone, bens: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await anas.talk("pair", bens)
    monkeypatch.setattr(media.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    place = f"{M}/conversations/{pair}/attachments"
    refused(await anas.browser.post(place, content=SEALED), 507, "disk-full")
    refused(await anas.browser.put(f"{M}/backup", content=SEALED), 507, "disk-full")


@pytest.fixture
def room(house: House) -> Iterator[Callable[..., None]]:
    """Sets limits of the house, which is shared: they are put back."""
    files = house.parts.messages.files
    before = files._settings, files._taken

    def allow(**limits: int) -> None:
        files._settings = MessagesSettings(**{"person_bytes": 0, "cell_bytes": 0, **limits})
        files._taken = (house.clock.now() - timedelta(hours=1), 0)

    yield allow
    files._settings, files._taken = before


async def test_one_person_sends_so_many_bytes_of_files_in_thirty_days(
    house: House, anas: Phone, bens: Phone, room: Callable[..., None]
) -> None:
    room(person_bytes=2 * len(SEALED))
    pair = await anas.talk("pair", bens)
    for _ in range(2):
        await attach(anas, pair)
    place = f"{M}/conversations/{pair}/attachments"
    answer = await anas.browser.post(place, content=b"x")
    refused(answer, 429, "files-of-30-days")
    assert 29 * 86_400 < int(answer.headers["retry-after"]) <= 30 * 86_400 + 1
    # What was refused was not kept, and does not count; the other one goes on, a backup is apart.
    assert len(await objects(house)) == 2
    (row,) = await house.rows("SELECT size_bytes FROM messages.files_sent")
    assert row["size_bytes"] == 2 * len(SEALED)
    await attach(bens, pair)
    assert (await anas.browser.put(f"{M}/backup", content=SEALED)).status_code == 204
    house.clock.advance(timedelta(days=29))
    refused(await anas.browser.post(place, content=b"x"), 429, "files-of-30-days")
    house.clock.advance(timedelta(days=1))
    await attach(anas, pair)
    house.clock.advance(timedelta(days=30))
    await tidy(house)
    assert await house.rows("SELECT FROM messages.files_sent") == []


async def test_files_of_all_together_have_a_limit(
    house: House, anas: Phone, bens: Phone, room: Callable[..., None]
) -> None:
    room(cell_bytes=2 * len(SEALED) + 1)
    pair = await anas.talk("pair", bens)
    await attach(anas, pair)
    assert (await bens.browser.put(f"{M}/backup", content=SEALED)).status_code == 204
    place = f"{M}/conversations/{pair}/attachments"
    refused(await anas.browser.post(place, content=SEALED), 507, "messages-full")
    refused(await anas.browser.put(f"{M}/backup", content=SEALED), 507, "messages-full")
    assert len(await objects(house)) == 2
    # Added up anew: what went makes room.
    assert (await bens.browser.delete(f"{M}/backup")).status_code == 204
    house.clock.advance(timedelta(minutes=2))
    await attach(anas, pair)


async def test_one_person_sends_so_many_bytes_of_files_a_day(
    house: House, anas: Phone, bens: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", Rate("file-bytes", 2 * len(SEALED), 86_400))
    pair = await anas.talk("pair", bens)
    await attach(anas, pair)
    assert (await anas.browser.put(f"{M}/backup", content=SEALED)).status_code == 204
    place = f"{M}/conversations/{pair}/attachments"
    refused(await anas.browser.post(place, content=SEALED), 429, "files-too-large-together")
    assert len(await objects(house)) == 2
    await attach(bens, pair)
    monkeypatch.setattr(limits, "FILE", Rate("few-files", 1, 3600))
    await attach(bens, pair)
    refused(await bens.browser.post(place, content=SEALED), 429, "files-too-often")
