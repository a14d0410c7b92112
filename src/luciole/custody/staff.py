"""What staff read of a person: one by one, signed by two of them, and told to the person.

1. One asks: whose, what for, which columns, for how many minutes, why. That text is the request.
   An operator asks; a moderator too, for what was disclosed in a report, and signs nothing.
2. Two different operators sign its SHA-256 with their passkeys. The broker verifies both signatures
   itself, against keys that were copied when somebody became staff, so that an application that was
   taken over can neither approve a read nor change what was approved.
3. The second signature opens the time box, with an entry in the log.
4. Whoever asked reads, until the box closes. Each answer has its entry before it is given.

What this cannot show: that two people are two people, and what they do with what they have read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from webauthn import verify_authentication_response
from webauthn.helpers import parse_authentication_credential_json

from luciole.custody import purposes, store, wire
from luciole.custody.broker import Broker, said
from luciole.custody.keyring import Guardian
from luciole.custody.model import (
    ApprovalRefused,
    Certificates,
    Drawn,
    Kind,
    NoGrant,
    NoSuchRead,
    NotApproved,
    NotOpened,
    NotStaff,
    ReadRefused,
    StaffRead,
)
from luciole.keys import KeyStore, SealBroken
from luciole.kit.clock import Clock
from luciole.kit.db import Database, ForeignKeyViolation, Tx
from luciole.kit.ids import new_id
from luciole.ledger.entry import canonical

SIGNATURES = 2
MAX_MINUTES = 60
REASON_CHARS = range(10, 501)
SIGNED_WITHIN = timedelta(hours=24)


class StaffBroker(Broker):
    """The key broker with its desk for staff. `origin` is where their browsers see the cell."""

    def __init__(
        self,
        keys: KeyStore,
        db: Database,
        clock: Clock,
        origin: str,
        guardian: Guardian | None = None,
    ) -> None:
        super().__init__(keys, db, clock, guardian)
        self._origin = origin
        self._rp_id = urlsplit(origin).hostname or "localhost"

    async def certificates(self, _: wire.CertificatesOf) -> Certificates:
        """Under which the cell signs content credentials, by the name that people know."""
        return Certificates(*self._signers.certificates(self._rp_id))

    async def ask_read(self, asked: wire.AskRead) -> StaffRead:
        """A request that waits for its signatures. Raises NotStaff, ReadRefused."""
        declared = purposes.STAFF.get(asked.purpose)
        if (
            declared is None
            or not asked.columns
            or not set(asked.columns) <= set(declared.columns)
            or not 1 <= asked.minutes <= MAX_MINUTES
            or len(asked.reason.strip()) not in REASON_CHARS
        ):
            raise ReadRefused
        now, read_id = self._clock.now(), new_id()
        async with self._transaction() as tx:
            staff_id = await self._staff(tx, asked.token, declared.asked_by)
            text = {
                "v": 1,
                "kind": "staff-read",
                "cell": str(self._keys.cell_id),
                "id": str(read_id),
                "at": said(now),
                "staff": str(staff_id),
                "subject": str(asked.person_id),
                "class": declared.cls,
                "purpose": asked.purpose,
                "columns": sorted(set(asked.columns)),
                "minutes": asked.minutes,
                "reason": asked.reason.strip(),
            }
            read = StaffRead(
                read_id, asked.person_id, staff_id, canonical(text), now + SIGNED_WITHIN
            )
            try:
                await store.add_read(tx, read)
            except ForeignKeyViolation:
                raise ReadRefused from None
        return read

    async def look_at_reads(self, asked: wire.LookAtReads) -> list[StaffRead]:
        """Requests that wait or may be used, the newest first. Raises NotStaff."""
        async with self._transaction() as tx:
            await self._staff(tx, asked.token)
            return await store.reads(tx, self._clock.now())

    async def approve_read(self, asked: wire.ApproveRead) -> StaffRead:
        """Takes one signature; the second opens the time box. Raises NoSuchRead,
        ApprovalRefused."""
        now = self._clock.now()
        async with self._transaction() as tx:
            read = await store.read(tx, asked.read_id, now)
            if read is None or read.is_granted:
                raise NoSuchRead
            signer = await self._signed(tx, read.asked, asked.credential, "operator")
            signers = await store.approve(tx, read.id, signer)
            if len(signers) >= SIGNATURES:
                until = now + timedelta(minutes=read.said["minutes"])
                await store.grant_read(tx, read.id, until)
                await self._note(
                    tx, read, "grant", signers, read.said["columns"], expires=said(until)
                )
            found = await store.read(tx, read.id, now)
        assert found is not None
        return found

    async def signer_of(self, asked: wire.SignerOf) -> UUID:
        """Who of the staff, in a role, has signed the SHA-256 of a text, such as a notice that
        nobody outside has ordered. What follows from it is for the caller to do. Raises
        ApprovalRefused."""
        async with self._transaction() as tx:
            return await self._signed(tx, asked.text, asked.credential, asked.role)

    async def open_read(self, asked: wire.OpenRead) -> list[bytes]:
        """Fields of the person of an approved request, for the one who asked. Raises NotStaff,
        NoSuchRead, NotApproved, NoGrant, KeyGone, NotOpened."""
        async with self._transaction() as tx:
            # Whoever may have asked; only the very one who did gets further.
            staff_id = await self._staff(tx, asked.token, ("operator", "moderator"))
            read = await store.read(tx, asked.read_id, self._clock.now())
            if read is None:
                raise NoSuchRead
            if not read.is_granted or read.staff_id != staff_id:
                raise NotApproved
            allowed = read.said["columns"]
            columns = sorted({each.field_id for each in asked.fields}) or allowed
            if not set(columns) <= set(allowed):
                raise NoGrant
            await self._note(tx, read, "read", [staff_id], columns)

        async def renew() -> None:
            raise NotApproved

        # The entry is in the log's inbox, so the answer may be given.
        key = await self._ring.key(read.person_id, renew)
        try:
            return [key.open(each.data, each.field_id, each.version) for each in asked.fields]
        except SealBroken:
            raise NotOpened from None

    async def _staff(self, tx: Tx, token: str, roles: Sequence[str] = ("operator",)) -> UUID:
        found = await store.staff_of_session(tx, token_hash(token), self._clock.now(), roles)
        if found is None:
            raise NotStaff
        return found

    async def _signed(self, tx: Tx, text: bytes, credential: dict[str, Any], role: str) -> UUID:
        """Who in this role has signed the text, by which known key. Raises ApprovalRefused."""
        try:
            parsed = parse_authentication_credential_json(credential)
            key = await store.staff_key(tx, parsed.raw_id)
            if key is None or role not in key.roles:
                raise ApprovalRefused
            verified = verify_authentication_response(
                credential=parsed,
                expected_challenge=hashlib.sha256(text).digest(),
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=key.public_key,
                credential_current_sign_count=key.sign_count,
                require_user_verification=True,
            )
        except Exception as error:
            # The library decodes what a stranger wrote and raises what its decoders raise.
            # Whatever it is, the answer is no.
            raise ApprovalRefused from error
        await store.count_key(tx, parsed.raw_id, verified.new_sign_count)
        return key.staff_id

    async def _note(
        self,
        tx: Tx,
        read: StaffRead,
        kind: Kind,
        actors: Sequence[UUID],
        columns: Sequence[str],
        **more: str,
    ) -> None:
        opening = {
            "actor": ", ".join(f"staff {each}" for each in actors),
            "purpose": read.said["purpose"],
            "columns": list(columns),
            "note": read.said["reason"],
            **more,
        }

        async def draw(n: int) -> Drawn:
            return self._draw(read.person_id, n, kind, read.said["class"], opening)

        n = await store.take_number(tx, read.person_id)
        await store.record_next(tx, read.person_id, n, draw)


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
