"""The key ring: what it gives of a person whose key has a guardian, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from luciole.custody.keyring import DataKey, KeyRing, Renew
from luciole.custody.model import GuardianAway, GuardianState, KeyGone, NoGuardian
from luciole.keys import Card, Half, KeyStore, RootKey
from luciole.kit.clock import SetClock

ANA = uuid4()


class Guardian:
    """Gives one half to whoever asks; what is done meanwhile is done by `during`."""

    def __init__(self, half: Half) -> None:
        self.half = half
        self.forgotten: list[UUID] = []
        self.during = lambda: None

    async def deposit(self, label_key: bytes) -> Half | None:
        return self.half

    async def secret(self, person_id: UUID, card: Card, renew: Renew) -> bytes:
        self.during()
        return self.half.secret

    def prepare(self, person_id: UUID, card: Card, renew: Renew) -> None: ...

    async def forget(self, person_id: UUID, card: Card) -> None:
        self.forgotten.append(person_id)

    async def turn(self, act: str, after: bytes = b"") -> GuardianState:
        raise GuardianAway


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 26, 12, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[KeyStore]:
    folder = tmp_path / "keys"
    root = RootKey.load_or_make(folder / "root.key")
    with closing(KeyStore(folder, root, clock=clock)) as store:
        yield store


@pytest.fixture
def guardian(store: KeyStore) -> Guardian:
    guardian = Guardian(Half.new())
    store.enrol(ANA, None, guardian.half)
    return guardian


async def renew() -> None: ...


async def test_without_its_guardian_a_guarded_key_is_away(
    store: KeyStore, clock: SetClock, guardian: Guardian
) -> None:
    ring = KeyRing(store, clock, None)
    assert isinstance(ring.known(ANA), Card)
    with pytest.raises(GuardianAway):
        await ring.key(ANA, renew)
    with pytest.raises(NoGuardian):
        await ring.turn("on", b"")


async def test_guardian_gives_what_opens(
    store: KeyStore, clock: SetClock, guardian: Guardian
) -> None:
    ring = KeyRing(store, clock, guardian)
    assert isinstance(await ring.key(ANA, renew), DataKey)
    with pytest.raises(GuardianAway):
        await ring.turn("on", b"")


async def test_key_that_is_shredded_while_the_guardian_is_asked_is_gone(
    store: KeyStore, clock: SetClock, guardian: Guardian
) -> None:
    guardian.during = lambda: store.shred(ANA)
    with pytest.raises(KeyGone):
        await KeyRing(store, clock, guardian).key(ANA, renew)


async def test_key_that_is_released_needs_no_guardian_and_no_second_release(
    store: KeyStore, clock: SetClock, guardian: Guardian
) -> None:
    ring = KeyRing(store, clock, guardian)
    await ring.release(ANA, renew)
    await ring.release(ANA, renew)
    assert guardian.forgotten == [ANA]
    assert isinstance(await KeyRing(store, clock, None).key(ANA, renew), DataKey)
