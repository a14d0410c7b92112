"""Brings people of an earlier version into the key store and into the log, once.

Their wraps lay in the database, under the root key. They move, and the rows go; a person without
an entry gets the one of a sign-up, with a label key made by the cell. If we stop anywhere here,
the next start goes on.
"""

from __future__ import annotations

from luciole.custody import store, wire
from luciole.custody.broker import Broker
from luciole.keys import KeyStore
from luciole.kit.db import Database

AT_ONCE = 500


async def run(keys: KeyStore, db: Database, broker: Broker) -> int:
    """How many persons were adopted."""
    adopted = 0
    while True:
        async with db.tx() as tx:
            wraps = await store.old_wraps(tx, AT_ONCE)
            # 1. Into the store, durably; those who are there already keep what they have.
            keys.adopt(wraps)
            for person_id, _ in wraps:
                # 2. Into the log, and 3. out of the database, in one transaction.
                if not await store.known(tx, [person_id]):
                    await store.take_number(tx, person_id)
                    await store.record(
                        tx, person_id, await broker.enrol(wire.Enrol(person_id, None))
                    )
                keys.confirm(person_id)
                await store.drop_old_wrap(tx, person_id)
        adopted += len(wraps)
        if len(wraps) < AT_ONCE:
            return adopted
