"""What a cell does with objects, over HTTP as with S3; and the stand-in refuses strangers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests import bucket
from tests.bucket import Bucket

from luciole.kit.blobs import AWAY, Blobs, Differs, Missing, Moved

PLACE = "s3://films/cell one"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with bucket.serving() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


async def test_objects_are_stored_read_listed_copied_and_deleted(
    s3: Bucket, tmp_path: Path
) -> None:
    blobs = Blobs.open(PLACE)
    large = os.urandom(12 * 1024 * 1024)
    (tmp_path / "film").write_bytes(large)
    await blobs.put("p/film", tmp_path / "film")
    assert s3.parts == {}
    assert await blobs.get("p/film") == large
    assert (await blobs.stat("p/film")).size_bytes == len(large)
    pieces = [piece async for piece in blobs.stream("p/film", 5, 600_000)]
    assert b"".join(pieces) == large[5:600_000]
    names = {f"r/{number:02} é+&<".strip() for number in range(20)}
    await blobs.put_new({name: name.encode() for name in names})
    await blobs.put_new({name: name.encode() for name in names})
    assert {key async for key in blobs.keys("r/")} == names
    assert len([key async for key in blobs.keys("")]) == 21
    await blobs.copy("p/film", "p/film again")
    await blobs.delete("p/film", "p/film", "never/there")
    assert {key.removeprefix("cell one/") for key in s3.objects} == {*names, "p/film again"}
    for missing in (blobs.get("p/film"), blobs.stat("p/film"), blobs.copy("p/film", "x")):
        with pytest.raises(Missing):
            await missing


async def test_who_comes_second_is_told(s3: Bucket) -> None:
    blobs = Blobs.open(PLACE)
    await blobs.put_new({"one": b"first"})
    with pytest.raises(Differs):
        await blobs.put_new({"one": b"second"})
    await blobs.exchange("head", b"1", None)
    await blobs.exchange("head", b"2", b"1")
    for expected in (b"1", None):
        with pytest.raises(Moved):
            await blobs.exchange("head", b"3", expected)
    assert s3.objects["cell one/head"] == b"2"


async def test_a_key_that_is_not_the_buckets_opens_nothing(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Blobs.open(PLACE).put("one", b"1")
    async with httpx.AsyncClient() as stranger:
        answer = await stranger.get(f"{s3.origin}/films/cell%20one/one")
    assert answer.status_code == 403
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(AWAY):
        await Blobs.open(PLACE).get("one")
    with pytest.raises(AWAY):
        await Blobs.open("s3://another").put("one", b"2")
    assert s3.objects == {"cell one/one": b"1"}
