"""What a cell keeps of a peer's logs and serves to others: complete, cosigned, within bounds."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.house import naive_root, person
from tests.ledger.shown import COSIGNERS
from tests.ledger.test_circle import LIMITS, SG, Far, circle_in

from luciole.kit.blobs import Missing
from luciole.ledger.note import KeyKind, Note, Signer
from luciole.ledger.policy import Policy
from luciole.ledger.tiles import Tile
from luciole.mirrors import Mirrors
from luciole.witness import keeping
from luciole.witness.circle import Circle
from luciole.witness.room import Limits, Room


class Publishing(Far):
    """A peer that publishes what our witness has cosigned, and its policy."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = "".join(f"log {log.signer.verifier}\n" for log in self.logs.values())
        self.policy += f"witness us {COSIGNERS[0].verifier}\nquorum us\n"
        self.published: dict[str, bytes] = {}
        self.fetched: list[str] = []

    async def get(self, peer: str, path: str, most: int) -> bytes:
        self.fetched.append(path)
        _, _, rest = path.partition("/")
        found = {"policy": self.policy.encode(), **self.published}.get(rest)
        if found is not None and not self.is_away:
            return found
        return await super().get(peer, path, most)

    def publish(self, name: str, size: int | None = None) -> None:
        """The head of that size, cosigned by us."""
        raw = self.logs[name].head(size)
        line = COSIGNERS[0].line(Note.parse(raw).text, 1_800_000_000)
        self.published[f"{name}/checkpoint"] = raw + line.encode()


@pytest.fixture
def far() -> Publishing:
    return Publishing()


@pytest.fixture(autouse=True)
def everything_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "TOLD_EVERY_S", -1.0)


async def look(circle: Circle, far: Publishing, *, publishes: bool = True) -> None:
    """The peer publishes what we have seen, and we look."""
    for peer in list(circle._peers.values()):
        await circle._look_and_keep(peer)
        if publishes:
            for name in far.logs:
                far.publish(name)
            await circle._look_and_keep(peer)


async def begun(home: Path, far: Publishing, limits: Limits = LIMITS) -> tuple[Circle, Mirrors]:
    circle = circle_in(home, far, limits)
    await circle.learn()
    return circle, Mirrors(home / "peers")


async def shown(mirrors: Mirrors, log: str) -> int:
    """The size that a mirror shows of a log, cosigned as the peer's policy asks."""
    policy = Policy.parse(await mirrors.read("sg", "policy"))
    return policy.check(await mirrors.read("sg", f"{log}/checkpoint")).checkpoint.size


async def test_reader_of_a_mirror_gets_what_the_peer_has_published(
    tmp_path: Path, far: Publishing
) -> None:
    circle, mirrors = await begun(tmp_path, far)
    far.logs["border"].add(*[person() for _ in range(400)])
    await look(circle, far)
    far.is_away = True
    for name, log in far.logs.items():
        size = await shown(mirrors, name)
        assert size == len(log.entries)
        for path in log.objects:
            # Partial tiles of heads in between were never shown to us.
            if Tile.of_path(path).width in (256, size % 256):
                assert await mirrors.read(str(SG), f"{name}/{path}") == log.objects[path]
    (told,) = await mirrors.told()
    assert (told.name, told.state) == ("sg", "kept")
    assert {one.log: one.size for one in told.logs} == {"access": 3, "decisions": 3, "border": 403}
    assert told.bytes >= sum(len(one) for one in far.logs["border"].entries)


async def test_head_that_was_published_before_our_word_came_has_it_in_the_mirror(
    tmp_path: Path, far: Publishing
) -> None:
    far.policy = far.policy.replace("quorum us", "quorum none")
    circle, mirrors = await begun(tmp_path, far)
    far.published["border/checkpoint"] = far.logs["border"].head()
    await look(circle, far, publishes=False)
    note = Note.parse(await mirrors.read("sg", "border/checkpoint"))
    assert {one.key.name for one in note.verify([COSIGNERS[0].verifier])} == {"watch"}


async def test_mirror_is_read_when_the_peer_is_none_any_more(
    tmp_path: Path, far: Publishing
) -> None:
    circle, mirrors = await begun(tmp_path, far)
    await look(circle, far)
    far.peers = lambda: asyncio.sleep(0, [])  # type: ignore[method-assign]
    await circle.learn()
    assert await mirrors.read("sg", "border/checkpoint")
    assert [one.name for one in await mirrors.told()] == ["sg"]


@pytest.mark.parametrize("path", ["", "policy/..", "keys.json", "border/state", "border/tile/0/1"])
async def test_nothing_else_is_served(tmp_path: Path, far: Publishing, path: str) -> None:
    circle, mirrors = await begun(tmp_path, far)
    await look(circle, far)
    with pytest.raises(Missing):
        await mirrors.read("sg", path)
    for cell in ("..", "us", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(Missing):
            await mirrors.read(cell, "policy")


async def unsigned(far: Publishing) -> None:
    other = Signer("other", KeyKind.COSIGNATURE, b"o" * 32).verifier
    both = f"witness o {other}\ngroup both all us o\nquorum both"
    far.policy = far.policy.replace("quorum us", both)


async def other_keys(far: Publishing) -> None:
    far.policy = f"witness us {COSIGNERS[0].verifier}\nquorum us\n"


@pytest.mark.parametrize("flaw", [unsigned, other_keys])
async def test_head_that_too_few_cosigned_is_not_kept(
    tmp_path: Path, far: Publishing, flaw: Callable[[Publishing], Any]
) -> None:
    circle, mirrors = await begun(tmp_path, far)
    far.publish("border")
    await flaw(far)
    await look(circle, far, publishes=False)
    with pytest.raises(Missing):
        await mirrors.read("sg", "border/checkpoint")
    # The same without the flaw.
    far.policy = Publishing().policy
    await look(circle, far)
    assert await mirrors.read("sg", "border/checkpoint")


async def test_published_head_that_contradicts_the_mirror_is_kept_as_evidence(
    tmp_path: Path, far: Publishing
) -> None:
    circle, mirrors = await begun(tmp_path, far)
    await look(circle, far)
    log = far.logs["border"]
    other = log.signed(3, naive_root([person() for _ in range(3)]))
    far.published["border/checkpoint"] = other
    # Our own look at it is a day old.
    log.add(person())
    await look(circle, far, publishes=False)
    (pair,) = await mirrors.evidence("sg")
    assert (pair.log, pair.code, pair.theirs.encode()) == ("border", "fork", other)
    await look(circle, far, publishes=False)
    assert far.told[-1] == ("RED", "fork")


async def test_mirror_at_its_limit_stops_keeping_entries_and_goes_on_cosigning(
    tmp_path: Path, far: Publishing
) -> None:
    circle, mirrors = await begun(tmp_path, far)
    await look(circle, far)
    # By now it takes some hundred KiB of blocks; there is no room for more.
    (told,) = await mirrors.told()
    small = Limits(told.bytes, 0, 1 << 30)
    circle, mirrors = await begun(tmp_path, far, small)
    log = far.logs["access"]
    log.add(*[person() for _ in range(700)])
    await look(circle, far)
    assert far.told[-1] == ("GREEN", "cosigned")
    assert await shown(mirrors, "access") == 3
    (told,) = await mirrors.told()
    assert (told.state, {one.log: one.size for one in told.logs}["access"]) == ("limit", 3)
    # Also what was signed since is not shown, because its entries are not here.
    heads = [await mirrors.read("sg", f"access/{name}") for name in ("pending", "checkpoint")]
    assert heads[0] == heads[1]
    with pytest.raises(Missing):
        await mirrors.read("sg", "access/tile/entries/001")
    # A witness that begins anew goes on from there, with what the peer shows of the rest.
    circle, mirrors = await begun(tmp_path, far, small)
    log.add(person())
    await look(circle, far)
    assert far.told[-1] == ("GREEN", "cosigned")
    lines = await circle.add_checkpoint(log.request(704, 704))
    assert "watch" in lines
    # And what was left out comes when there is room.
    circle, mirrors = await begun(tmp_path, far)
    log.add(person())
    await look(circle, far)
    assert await shown(mirrors, "access") == 705
    far.is_away = True
    for path in ("tile/entries/000", "tile/entries/001", "tile/0/001", "tile/entries/002.p/193"):
        assert await mirrors.read("sg", f"access/{path}") == log.objects[path]


async def test_peer_that_changes_what_was_left_out_is_not_believed(
    tmp_path: Path, far: Publishing
) -> None:
    circle, mirrors = await begun(tmp_path, far, Limits(0, 0, 1 << 30))
    log = far.logs["access"]
    log.add(*[person() for _ in range(300)])
    await look(circle, far)
    true = log.objects["tile/entries/000"]
    log.objects["tile/entries/000"] = true[:-1] + bytes([true[-1] ^ 1])
    circle, mirrors = await begun(tmp_path, far)
    log.add(person())
    await look(circle, far)
    with pytest.raises(Missing):
        await mirrors.read("sg", "access/tile/entries/000")


async def test_full_disk_stops_a_mirror_and_is_told(
    tmp_path: Path, far: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle, mirrors = await begun(tmp_path, far)
    await look(circle, far)
    monkeypatch.setattr(Room, "_state", lambda *_: asyncio.sleep(0, "disk"))
    far.logs["border"].add(person())
    await look(circle, far)
    (told,) = await mirrors.told()
    assert told.state == "disk"
    assert far.told[-1] == ("GREEN", "cosigned")


async def test_write_that_fails_for_want_of_room_ends_nothing(
    tmp_path: Path, far: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle, _ = await begun(tmp_path, far)
    await look(circle, far)

    async def full(*_given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (peer,) = circle._peers.values()
    for mirror in peer.witness._mirrors.values():
        monkeypatch.setattr(mirror.blobs, "put_durably", full)
    far.logs["border"].add(person())
    await look(circle, far)
    assert far.told[-1] == ("CANNOT TELL", "mirror-full")
    monkeypatch.undo()
    await look(circle, far)
    assert far.told[-1] == ("GREEN", "cosigned")


async def test_fetching_keeps_to_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept, now = list[float](), 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    room = Room(tmp_path, Limits(0, 0, 1000), lambda: now)
    for _ in range(10):
        await room.pace(1000)
    # Ten seconds' worth, of which two come at once.
    assert sum(slept) == pytest.approx(8.0)


async def test_what_a_mirror_takes_is_counted_on_the_disk(tmp_path: Path) -> None:
    room = Room(tmp_path, Limits(10_000_000, 0, 1))
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "file").write_bytes(bytes(1_000_000))
    assert await room.has(8_000_000)
    assert 1_000_000 <= room.bytes < 1_100_000
    room.took(8_500_000)
    assert not await room.has(1_000_000)
    assert await room.why() == "limit"
    little = Room(tmp_path, Limits(10_000_000, 1000, 1), free=lambda _: 999)
    assert not await little.has(0)
    assert await little.why() == "disk"
