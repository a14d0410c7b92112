"""Objects that never change, and the one that changes by exchange: in a folder and in a cloud."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore

from luciole.kit import durable
from luciole.kit.blobs import Blobs, Differs, Missing, Moved


@pytest.fixture(params=["folder", "cloud"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return (
        Blobs.open(str(tmp_path / "blobs")) if request.param == "folder" else Blobs(MemoryStore())
    )


async def keys(blobs: Blobs) -> list[str]:
    return sorted([key async for key in blobs.keys("log/")])


async def test_new_objects_are_there(blobs: Blobs) -> None:
    made = {f"log/tile/{n}": bytes([n]) * n for n in range(20)}
    await blobs.put_new(made)
    assert await keys(blobs) == sorted(made)
    assert await blobs.get("log/tile/7") == b"\7" * 7
    await blobs.put_new({})


async def test_same_object_again_is_no_change(blobs: Blobs) -> None:
    await blobs.put_new({"log/a": b"1"})
    await blobs.put_new({"log/a": b"1", "log/b": b"2"})
    assert await keys(blobs) == ["log/a", "log/b"]


async def test_other_content_under_the_same_name_is_refused(blobs: Blobs) -> None:
    await blobs.put_new({"log/a": b"1"})
    with pytest.raises(Differs):
        await blobs.put_new({"log/a": b"2"})
    assert await blobs.get("log/a") == b"1"
    assert await keys(blobs) == ["log/a"]


async def test_exchange_replaces_what_was_expected(blobs: Blobs) -> None:
    await blobs.exchange("log/head", b"1", None)
    await blobs.exchange("log/head", b"2", b"1")
    assert await blobs.get("log/head") == b"2"


@pytest.mark.parametrize(("there", "expected"), [(b"1", None), (b"1", b"0"), (None, b"0")])
async def test_exchange_of_something_else_is_refused(
    blobs: Blobs, there: bytes | None, expected: bytes | None
) -> None:
    if there:
        await blobs.exchange("log/head", there, None)
    with pytest.raises(Moved):
        await blobs.exchange("log/head", b"9", expected)
    if there:
        assert await blobs.get("log/head") == there
    else:
        with pytest.raises(Missing):
            await blobs.get("log/head")


async def test_one_of_many_exchanges_wins(blobs: Blobs) -> None:
    await blobs.exchange("log/head", b"0", None)
    tried = await asyncio.gather(
        *(blobs.exchange("log/head", bytes([n]), b"0") for n in range(1, 12)),
        return_exceptions=True,
    )
    assert tried.count(None) == 1
    assert await blobs.get("log/head") == bytes([1 + tried.index(None)])


async def test_cloud_notices_a_change_after_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    blobs = Blobs(store)
    await blobs.exchange("log/head", b"1", None)
    real = obstore.get_async

    async def get_then_change(*given: object) -> object:
        found = await real(*given)  # type: ignore[arg-type]
        held = await found.bytes_async()
        await obstore.put_async(store, "log/head", b"other")

        class Found:
            meta = found.meta

            async def bytes_async(self) -> bytes:
                return bytes(held)

        return Found()

    monkeypatch.setattr(obstore, "get_async", get_then_change)
    with pytest.raises(Moved):
        await blobs.exchange("log/head", b"2", b"1")


def test_failed_draft_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.create([(tmp_path / "a", b"1")])
    assert list(tmp_path.iterdir()) == []


def test_replace_needs_no_former_file(tmp_path: Path) -> None:
    durable.replace(tmp_path / "deep" / "a", b"1")
    durable.replace(tmp_path / "deep" / "a", b"2")
    assert (tmp_path / "deep" / "a").read_bytes() == b"2"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]
