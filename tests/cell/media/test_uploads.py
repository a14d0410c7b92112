"""tus 1.0, as a browser and as somebody with bad intentions would speak it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.cell.media.support import PIECE, TUS, Cell, Person, broken_patch, refused

from luciole.cell.media import service
from luciole.cell.media.model import PIECE_BYTES


async def create(person: Person, length: int) -> str:
    answer = await person.post("/api/uploads", headers={**TUS, "upload-length": str(length)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0"
    return str(answer.headers["location"])


async def send(person: Person, place: str, offset: int, data: bytes) -> int:
    headers = {**PIECE, "upload-offset": str(offset)}
    answer = await person.patch(place, content=data, headers=headers)
    assert answer.status_code == 204, answer.text
    return int(answer.headers["upload-offset"])


async def offset_of(person: Person, place: str) -> int:
    answer = await person.head(place, headers=TUS)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


async def stored(cell: Cell) -> bytes:
    rows = await cell.rows("SELECT object_key FROM media.chunk ORDER BY offset_bytes")
    return b"".join([await cell.blobs.get(row["object_key"]) for row in rows])


async def test_options_tell_what_is_spoken(cell: Cell) -> None:
    answer = await cell.visitor().options("/api/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == "314572800"
    assert "termination" in answer.headers["tus-extension"]


async def test_upload_in_several_requests(cell: Cell, ana: Person) -> None:
    data = os.urandom(PIECE_BYTES * 2 + 5000)
    place = await create(ana, len(data))
    half = PIECE_BYTES + 1000
    assert await send(ana, place, 0, data[:half]) == half
    assert await offset_of(ana, place) == half
    assert await send(ana, place, half, data[half:]) == len(data)
    assert await stored(cell) == data
    sizes = await cell.rows("SELECT size_bytes FROM media.chunk ORDER BY offset_bytes")
    assert [row["size_bytes"] for row in sizes] == [PIECE_BYTES, 1000, PIECE_BYTES, 4000]
    assert await cell.objects() == await cell.referred()


async def test_head_tells_length_and_expiry(ana: Person) -> None:
    answer = await ana.head(await create(ana, 1000), headers=TUS)
    assert answer.headers["upload-length"] == "1000"
    assert answer.headers["upload-expires"] == "Wed, 25 Nov 2026 09:00:00 GMT"


async def test_first_part_may_come_with_creation(cell: Cell, ana: Person) -> None:
    answer = await ana.post(
        "/api/uploads", content=b"first", headers={**PIECE, "upload-length": "10"}
    )
    assert answer.status_code == 201
    assert answer.headers["upload-offset"] == "5"
    assert await stored(cell) == b"first"


async def test_broken_connection_keeps_what_arrived(cell: Cell, ana: Person) -> None:
    data = os.urandom(PIECE_BYTES + 70_000)
    place = await create(ana, len(data))
    arrived = PIECE_BYTES + 30_000
    await broken_patch(cell, ana, place, 0, data[:arrived])
    assert await offset_of(ana, place) == arrived
    await send(ana, place, arrived, data[arrived:])
    assert await stored(cell) == data


async def test_upload_goes_on_after_a_restart(
    make_cell: Callable[..., Cell], cell: Cell, ana: Person
) -> None:
    place = await create(ana, 8)
    await send(ana, place, 0, b"1234")
    again = make_cell()
    person = await again.sign_in(ana.person_id)
    assert await offset_of(person, place) == 4
    await send(person, place, 4, b"5678")
    assert await stored(again) == b"12345678"


async def test_wrong_offset_is_a_conflict(cell: Cell, ana: Person) -> None:
    place = await create(ana, 10)
    await send(ana, place, 0, b"12345")
    for offset in (0, 3, 9):
        headers = {**PIECE, "upload-offset": str(offset)}
        answer = await ana.patch(place, content=b"x", headers=headers)
        refused(answer, 409, "wrong-offset")
        assert answer.headers["tus-resumable"] == "1.0.0"
    assert await offset_of(ana, place) == 5


async def test_of_two_writers_one_is_told(cell: Cell, ana: Person) -> None:
    place = await create(ana, 2000)
    headers = {**PIECE, "upload-offset": "0"}
    pieces = [bytes([n]) * 1000 for n in range(6)]
    answers = await asyncio.gather(
        *(ana.patch(place, content=piece, headers=headers) for piece in pieces)
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409, 409, 409]
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 204)
    assert await stored(cell) == pieces[winner]
    await cell.sweep()
    assert await cell.objects() == await cell.referred()


async def test_somebody_elses_upload_does_not_exist(cell: Cell, ana: Person) -> None:
    place = await create(ana, 10)
    bob = await cell.person()
    assert (await bob.head(place, headers=TUS)).status_code == 404
    answer = await bob.patch(place, content=b"x", headers={**PIECE, "upload-offset": "0"})
    refused(answer, 404, "no-such-upload")
    refused(await bob.delete(place, headers=TUS), 404, "no-such-upload")
    assert await offset_of(ana, place) == 0
    visitor = cell.visitor()
    assert (await visitor.head(place, headers=TUS)).status_code == 401
    answer = await visitor.post("/api/uploads", headers={**TUS, "upload-length": "9"})
    refused(answer, 401, "not-signed-in")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"upload-length": "10"}, 412, "tus-version"),
        ({"tus-resumable": "0.2.2", "upload-length": "10"}, 412, "tus-version"),
        ({**TUS}, 400, "bad-header"),
        ({**TUS, "upload-length": "-1"}, 400, "bad-header"),
        ({**TUS, "upload-length": "1e3"}, 400, "bad-header"),
        ({**TUS, "upload-length": "٣"}, 400, "bad-header"),
        ({**TUS, "upload-length": "9" * 40}, 400, "bad-header"),
        ({**TUS, "upload-length": "0"}, 400, "bad-header"),
        ({**TUS, "upload-defer-length": "1"}, 400, "bad-header"),
        ({**TUS, "upload-length": "314572801"}, 413, "upload-too-large"),
    ],
)
async def test_wrong_creation(ana: Person, headers: dict[str, str], status: int, code: str) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    refused(await ana.post("/api/uploads", headers=raw), status, code)


async def test_wrong_pieces(ana: Person) -> None:
    place = await create(ana, 10)
    refused(
        await ana.patch(place, content=b"x", headers={**TUS, "upload-offset": "0"}),
        415,
        "wrong-content-type",
    )
    refused(await ana.patch(place, content=b"x", headers=PIECE), 400, "bad-header")
    refused(
        await ana.patch(
            place,
            content=b"x",
            headers={"content-type": PIECE["content-type"], "upload-offset": "0"},
        ),
        412,
        "tus-version",
    )
    headers = {**PIECE, "upload-offset": "0"}
    refused(await ana.patch(place, content=b"x" * 11, headers=headers), 413, "more-than-announced")

    async def endless() -> object:
        for _ in range(3):
            yield b"x" * 5

    answer = await ana.patch(place, content=endless(), headers=headers)  # type: ignore[arg-type]
    refused(answer, 413, "more-than-announced")


async def test_number_of_pieces_is_limited(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_PIECES", 2)
    place = await create(ana, 10)
    await send(ana, place, 0, b"12")
    await send(ana, place, 2, b"34")
    headers = {**PIECE, "upload-offset": "4"}
    refused(await ana.patch(place, content=b"56", headers=headers), 429, "too-many-pieces")


async def test_number_of_open_uploads_is_limited(ana: Person) -> None:
    places = [await create(ana, 10) for _ in range(5)]
    answer = await ana.post("/api/uploads", headers={**TUS, "upload-length": "10"})
    refused(answer, 429, "too-many-uploads")
    assert (await ana.delete(places[0], headers=TUS)).status_code == 204
    await create(ana, 10)


async def test_number_of_films_that_nobody_publishes_is_limited(
    make_cell: Callable[..., Cell],
) -> None:
    cell = make_cell(max_held_uploads=3)
    ana, bob = await cell.person(), await cell.person()
    for _ in range(3):
        place = await create(ana, 10)
        await send(ana, place, 0, b"0123456789")
    answer = await ana.post("/api/uploads", headers={**TUS, "upload-length": "10"})
    refused(answer, 429, "too-many-held")
    await create(bob, 10)
    assert (await ana.delete(place, headers=TUS)).status_code == 204
    await create(ana, 10)


async def test_limit_of_open_uploads_holds_in_a_race(cell: Cell, ana: Person) -> None:
    headers = {**TUS, "upload-length": "10"}
    answers = await asyncio.gather(*(ana.post("/api/uploads", headers=headers) for _ in range(12)))
    assert [answer.status_code for answer in answers].count(201) == 5


async def test_full_disk_refuses_before_anything_is_stored(
    make_cell: Callable[..., Cell],
) -> None:
    cell = make_cell(min_free_bytes=1 << 60)
    ana = await cell.person()
    answer = await ana.post("/api/uploads", headers={**TUS, "upload-length": "10"})
    refused(answer, 507, "disk-full")
    assert await cell.rows("SELECT id FROM media.upload") == []


async def test_cancelled_upload_leaves_nothing(cell: Cell, ana: Person) -> None:
    place = await create(ana, 10)
    await send(ana, place, 0, b"12345")
    assert (await ana.delete(place, headers=TUS)).status_code == 204
    assert (await ana.head(place, headers=TUS)).status_code == 404
    await cell.sweep()
    assert await cell.objects() == set()
    assert await cell.rows("SELECT * FROM media.unclaimed") == []


async def test_expired_upload_is_gone(cell: Cell, ana: Person) -> None:
    place = await create(ana, 10)
    await send(ana, place, 0, b"12345")
    await cell.sweep(after=timedelta(hours=23))
    assert await offset_of(ana, place) == 5
    cell.clock.advance(timedelta(hours=1, minutes=1))
    assert (await ana.head(place, headers=TUS)).status_code == 404
    await cell.sweep()
    assert await cell.rows("SELECT * FROM media.upload") == []
    assert await cell.objects() == set()


async def test_object_of_a_writer_that_died_is_swept(cell: Cell, ana: Person) -> None:
    async with cell.db.tx() as tx:
        await cell.media.announce(tx, "uploads/x/0-y")
    await cell.blobs.put("uploads/x/0-y", b"left behind")
    await cell.sweep()
    assert await cell.objects() == {"uploads/x/0-y"}, "its writer may still come back"
    await cell.sweep(after=timedelta(hours=2, minutes=1))
    assert await cell.objects() == set()
