"""A sequencer that is ended between two steps is followed by one that does the rest."""

from __future__ import annotations

import shutil

import pytest
from tests.ledger.house import House, Stop, naive_root, person, said, stopping_at

from luciole.border.peers import Witnesses
from luciole.kit.blobs import Blobs, Missing, Moved
from luciole.ledger.archive import Stopped
from luciole.ledger.merkle import leaf_hash, verify_inclusion
from luciole.ledger.tiles import Tile

STEPS = ("appended", "committed", "stored", "signed", "asked", "published")


@pytest.mark.parametrize("step", STEPS)
async def test_next_sequencer_does_the_rest(house: House, step: str) -> None:
    first = [person() for _ in range(300)]
    await house.put(*first, first_ref=1)
    await house.sequencer().round()
    second = [person() for _ in range(300)]
    await house.put(*second, first_ref=301)
    with pytest.raises(Stop):
        await house.sequencer(at=stopping_at(step)).round()
    third = [person() for _ in range(300)]
    await house.put(*third, first_ref=601)
    await house.sequencer().round()
    assert house.published() == first + second + third
    assert await house.rows("SELECT * FROM ledger.inbox") == []
    assert await house.rows("SELECT * FROM ledger.staged") == []
    assert await house.rows("SELECT ref - idx, count(*) FROM ledger.place GROUP BY 1") == [(1, 900)]


@pytest.mark.parametrize("step", STEPS)
async def test_stopped_round_can_be_repeated_by_the_same_process(house: House, step: str) -> None:
    made = [person() for _ in range(10)]
    await house.put(*made)
    hooks = [stopping_at(step)]
    sequencer = house.sequencer(at=lambda reached: hooks[-1](reached))
    with pytest.raises(Stop):
        await sequencer.round()
    sequencer.forget()
    hooks.append(lambda reached: None)
    await sequencer.round()
    assert house.published() == made


async def test_first_round_of_all_may_be_stopped_anywhere(house: House) -> None:
    made = [person() for _ in range(10)]
    await house.put(*made)
    for step in STEPS:
        with pytest.raises(Stop):
            await house.sequencer(at=stopping_at(step)).round()
        more = person()
        made.append(more)
        await house.put(more)
    await house.sequencer().round()
    assert house.published() == made


# The archive


async def test_lost_tile_stops_the_log_until_it_is_back(house: House) -> None:
    await house.put(*[person() for _ in range(300)])
    await house.sequencer().round()
    lost = house.folder / "tile/0/001.p/44"
    held = lost.read_bytes()
    lost.unlink()
    made = person()
    await house.put(made)
    before = (house.folder / "pending").read_bytes()
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "archive-damaged"
    assert (house.folder / "pending").read_bytes() == before
    lost.write_bytes(held)
    await house.sequencer().round()
    assert house.published()[-1] == made


@pytest.mark.parametrize("name", ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"])
async def test_changed_tile_stops_the_log(house: House, name: str) -> None:
    await house.put(*[person() for _ in range(300)])
    await house.sequencer().round()
    path = house.folder / name
    held = path.read_bytes()
    # Another byte, whichever was there: a hash ends in any of them.
    path.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    await house.put(person())
    before = (house.folder / "pending").read_bytes()
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "archive-damaged"
    assert (house.folder / "pending").read_bytes() == before


async def test_head_by_another_key_stops_the_log(house: House) -> None:
    await house.put(person())
    await house.sequencer().round()
    note = (house.folder / "pending").read_bytes()
    text = note.partition(b"\n\n")[0] + b"\n\n"
    (house.folder / "pending").write_bytes(text + "— somebody AAAAAAAA\n".encode())
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "archive-damaged"


@pytest.mark.parametrize("what", ["all", "pending"])
async def test_emptied_archive_stops_the_log(house: House, what: str) -> None:
    """Not even the witness is needed to notice."""
    await house.put(person())
    await house.sequencer().round()
    if what == "all":
        shutil.rmtree(house.folder)
    else:
        (house.folder / "pending").unlink()
    with pytest.raises(Stopped) as stopped:
        await house.sequencer(witnesses=Witnesses(house.signer.verifier, [])).round()
    assert stopped.value.code == "archive-behind"


async def test_database_without_memory_and_archive_without_pending_is_noticed(
    house: House,
) -> None:
    nothing = await house.backup()
    await house.put(person())
    await house.sequencer().round()
    (house.folder / "pending").unlink()
    await house.restore(nothing)
    with pytest.raises(Stopped) as stopped:
        await house.sequencer(witnesses=Witnesses(house.signer.verifier, [])).round()
    assert stopped.value.code == "archive-behind"


async def test_archive_put_back_is_noticed(house: House) -> None:
    await house.put(person())
    await house.sequencer().round()
    shutil.copytree(house.folder, house.home / "older")
    await house.put(person())
    await house.sequencer().round()
    shutil.rmtree(house.folder)
    shutil.copytree(house.home / "older", house.folder)
    with pytest.raises(Stopped) as stopped:
        await house.sequencer(witnesses=Witnesses(house.signer.verifier, [])).round()
    assert stopped.value.code == "archive-behind"


async def test_archive_and_database_put_back_together_are_noticed_by_the_witness(
    house: House,
) -> None:
    await house.put(person())
    await house.sequencer().round()
    held = await house.backup()
    shutil.copytree(house.folder, house.home / "older")
    await house.put(person())
    await house.sequencer().round()
    await house.restore(held)
    shutil.rmtree(house.folder)
    shutil.copytree(house.home / "older", house.folder)
    await house.put(person())
    before = (house.folder / "pending").read_bytes()
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "witness-ahead"
    assert (house.folder / "pending").read_bytes() == before


async def test_leftover_of_who_was_stopped_before_signing_gives_way(house: House) -> None:
    """Tiles that no head covers: their database lost the commit with a failover."""
    await house.put(*[person() for _ in range(250)])
    await house.sequencer().round()
    held = await house.backup()
    await house.put(*[person() for _ in range(10)])
    with pytest.raises(Stop):
        await house.sequencer(at=stopping_at("stored")).round()
    assert (house.folder / "tile/0/000").exists()
    await house.restore(held)
    made = [person() for _ in range(10)]
    await house.put(*made)
    await house.sequencer().round()
    assert house.published()[250:] == made


async def test_tile_that_a_head_covers_never_gives_way(house: House) -> None:
    """Two databases on one archive: the second to sign stops."""
    await house.put(person())
    await house.sequencer().round()
    held = await house.backup()
    await house.put(person())
    with pytest.raises(Stop):
        await house.sequencer(at=stopping_at("stored")).round()
    other = await house.backup()
    await house.restore(held)
    await house.put(person())
    await house.sequencer().round()
    good = house.published()
    await house.restore(other)
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code in ("log-forked", "archive-damaged")
    assert house.published() == good


async def test_staged_tile_that_differs_from_a_signed_one_is_refused(house: House) -> None:
    await house.put(person())
    with pytest.raises(Stop):
        await house.sequencer(at=stopping_at("signed")).round()
    await house.owner.execute("UPDATE ledger.staged SET content = content || 'x'")
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "archive-damaged"


async def test_full_tile_that_differs_from_a_signed_one_is_refused(house: House) -> None:
    """Restored rows that are of no use, and an object that was changed: each alone is enough."""
    await house.put(*[person() for _ in range(256)])
    with pytest.raises(Stop):
        await house.sequencer(at=stopping_at("signed")).round()
    tile = house.folder / "tile/0/000"
    tile.write_bytes(tile.read_bytes()[::-1])
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "archive-damaged"


async def test_lost_full_tile_is_noticed_by_who_needs_it(house: House) -> None:
    await house.put(*[person() for _ in range(300)])
    await house.sequencer().round()
    with pytest.raises(Missing):
        await house.sequencer().archive.read(Tile(0, 7))


async def test_archive_proves_that_an_entry_is_there(house: House) -> None:
    made = [person() for _ in range(300)]
    await house.put(*made)
    sequencer = house.sequencer()
    await sequencer.round()
    root = naive_root(made)
    for index in (0, 255, 256, 299):
        path = await sequencer.archive.path(index, 300)
        verify_inclusion(index, 300, leaf_hash(made[index]), path, root)


async def test_somebody_who_signed_meanwhile_is_noticed(house: House) -> None:
    await house.put(person())
    await house.sequencer().round()
    theirs = house.sequencer()

    async def meanwhile() -> None:
        await house.put(person())

    await meanwhile()

    class Late(Blobs):
        async def put_new(self, objects: object) -> None:
            await super().put_new(objects)  # type: ignore[arg-type]
            note = (house.folder / "pending").read_bytes()
            (house.folder / "pending").write_bytes(note + note[note.index(b"\n\n") + 2 :])

    late = Late(house.blobs._store, house.blobs._folder)
    with pytest.raises(Moved):
        await house.sequencer(blobs=late).round()
    await theirs.round()
    assert len(house.published()) == 2
    assert said((house.folder / "pending").read_bytes())[0] == 2
