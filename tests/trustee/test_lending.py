"""All halves of a cell in a file, for who restores it, and for nobody else."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from uuid import UUID

import pytest

from luciole import guarding
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.trustee import lending, shares
from luciole.trustee.book import BOOK, Book

US, EU = UUID(int=10), UUID(int=11)
NOW = 1_764_158_400
SECRET = b"s" * 32


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path / BOOK, b"k" * 32)
    made.add(
        US, [shares.Deposited(bytes([n]) * 16, bytes([n]) * 32, b"l" * 32) for n in range(5)], NOW
    )
    made.add(EU, [shares.Deposited(b"e" * 16, b"E" * 32, b"l" * 32)], NOW)
    return made


def lent(book: Book, monkeypatch: pytest.MonkeyPatch, cell: UUID = US) -> bytes:
    monkeypatch.setattr(lending, "AT_ONCE", 2)
    asked_by, box = lending.read_request(lending.request(cell, SECRET))
    assert asked_by == cell
    return b"".join(lending.lend(book, cell, box, NOW + 60))


def test_who_asked_opens_all_halves_of_its_own(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    file = lent(book, monkeypatch)
    halves = {bytes([n]) * 16: bytes([n]) * 32 for n in range(5)}
    assert lending.read(io.BytesIO(file), US, SECRET) == halves
    counted = book.counted(US)
    assert (counted.held, counted.given, counted.given_persons) == (5, 5, 5)
    assert counted.first_given_at == NOW + 60
    assert book.counted(EU).given == 0


def test_file_opens_for_nobody_else_and_not_in_part(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lent(book, monkeypatch)
    for half in (1, 3):
        assert bytes([half]) * 32 not in file
    for content, cell, secret in (
        (file, US, b"t" * 32),
        (file, EU, SECRET),
        (file[:-1], US, SECRET),
        (file[2:], US, SECRET),
        (file + b"\0\0\0", US, SECRET),
        (file[200:], US, SECRET),
    ):
        with pytest.raises(lending.NotLent):
            lending.read(io.BytesIO(content), cell, secret)


@pytest.mark.parametrize("text", ["", "luciole-lend-v1 x y", f"luciole-lend-v2 {US} {'00' * 32}",
                                  f"luciole-lend-v1 {US} 00"])  # fmt: skip
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(lending.NotLent):
        lending.read_request(text)


async def test_guardian_publishes_what_it_holds_when_that_has_changed(
    empty_url: str, tmp_path: Path, book: Book
) -> None:
    path, clock = tmp_path / BOOK, Clock()
    last = await guarding.publish(empty_url, path, {}, clock)
    assert last == await guarding.publish(empty_url, path, last, clock)
    await asyncio.to_thread(book.refused, EU, NOW)
    assert book.counted(EU).refused == 1
    await guarding.publish(empty_url, path, last, clock)
    db = await Database.open(empty_url, size=1)
    async with db.tx() as tx:
        rows = await tx.fetch(
            "SELECT convert_from(entry, 'UTF8')::jsonb ->> 'cell' AS cell, "
            "convert_from(entry, 'UTF8')::jsonb ->> 'refused' AS refused "
            "FROM ledger.inbox WHERE log = 'decisions' ORDER BY id"
        )
    await db.close()
    assert [tuple(row) for row in rows] == [(str(US), "0"), (str(EU), "0"), (str(EU), "1")]
    assert await guarding.publish(empty_url, tmp_path / "nothing", {}, clock) == {}
