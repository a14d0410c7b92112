"""The cell's own witness among peers: whose logs it cosigns, and when it says RED."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.ledger.house import naive_root, person
from tests.ledger.shown import COSIGNERS, Shown, body

from luciole.ask.gateway import PeerInfo, PeerRefused, PeerUnreachable
from luciole.border.outward import Verdict
from luciole.border.peers import PeerAway
from luciole.kit.blobs import Missing
from luciole.ledger.note import Checkpoint, KeyKind, Note, Signer
from luciole.witness.circle import Circle
from luciole.witness.cosigner import Witness
from luciole.witness.follow import LOGS, Follower
from luciole.witness.mirror import Refusal
from luciole.witness.room import Limits

LIMITS = Limits(1 << 30, 0, 1 << 30)
SG = UUID("6f1d2a34-9b7c-4e58-8a10-5c3de0b7f921")


class Log(Shown):
    """A log of another cell."""

    def __init__(self, name: str) -> None:
        self.signer = Signer(f"luciole/{SG}/{name}", KeyKind.ED25519, name.encode().ljust(32))
        super().__init__([person() for _ in range(3)])

    def signed(self, size: int, root: bytes) -> bytes:
        return self.signer.sign(str(Checkpoint(self.signer.verifier.name, size, root))).encode()


class Far:
    """The gateway, and a peer behind it."""

    def __init__(self) -> None:
        self.logs = {name: Log(name) for name in LOGS}
        self.is_away = False
        self.heads: dict[str, bytes] = {}
        self.told: list[tuple[Verdict, str]] = []
        self.heard = asyncio.Event()
        keys = tuple(str(log.signer.verifier) for log in self.logs.values())
        self.info = PeerInfo("sg", SG, "https://sg.example", "Sg", "SG", "", keys)

    async def peers(self) -> list[PeerInfo]:
        return [self.info]

    async def get(self, peer: str, path: str, most: int) -> bytes:
        assert peer == "sg"
        if self.is_away:
            raise PeerUnreachable
        _, name, rest = path.split("/", 2)
        if rest == "pending":
            return self.heads.get(name) or self.logs[name].head()
        try:
            return await self.logs[name].get(rest)
        except Missing:
            raise PeerRefused("missing", 404) from None

    async def tell(self, peer: str, verdict: Verdict, code: str) -> None:
        self.told.append((verdict, code))
        self.heard.set()


@pytest.fixture
def far() -> Far:
    return Far()


def circle_in(home: Path, far: Far, limits: Limits = LIMITS) -> Circle:
    async def nothing(path: str) -> bytes:
        raise Missing(path)

    witness = Witness(home, COSIGNERS, lambda: 1_800_000_000.5, lambda sentence: None)
    return Circle(
        Follower(witness, nothing),
        witness,
        COSIGNERS,
        far,  # type: ignore[arg-type]
        lambda sentence: None,
        limits,
    )


@pytest.fixture
async def circle(tmp_path: Path, far: Far) -> Circle:
    made = circle_in(tmp_path, far)
    await made.learn()
    return made


async def look(circle: Circle) -> None:
    for peer in list(circle._peers.values()):
        await circle._look(peer)


async def test_peer_whose_logs_fit_is_green_and_is_cosigned(circle: Circle, far: Far) -> None:
    await look(circle)
    assert far.told == [("GREEN", "cosigned")]
    log = far.logs["border"]
    log.add(person())
    lines = await circle.add_checkpoint(log.request(3))
    note = Note.parse(log.head() + lines.encode())
    assert {one.key.name for one in note.verify([COSIGNERS[0].verifier])} == {"watch"}
    assert far.told == [("GREEN", "cosigned")]


async def test_mirror_of_a_peer_is_there_for_others(circle: Circle, far: Far) -> None:
    await look(circle)
    peer = circle._peers[str(SG)]
    folders = [one.name for one in peer.witness.home.iterdir() if one.is_dir()]
    assert len(folders) == 3
    for folder in folders:
        assert b"watch" in await circle.read(f"{folder}/checkpoint")
    with pytest.raises(Missing):
        await circle.read("nobody/checkpoint")


async def test_peer_that_was_put_back_is_red_until_it_goes_on(circle: Circle, far: Far) -> None:
    await look(circle)
    log = far.logs["border"]
    far.heads["border"] = log.head(2)
    await look(circle)
    assert far.told[-1] == ("RED", "rollback")
    far.heads.clear()
    log.add(person())
    await look(circle)
    assert far.told[-1] == ("GREEN", "cosigned")


async def test_peer_that_forked_stays_red_also_for_a_witness_that_begins_anew(
    circle: Circle, far: Far, tmp_path: Path
) -> None:
    await look(circle)
    log = far.logs["border"]
    others = [person() for _ in range(3)]
    far.heads["border"] = log.signed(3, naive_root(others))
    await look(circle)
    assert far.told[-1] == ("RED", "fork")
    far.heads.clear()
    again = circle_in(tmp_path, far)
    await again.learn()
    await look(again)
    assert far.told[-1] == ("RED", "fork")


async def test_fork_that_is_handed_over_is_red_at_once(circle: Circle, far: Far) -> None:
    await look(circle)
    others = [person() for _ in range(4)]
    log = far.logs["border"]
    log.entries = others
    with pytest.raises(Refusal):
        await circle.add_checkpoint(body(3, [], log.signed(3, naive_root(others[:3]))))
    assert far.told[-1] == ("RED", "fork")


async def test_peer_that_is_away_cannot_be_told_of(circle: Circle, far: Far) -> None:
    await look(circle)
    far.is_away = True
    far.logs["border"].add(person())
    with pytest.raises(PeerAway):
        await circle.add_checkpoint(far.logs["border"].request(3))
    await look(circle)
    assert far.told[-1] == ("CANNOT TELL", "away")
    far.is_away = False
    await look(circle)
    assert far.told[-1] == ("GREEN", "cosigned")


async def test_peer_with_other_keys_than_the_first_time_is_red(
    circle: Circle, far: Far, tmp_path: Path
) -> None:
    await look(circle)
    other = Signer(f"luciole/{SG}/border", KeyKind.ED25519, b"other".ljust(32))
    keys = (*far.info.log_keys[:2], str(other.verifier))
    far.info = PeerInfo("sg", SG, far.info.origin, "Sg", "SG", "", keys)
    again = circle_in(tmp_path, far)
    await again.learn()
    await look(again)
    assert far.told[-1] == ("RED", "other-key")


async def test_peer_with_a_long_log_holds_nobody_else_up(
    circle: Circle, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = UUID("c0ffee00-1111-4222-8333-444455556666")
    infos = [far.info, PeerInfo("eu", other, "https://eu.example", "Eu", "FR")]
    looks: list[str] = []
    often = asyncio.Event()

    async def peers() -> list[PeerInfo]:
        return infos

    async def look(peer: Any) -> None:
        looks.append(peer.info.name)
        if peer.info.name == "sg":
            await asyncio.Event().wait()
        if looks.count("eu") == 3:
            often.set()

    monkeypatch.setattr(far, "peers", peers)
    monkeypatch.setattr(circle, "_look_and_keep", look)
    monkeypatch.setattr("luciole.witness.circle.LOOKS_EVERY_S", 0.01)
    stop = asyncio.Event()
    running = asyncio.create_task(circle.run(stop))
    async with asyncio.timeout(30):
        await often.wait()
        stop.set()
        await running
    assert looks.count("sg") == 1


async def test_it_looks_until_it_is_stopped(circle: Circle, far: Far) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(circle.run(stop))
    async with asyncio.timeout(5):
        await far.heard.wait()
    stop.set()
    await running
