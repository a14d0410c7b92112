"""A person's keys as the broker has them: unwrapped for a minute, or what is here without a
guardian.

Where a guardian in another cell holds the other half of a key, this cell makes labels and notes
acts by the person's card alone; to open or seal what is theirs, the half is needed, and the
guardian gives it against the log only.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from luciole.custody.model import GuardianAway, GuardianState, KeyGone, NoGuardian
from luciole.custody.warm import Warm
from luciole.keys import Card, Half, KeyStore, NoKey, open_field, seal_field, shares
from luciole.keys.seal import FIELD, place
from luciole.kit.clock import Clock
from luciole.ledger.entry import LABEL_KEY_BYTES

# How long a data key, and the word that a session is alive, may be taken from memory.
WARM = timedelta(seconds=60)
WARM_PERSONS = 20_000
JOURNAL_FIELD = "journal.entry"

Renew = Callable[[], Awaitable[None]]


class Guardian(Protocol):
    """Where the other halves of keys are (`luciole.trustee.home`)."""

    async def deposit(self, label_key: bytes) -> Half | None:
        """A new person's half, which the guardian holds from now on; None while it is not in
        office. Raises GuardianAway."""
        ...

    async def secret(self, person_id: UUID, card: Card, renew: Renew) -> bytes:
        """The half of a person about whom an entry of the last day gives the use of their key;
        `renew` makes one. Raises GuardianAway, and what `renew` raises."""
        ...

    def prepare(self, person_id: UUID, card: Card, renew: Renew) -> None:
        """Begins with that, for who will ask soon."""
        ...

    async def forget(self, person_id: UUID, card: Card) -> None:
        """The key of that person needs its half no more, so it may go. Raises CustodyAway."""
        ...

    async def turn(self, act: str, after: bytes = b"") -> GuardianState:
        """Raises GuardianAway, NoGuardian."""
        ...


class DataKey:
    """A person's keys, unwrapped; it hides them from whoever prints it."""

    __slots__ = ("_cell_id", "_data_key", "_person_id", "_place", "label_key")

    def __init__(self, cell_id: UUID, person_id: UUID, data_key: bytes, label_key: bytes) -> None:
        self._cell_id, self._person_id = cell_id, person_id
        self._place = {"cell_id": cell_id, "person_id": person_id}
        self._data_key = data_key
        self.label_key = label_key

    def __repr__(self) -> str:
        return "DataKey(hidden)"

    def seal(self, plaintext: bytes, field_id: str, version: int) -> bytes:
        return seal_field(
            self._data_key, plaintext, field_id=field_id, version=version, **self._place
        )

    def open(self, sealed: bytes, field_id: str, version: int) -> bytes:
        """Raises SealBroken."""
        return open_field(self._data_key, sealed, field_id=field_id, version=version, **self._place)

    def open_entry(self, sealed: bytes, n: int) -> bytes:
        """What entry `n` means, sealed with the key or put into its box. Raises SealBroken."""
        if not sealed.startswith(shares.BOX_FORMAT):
            return self.open(sealed, JOURNAL_FIELD, n)
        where = place(FIELD, self._cell_id, self._person_id, JOURNAL_FIELD, n)
        return shares.open_box(self._cell_id, self._data_key, sealed, where)


class KeyRing:
    """The keys of all persons of a cell, and its guardian where it has one."""

    def __init__(self, keys: KeyStore, clock: Clock, guardian: Guardian | None) -> None:
        self._keys, self._guardian = keys, guardian
        self._warm: Warm[UUID, DataKey] = Warm(clock, WARM, WARM_PERSONS)

    async def enrol(self, person_id: UUID, label_key: bytes | None) -> None:
        """Keys for a new person; who has some keeps them. Raises GuardianAway."""
        label_key, half = label_key or os.urandom(LABEL_KEY_BYTES), None
        if self._guardian and not self._keys.knows(person_id):
            # The guardian has its half before anything is wrapped with it. If we stop here, it
            # keeps one that opens nothing.
            half = await self._guardian.deposit(label_key)
        self._keys.enrol(person_id, label_key, half)

    def known(self, person_id: UUID) -> DataKey | Card:
        """The person's keys; of who has a guardian, what is here of them without it. Raises
        KeyGone."""
        key = self._warm.get(person_id)
        if key is not None:
            return key
        try:
            return self._keys.card(person_id) or self._unwrapped(person_id)
        except NoKey:
            raise KeyGone from None

    async def key(self, person_id: UUID, renew: Renew) -> DataKey:
        """The person's keys. Raises KeyGone, GuardianAway, and what `renew` raises."""
        known = self.known(person_id)
        if isinstance(known, DataKey):
            return known
        if self._guardian is None:
            raise GuardianAway
        secret = await self._guardian.secret(person_id, known, renew)
        try:
            return self._unwrapped(person_id, secret)
        except NoKey:
            raise KeyGone from None

    def prepare(self, person_id: UUID, renew: Renew) -> None:
        """Has the guardian asked already, for who will need their keys soon."""
        known = self.known(person_id)
        if self._guardian and isinstance(known, Card):
            self._guardian.prepare(person_id, known, renew)

    def seal_entry(self, person_id: UUID, n: int, text: bytes) -> bytes:
        """What entry `n` means, for the person alone. Raises KeyGone."""
        known = self.known(person_id)
        if isinstance(known, DataKey):
            return known.seal(text, JOURNAL_FIELD, n)
        # An act is noted also while the guardian gives nothing, or has not been asked yet.
        where = place(FIELD, self._keys.cell_id, person_id, JOURNAL_FIELD, n)
        return shares.put_in_box(known.box, text, where)

    async def shred(self, person_id: UUID) -> None:
        """Destroys a person's keys, here at once and at the guardian when it can be reached."""
        self._warm.drop(person_id)
        card = self._keys.card(person_id) if self._keys.knows(person_id) else None
        self._keys.shred(person_id)
        if card and self._guardian:
            await self._guardian.forget(person_id, card)

    async def release(self, person_id: UUID, renew: Renew) -> None:
        """Takes a person's key back from the guardian for good. Raises NoKey, GuardianAway."""
        card = self._keys.card(person_id)
        if card and self._guardian:
            secret = await self._guardian.secret(person_id, card, renew)
            self._keys.guard(person_id, None, secret)
            await self._guardian.forget(person_id, card)

    async def turn(self, act: str, after: bytes) -> GuardianState:
        """Who guards keys. Raises NoGuardian, GuardianAway."""
        if self._guardian is None:
            raise NoGuardian
        return await self._guardian.turn(act, after)

    def _unwrapped(self, person_id: UUID, secret: bytes = b"") -> DataKey:
        key = DataKey(
            self._keys.cell_id,
            person_id,
            self._keys.data_key(person_id, secret),
            self._keys.label_key(person_id),
        )
        self._warm.put(person_id, key)
        return key
