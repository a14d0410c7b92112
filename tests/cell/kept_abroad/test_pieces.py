"""Parcels, the log's spool, and who keeps pieces for another cell."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.cell.kept_abroad.support import Peer

from luciole.abroad import recovery, spool
from luciole.abroad.keeper import Keeper
from luciole.abroad.parcels import Label, Packer, ParcelBroken, Unpacker
from luciole.abroad.spool import PAGE_BYTES, Gap, Spool
from luciole.ask.gateway import PeerRefused
from luciole.border import kept
from luciole.border.kept import SMALL_BYTES
from luciole.keys import KeyFileRefused
from luciole.keys.hpke import Receiver, Sealer
from luciole.kit.clock import SetClock

SEGMENT_BYTES = 16 * PAGE_BYTES
CELL = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")


def packed(content: bytes, *, is_compressed: bool = False) -> tuple[Receiver, list[bytes]]:
    receiver = Receiver(bytes(32))
    label = Label("object", 7, is_compressed, b"p/key")
    packer = Packer(Sealer(receiver.public), label, SMALL_BYTES)
    return receiver, [*packer.add(content), *packer.end()]


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("size", [0, 1, SMALL_BYTES - 1230, SMALL_BYTES, 3 * SMALL_BYTES + 17])
def test_content_comes_back_from_pieces_of_one_size(size: int, is_compressed: bool) -> None:
    content = os.urandom(size)
    receiver, pieces = packed(content, is_compressed=is_compressed)
    assert {len(piece) for piece in pieces} == {SMALL_BYTES}
    unpacker = Unpacker(receiver)
    assert b"".join(map(unpacker.take, pieces)) == content
    assert unpacker.is_whole
    assert unpacker.labelled("object", 7).about == b"p/key"
    with pytest.raises(ParcelBroken):
        unpacker.labelled("object", 8)


def test_changed_moved_or_foreign_pieces_do_not_open() -> None:
    receiver, pieces = packed(os.urandom(3 * SMALL_BYTES))
    _, others = packed(os.urandom(3 * SMALL_BYTES))
    changed = bytearray(pieces[1])
    changed[-1] ^= 1
    for first, second in (
        (pieces[0], pieces[2]),
        (pieces[0], others[1]),
        (pieces[0], bytes(changed)),
        (pieces[0], pieces[0]),
    ):
        unpacker = Unpacker(receiver)
        unpacker.take(first)
        with pytest.raises(ParcelBroken):
            unpacker.take(second)
    for piece in (pieces[1], b"", bytes(SMALL_BYTES)):
        with pytest.raises(ParcelBroken):
            Unpacker(receiver).take(piece)
    with pytest.raises(ParcelBroken):
        Unpacker(Receiver(b"\1" * 32)).take(pieces[0])


def test_recovery_key_is_made_once_and_the_cell_keeps_what_seals(tmp_path: Path) -> None:
    folder, path = tmp_path / "abroad", tmp_path / "recovery.key"
    made = recovery.make(path, folder, CELL)
    whole = recovery.load(path)
    assert (whole.cell_id, whole.names) == (CELL, made.names)
    assert whole.receiver.open(made.sealer.seal(b"x", b"i"), b"i") == b"x"
    assert recovery.public_of(folder).fingerprint == made.fingerprint
    assert path.read_bytes().split()[2] not in (folder / recovery.FILE).read_bytes()
    with pytest.raises(recovery.HasRecoveryKey):
        recovery.make(tmp_path / "second.key", folder, CELL)
    with pytest.raises(KeyFileRefused):
        recovery.make(path, tmp_path / "another", CELL)
    with pytest.raises(recovery.NoRecoveryKey):
        recovery.public_of(tmp_path / "another")
    path.write_text("something else")
    with pytest.raises(KeyFileRefused):
        recovery.load(path)


def name(number: int) -> str:
    return f"00000001{0:08X}{number:08X}"


def write(folder: Path, number: int, pages: int, *, is_partial: bool) -> None:
    data = b"".join(bytes([1 + page % 200]) * PAGE_BYTES for page in range(pages))
    whole, partial = folder / name(number), folder / f"{name(number)}.partial"
    partial.write_bytes(data.ljust(SEGMENT_BYTES, b"\0"))
    if not is_partial:
        partial.rename(whole)


def test_spool_tells_what_is_new_and_sends_a_growing_page_again(tmp_path: Path) -> None:
    log = Spool(tmp_path / "wal")
    assert log.new(None) == ([], None)
    write(log.folder, 1, 3, is_partial=True)
    found, position = log.new(None)
    assert [(one.segment, one.start, len(one.data)) for one in found] == [
        (name(1), 0, 3 * PAGE_BYTES)
    ]
    assert log.new(position) == ([], position)
    write(log.folder, 1, 5, is_partial=False)
    write(log.folder, 2, 1, is_partial=True)
    found, position = log.new(position)
    assert [(one.segment, one.start, len(one.data)) for one in found] == [
        (name(1), 2 * PAGE_BYTES, 3 * PAGE_BYTES),
        (name(2), 0, PAGE_BYTES),
    ]
    assert position is not None
    log.drop_before(position)
    assert [segment for segment, _ in log.segments()] == [name(2)]
    assert spool.lsn_of(position, SEGMENT_BYTES) == 2 * SEGMENT_BYTES
    # A segment ends: the place is the beginning of the next one.
    write(log.folder, 2, 1, is_partial=False)
    assert log.new(position)[1] == spool.Position(name(3), 0, "")
    assert spool.Position.parse(str(position)) == position
    (log.folder / name(2)).unlink()
    write(log.folder, 5, 1, is_partial=True)
    with pytest.raises(Gap):
        log.new(position)


def test_segments_follow_each_other_over_the_end_of_a_file_number() -> None:
    size = 16 * 1024 * 1024
    assert spool.successor("0000000100000000000000FF", size) == "000000010000000100000000"
    assert spool.parse_lsn("1/10") == (1 << 32) + 16
    assert spool.lsn_of(spool.Position("000000010000000100000000", 8, ""), size) == (1 << 32) + 8


def piece(number: int) -> tuple[bytes, bytes]:
    return number.to_bytes(16), bytes([number]) * SMALL_BYTES


async def test_other_cell_keeps_pieces_within_bounds_and_each_cell_apart(tmp_path: Path) -> None:
    clock = SetClock(datetime(2026, 11, 27, tzinfo=UTC))
    us = Peer(tmp_path / "sg", CELL, 3 * SMALL_BYTES, clock)
    eu = Peer(tmp_path / "sg", uuid4(), 3 * SMALL_BYTES, clock)
    eu.backups = us.backups
    keeper, other = Keeper(us.ask), Keeper(eu.ask)
    await keeper.put([piece(1), piece(2)])
    await keeper.put([piece(2)])  # asked again after an answer was lost
    assert await keeper.get([piece(2)[0], piece(9)[0]]) == [piece(2)[1], None]
    assert await other.get([piece(1)[0]]) == [None]
    assert [name async for names in keeper.names() for name in names] == [piece(1)[0], piece(2)[0]]
    for wrong, code in (
        ([(piece(1)[0], piece(3)[1])], "piece-differs"),
        ([(piece(3)[0], b"short")], "no-piece"),
        ([piece(3), piece(4)], "backup-full"),
    ):
        with pytest.raises(PeerRefused) as refused:
            await keeper.put(wrong)
        assert refused.value.said == code
    for body in (b"", b"\xc1", msgspec.msgpack.encode({"do": "open"})):
        with pytest.raises(PeerRefused) as refused:
            await us.ask(body)
        assert refused.value.said == "not-understood"
    # What is dropped can be had for a day: who has taken over home cannot destroy it unseen.
    await keeper.drop([piece(1)[0]])
    assert (await keeper.get([piece(1)[0]])) == [piece(1)[1]]
    assert [name async for names in keeper.names() for name in names] == [piece(2)[0]]
    clock.advance(timedelta(hours=25))
    assert (await keeper.get([piece(1)[0]])) == [None]
    await keeper.drop([piece(2)[0]], at_once=True)
    assert (await keeper.how_much()).pieces == 0
    assert [path for path in (tmp_path / "sg" / "backups").rglob("*") if path.is_file()] == []
    # For a sale: everything of one cell, and nothing of another.
    await keeper.put([piece(1)])
    await other.put([piece(1)])
    assert await keeper.drop_all() == 1
    assert (await other.how_much()).pieces == 1


async def test_piece_without_an_answer_is_removed_at_the_next_start(tmp_path: Path) -> None:
    us = Peer(tmp_path / "sg", CELL)
    await Keeper(us.ask).put([piece(1)])
    stray = tmp_path / "sg" / "backups" / str(CELL) / "ab" / ("ab" * 16)
    stray.parent.mkdir()
    stray.write_bytes(b"cut off")
    us.backups.close()
    again = Peer(tmp_path / "sg", CELL)
    assert not stray.exists()
    assert await Keeper(again.ask).get([piece(1)[0]]) == [piece(1)[1]]


async def test_who_keeps_for_nobody_says_so(tmp_path: Path) -> None:
    with pytest.raises(PeerRefused) as refused:
        await Keeper(Peer(tmp_path / "sg", CELL, 0).ask).put([piece(1)])
    assert refused.value.said == "keeps-no-backups"
    assert kept.MOST_BYTES % kept.LARGE_BYTES == 0
