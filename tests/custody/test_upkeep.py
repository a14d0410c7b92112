"""What the broker does by itself: tidying, people of earlier versions, keys and databases that do
not belong together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.cell.vault import Vault
from tests.custody.conftest import ADD_PERSON, Place, Somebody

from luciole import adoption, fit
from luciole.ask.client import Custody
from luciole.custody.keyring import DataKey
from luciole.custody.model import CustodyAway
from luciole.custody.warm import Warm
from luciole.keys import NoKey
from luciole.keys.seal import encrypt, new_key
from luciole.keys.seal import place as where_it_belongs
from luciole.kit.clock import SetClock
from luciole.kit.ids import new_id


async def test_keys_of_a_sign_up_that_never_ended_are_destroyed(
    place: Place, api: Custody, ana: Somebody
) -> None:
    never = new_id()
    await api.enrol(never, None)
    place.clock.advance(timedelta(hours=23))
    late = new_id()
    await api.enrol(late, None)
    place.clock.advance(timedelta(hours=2))
    # Ana has never used her session, and has an account all the same.
    await place.broker.tidy()
    with pytest.raises(NoKey):
        place.vault.store.data_key(never)
    assert place.vault.store.data_key(late)
    assert place.vault.store.data_key(ana.id)
    assert place.vault.store.unconfirmed(place.clock.now()) == [late]


async def test_people_erased_after_the_backup_that_was_restored_lose_their_keys_again(
    place: Place, api: Custody, ana: Somebody
) -> None:
    ben = await place.person(api)
    await place.rows("DELETE FROM people.person WHERE id = $1 RETURNING 1", ben.id)
    store = place.vault.store
    with store._wraps:
        store._wraps.doubt()  # as `keys.restore` does
    await place.broker.tidy()
    with pytest.raises(NoKey):
        store.data_key(ben.id)
    assert store.data_key(ana.id)
    assert store.unconfirmed(place.clock.now()) == []


async def test_ended_grants_are_forgotten(place: Place, worker: Custody, ana: Somebody) -> None:
    await worker.automated_grant(ana.id, "export")
    place.clock.advance(timedelta(days=2))
    await place.broker.tidy()
    assert await place.rows("SELECT 1 FROM custody.permit") == []
    assert await place.entries(ana.id) == [0, 1]


async def test_tidying_without_a_database_is_refused(place: Place) -> None:
    await place.vault.db.close()
    with pytest.raises(CustodyAway):
        await place.broker.tidy()


def first_wrap(vault: Vault, person_id: UUID, data_key: bytes) -> bytes:
    """As the first version wrapped a data key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

    secret = vault.store.secret
    bound = where_it_belongs("luciole/wrap/v1", vault.store.cell_id, person_id, "data-key", 1)
    return secret.derived("root-id")[:8] + encrypt(
        AESGCMSIV(secret.derived("wrap")), data_key, bound
    )


async def test_people_of_the_first_version_move_into_the_store_and_the_log(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "AT_ONCE", 2)
    data_keys = {new_id(): new_key() for _ in range(3)}
    for person_id, data_key in data_keys.items():
        await place.rows(ADD_PERSON, person_id)
        wrapped = first_wrap(place.vault, person_id, data_key)
        await place.rows("INSERT INTO people.data_key VALUES ($1, $2)", person_id, wrapped)
    run = adoption.run(place.vault.store, place.vault.db, place.broker)
    assert await run == 3
    for person_id, data_key in data_keys.items():
        assert place.vault.store.data_key(person_id) == data_key
        assert await place.entries(person_id) == [0]
    assert await place.rows("SELECT 1 FROM people.data_key") == []
    # A second start finds nothing; one that was cut off in between makes no second entry.
    one = next(iter(data_keys))
    wrapped = first_wrap(place.vault, one, data_keys[one])
    await place.rows("INSERT INTO people.data_key VALUES ($1, $2)", one, wrapped)
    assert await adoption.run(place.vault.store, place.vault.db, place.broker) == 1
    assert await place.entries(one) == [0]


async def test_keys_and_database_that_belong_together(place: Place, tmp_path: Path) -> None:
    mine = place.vault.store.secret
    other = Vault.at(tmp_path / "other", place.vault.db)
    async with place.vault.db.tx() as tx:
        # Nothing was sealed: any keys will do, also those that are not made yet.
        assert not await fit.check(tx, None)
        assert not await fit.check(tx, other.store.secret)
        await fit.bind(tx, mine)
        await fit.bind(tx, mine)
        assert await fit.check(tx, mine)
        with pytest.raises(fit.WrongKeys):
            await fit.check(tx, other.store.secret)
        with pytest.raises(fit.NoRootKey):
            await fit.check(tx, None)
    other.store.close()


async def test_database_of_the_first_version_is_recognised(place: Place, tmp_path: Path) -> None:
    person_id = new_id()
    await place.rows(ADD_PERSON, person_id)
    wrapped = first_wrap(place.vault, person_id, new_key())
    await place.rows("INSERT INTO people.data_key VALUES ($1, $2)", person_id, wrapped)
    other = Vault.at(tmp_path / "other", place.vault.db)
    async with place.vault.db.tx() as tx:
        assert await fit.check(tx, place.vault.store.secret)
        with pytest.raises(fit.WrongKeys):
            await fit.check(tx, other.store.secret)
        with pytest.raises(fit.NoRootKey):
            await fit.check(tx, None)
    other.store.close()


def test_what_is_warm_is_bounded_in_time_and_number(place: Place) -> None:
    clock = SetClock(place.clock.now())
    warm: Warm[str, int] = Warm(clock, timedelta(seconds=60), 2)
    for number, name in enumerate("abc"):
        warm.put(name, number)
    assert [warm.get(name) for name in "abc"] == [None, 1, 2]
    clock.advance(timedelta(seconds=60))
    assert [warm.get(name) for name in "abc"] == [None, None, None]
    warm.put("d", 4)
    warm.drop("d")
    warm.drop("e")
    assert warm.get("d") is None


def test_keys_hide_from_whoever_prints_them() -> None:
    key = DataKey(new_id(), new_id(), b"secret" * 6, b"hidden" * 6)
    assert "secret" not in repr(key) + str(key)
