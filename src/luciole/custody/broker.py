"""What the broker does with each request, whoever carries it.

Order of every grant: 1. who asks is verified here, against the database; 2. the permit, the
person's number, the journal row and the log's entry are one transaction; 3. only after its commit
is the grant given. If we stop before the commit, nothing happened; after it, the next request
finds the permit and makes no second entry.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from luciole.custody import purposes, store, wire
from luciole.custody.keyring import JOURNAL_FIELD, WARM, WARM_PERSONS, Guardian, KeyRing, Renew
from luciole.custody.model import (
    Class,
    CustodyAway,
    Drawn,
    Field,
    Grant,
    GuardianState,
    Kind,
    NoGrant,
    NotOpened,
    OpenedEntry,
    PublicKey,
)
from luciole.custody.signers import Signers
from luciole.custody.warm import Warm
from luciole.keys import KeyStore, SealBroken
from luciole.keys.signing import Algorithm, verifies
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, ForeignKeyViolation, Tx
from luciole.kit.errors import NotSignedIn
from luciole.kit.ids import new_id
from luciole.ledger import entry

AFTER_MIDNIGHT = timedelta(hours=6)
UNCONFIRMED_KEPT = timedelta(days=1)
LABEL_KEY = "label-key"
INDEX_KINDS = ("email", "phone", "push")


class Broker:
    """Keys, grants and the drawing of entries, for one cell."""

    def __init__(
        self, keys: KeyStore, db: Database, clock: Clock, guardian: Guardian | None = None
    ) -> None:
        self._keys = keys
        self._ring = KeyRing(keys, clock, guardian)
        self._signers = Signers(keys)
        self._db = db
        self._clock = clock
        self._grants: Warm[UUID, Grant] = Warm(clock, WARM, WARM_PERSONS)
        self._sessions: Warm[bytes, Grant] = Warm(clock, WARM, WARM_PERSONS)

    # --- what needs no grant -------------------------------------------------------------------

    async def derived(self, asked: wire.Derived) -> bytes:
        """A key of a process. The server has looked whether this process may have it."""
        return self._keys.secret.derived(asked.purpose)

    async def index(self, asked: wire.Index) -> bytes:
        """Where a sealed address is found again. Raises NoGrant for another kind of field."""
        if asked.kind not in INDEX_KINDS:
            raise NoGrant
        return self._keys.secret.index(asked.kind, asked.text)

    async def enrol(self, asked: wire.Enrol) -> Drawn:
        """A data key for a new person, and entry 0, which commits the person's label key. Asked
        again, it keeps the first key: the caller's transaction may have been rolled back."""
        await self._ring.enrol(asked.person_id, asked.label_key)
        made_by = "you" if asked.label_key is not None else "the cell"
        return self._draw(asked.person_id, 0, "enrol", "self", {"key_made_by": made_by})

    async def draw(self, asked: wire.Draw) -> Drawn:
        """An entry for an act that the caller does in a transaction of its own."""
        return self._draw(asked.person_id, asked.n, asked.kind, asked.cls, asked.opening)

    async def shred(self, asked: wire.Shred) -> None:
        """Destroys a person's keys. What is sealed under them never opens again; copies of the
        store die with its epoch."""
        for known in (self._grants, self._sessions):
            known.drop_where(lambda grant: grant.person_id == asked.person_id)
        await self._ring.shred(asked.person_id)

    async def guardian(self, asked: wire.Guardian) -> GuardianState:
        """Who guards keys. Raises NoGuardian, GuardianAway."""
        return await self._ring.turn(asked.act, asked.after)

    async def sign(self, asked: wire.Sign) -> bytes:
        """A signature by the cell's key for one purpose. Raises NoGrant."""
        return self._signers.key(asked.purpose).sign(asked.message)

    async def sign_all(self, asked: wire.SignAll) -> list[bytes]:
        """The same for many messages. Raises NoGrant."""
        key = self._signers.key(asked.purpose)
        return [key.sign(message) for message in asked.messages]

    async def public_key(self, asked: wire.PublicKeyOf) -> PublicKey:
        """With what signatures for a purpose are verified, and whose they are. Raises NoGrant."""
        return PublicKey(self._keys.secret.cell_id, self._signers.key(asked.purpose).public)

    async def verify(self, asked: wire.Verify) -> bool:
        """Whether a signature is right. It takes no key of ours, only what verifies."""
        return verifies(Algorithm.ED25519, asked.public_key, asked.signature, asked.message)

    # --- grants --------------------------------------------------------------------------------

    async def session_grant(self, asked: wire.SessionGrant) -> Grant:
        """The grant of a session, given once. Raises NotSignedIn, CustodyAway."""
        token_hash = hashlib.sha256(asked.token.encode("utf-8", "surrogatepass")).digest()
        if (warm := self._sessions.get(token_hash)) is not None:
            return warm
        now = self._clock.now()
        async with self._transaction() as tx:
            claim = await store.session(tx, token_hash, now)
            if claim is None:
                raise NotSignedIn
            grant = claim.grant or await self._give(
                tx,
                claim.person_id,
                "session",
                purposes.SESSION,
                until=claim.expires_at,
                session=claim,
            )
        self._keys.confirm(grant.person_id)
        self._sessions.put(token_hash, grant)
        self._grants.put(grant.id, grant)
        if not claim.grant:
            self._ring.prepare(grant.person_id, self._renewal(grant))
        return grant

    async def automated_grant(self, asked: wire.AutomatedGrant) -> Grant:
        """Today's grant (UTC) for a declared purpose. Raises NoGrant, CustodyAway."""
        declared = purposes.AUTOMATED.get(asked.purpose)
        if declared is None:
            raise NoGrant
        now = self._clock.now()
        async with self._transaction() as tx:
            known = await store.permit_of_day(tx, asked.person_id, asked.purpose, now.date())
            # An act that begins before midnight may end after it.
            midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
            grant = known or await self._give(
                tx, asked.person_id, asked.purpose, declared, until=midnight + AFTER_MIDNIGHT
            )
        self._grants.put(grant.id, grant)
        return grant

    async def _give(
        self,
        tx: Tx,
        person_id: UUID,
        purpose: str,
        declared: purposes.Purpose,
        *,
        until: datetime,
        session: store.Claim | None = None,
    ) -> Grant:
        """Stores a grant with its entry; the one that somebody else has just stored wins."""
        grant = Grant(new_id(), person_id, declared.cls, purpose, declared.columns, until)
        now = self._clock.now()
        day = None if session else now.date()
        session_id = session.session_id if session else None
        try:
            n = await store.add_permit(tx, grant, now, session_id=session_id, day=day)
        except ForeignKeyViolation:
            raise NoGrant from None
        if n is None:
            return await self._given(tx, grant, session_id, now)
        await self._note_grant(tx, grant, n, {"note": session.label} if session else {})
        return grant

    async def _note_grant(self, tx: Tx, grant: Grant, n: int, more: dict[str, Any]) -> None:
        opening = {
            "actor": "you" if grant.cls == "self" else "luciole",
            "purpose": grant.purpose,
            "columns": list(grant.columns),
            "expires": said(grant.expires_at),
            **more,
        }

        async def draw(n: int) -> Drawn:
            return self._draw(grant.person_id, n, "grant", grant.cls, opening)

        await store.record_next(tx, grant.person_id, n, draw)

    def _renewal(self, grant: Grant) -> Renew:
        """Says once more in the log that a grant is in use: a guardian takes no older word."""

        async def renew() -> None:
            async with self._transaction() as tx:
                n = await store.take_number(tx, grant.person_id)
                await self._note_grant(tx, grant, n, {"note": "still in use"})

        return renew

    @staticmethod
    async def _given(tx: Tx, grant: Grant, session_id: UUID | None, now: datetime) -> Grant:
        """The grant that could not be added because it is there."""
        found = (
            await store.permit_of_session(tx, session_id)
            if session_id
            else await store.permit_of_day(tx, grant.person_id, grant.purpose, now.date())
        )
        assert found is not None
        return found

    async def _grant(self, grant_id: UUID) -> Grant:
        """A grant that is good now. Raises NoGrant, CustodyAway."""
        now = self._clock.now()
        grant = self._grants.get(grant_id)
        if grant is None:
            async with self._transaction() as tx:
                # A device that was signed out loses its grant, after a minute at the latest.
                grant = await store.permit(tx, grant_id, now)
            if grant is not None:
                self._grants.put(grant_id, grant)
        if grant is None or grant.expires_at <= now:
            raise NoGrant
        return grant

    # --- under a grant -------------------------------------------------------------------------

    async def seal(self, asked: wire.Seal) -> list[bytes]:
        """Raises NoGrant, KeyGone, GuardianAway."""
        grant = await self._grant(asked.grant_id)
        key = await self._ring.key(grant.person_id, self._renewal(grant))
        return [
            key.seal(each.data, each.field_id, each.version)
            for each in _covered(grant, asked.fields)
        ]

    async def open(self, asked: wire.Open) -> list[bytes]:
        """Raises NoGrant, KeyGone, NotOpened, GuardianAway."""
        grant = await self._grant(asked.grant_id)
        key = await self._ring.key(grant.person_id, self._renewal(grant))
        try:
            return [
                key.open(each.data, each.field_id, each.version)
                for each in _covered(grant, asked.fields)
            ]
        except SealBroken:
            raise NotOpened from None

    async def label_key(self, asked: wire.LabelKey) -> bytes:
        """The person's label key, for a new device. Raises NoGrant, KeyGone."""
        grant = await self._covering(asked.grant_id, LABEL_KEY)
        return self._ring.known(grant.person_id).label_key

    async def open_journal(self, asked: wire.OpenJournal) -> list[OpenedEntry]:
        """What entries mean. Raises NoGrant, KeyGone, NotOpened, GuardianAway."""
        grant = await self._covering(asked.grant_id, JOURNAL_FIELD)
        key = await self._ring.key(grant.person_id, self._renewal(grant))
        try:
            opened = [(n, key.open_entry(sealed, n)) for n, sealed in asked.entries]
        except SealBroken:
            raise NotOpened from None
        return [
            OpenedEntry(n, text[: entry.NONCE_BYTES], text[entry.NONCE_BYTES :])
            for n, text in opened
        ]

    async def _covering(self, grant_id: UUID, field_id: str) -> Grant:
        """A grant that is good now and covers a field. Raises NoGrant, CustodyAway."""
        grant = await self._grant(grant_id)
        if not grant.covers(field_id):
            raise NoGrant
        return grant

    # --- upkeep --------------------------------------------------------------------------------

    async def tidy(self) -> None:
        """Forgets ended grants, and keys of sign-ups that never came to an end. After a restore
        of the key store, also those of people who have been erased since."""
        now = self._clock.now()
        async with self._transaction() as tx:
            await store.tidy(tx, now)
        while waiting := self._keys.unconfirmed(now - UNCONFIRMED_KEPT):
            async with self._transaction() as tx:
                known = await store.known(tx, waiting)
            for person_id in waiting:
                if person_id in known:
                    self._keys.confirm(person_id)
                else:
                    await self._ring.shred(person_id)

    async def release(self, person_id: UUID) -> None:
        """Takes a person's key back from the guardian for good, with an entry. Raises NoGrant,
        CustodyAway, GuardianAway."""
        grant = await self.automated_grant(wire.AutomatedGrant(person_id, "guardian"))
        await self._ring.release(person_id, self._renewal(grant))

    # --- parts ---------------------------------------------------------------------------------

    def _draw(
        self, person_id: UUID, n: int, kind: Kind, cls: Class, opening: dict[str, Any]
    ) -> Drawn:
        now = self._clock.now()
        label_key = self._ring.known(person_id).label_key
        text = entry.canonical(
            {**opening, "v": 1, "n": n, "at": said(now), "kind": kind, "class": cls}
        )
        nonce = os.urandom(entry.NONCE_BYTES)
        leaf = entry.PersonEntry(
            entry.Kind[kind.upper()],
            entry.Class[cls.upper()],
            int(now.timestamp()) // 60,
            entry.label_of(label_key, n),
            entry.commitment(nonce, text),
        )
        return Drawn(n, leaf.encode(), self._ring.seal_entry(person_id, n, nonce + text))

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Tx]:
        """A transaction; a database that cannot be reached is told as CustodyAway."""
        try:
            async with self._db.tx() as tx:
                yield tx
        except (*LOST, TimeoutError) as error:
            raise CustodyAway(retry_after_s=1) from error


def _covered(grant: Grant, fields: list[Field]) -> list[Field]:
    if len(fields) > wire.MAX_FIELDS or not all(grant.covers(each.field_id) for each in fields):
        raise NoGrant
    return fields


def said(moment: datetime) -> str:
    """A moment as entries tell it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
