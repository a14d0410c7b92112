"""Waking devices through push services, without saying what for (RFC 8030, RFC 8292).

The cell speaks to no push service: it seals a device's address under its person's key, opens it for
a moment under a logged grant, and offers the gateway a request that is the same for everything.
"""

from __future__ import annotations

import base64
import time
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.border.wire import Push, Services, encode
from luciole.cell.notify.choices import checked_offset
from luciole.cell.notify.model import Device, WokenFor
from luciole.cell.notify.refusals import BadPushAddress, NoPush
from luciole.cell.notify.store import devices, lines, wishes
from luciole.custody.model import Field, Grant, KeyGone, NoGrant, NotOpened
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id

FIELD = "push.endpoint"
INDEX = "push"
PURPOSE = "push"
VERSION = 1
# One that waits at the service is replaced by the next.
TOPIC = "luciole"
# A push that comes much later wakes for something that was seen long ago.
TTL_S = 12 * 3600
# RFC 8292 allows a day.
TOKEN_LIVES_S = 12 * 3600
TOKEN_KEPT_S = 3600


class Pushes:
    """Devices that are to be woken. `services` None: this cell wakes none."""

    def __init__(
        self, custody: Custody, clock: Clock, services: Services | None, contact: str
    ) -> None:
        self._custody, self._clock = custody, clock
        self._services, self._contact = services, contact
        self._tokens: dict[str, tuple[float, str]] = {}

    @property
    def is_offered(self) -> bool:
        return self._services is not None

    async def key(self) -> str:
        """The cell's public key, as a browser wants it to subscribe (`applicationServerKey`)."""
        return _b64((await self._custody.public_key(PURPOSE)).key)

    async def seal(self, grant: Grant, endpoint: str) -> tuple[bytes, bytes]:
        """The index of a device's address and the address, sealed; before a transaction. Raises
        NoPush, BadPushAddress, and what `Custody.seal` raises."""
        if self._services is None:
            raise NoPush
        if self._services.of(endpoint) is None:
            raise BadPushAddress
        index = await self._custody.index(INDEX, endpoint)
        field = Field(FIELD, VERSION, endpoint.encode())
        return index, (await self._custody.seal(grant, [field]))[0]

    async def add(
        self,
        tx: Tx,
        person_id: UUID,
        session_id: UUID,
        sealed: tuple[bytes, bytes],
        offset_minutes: int,
    ) -> None:
        """From now on this session's device is woken. Raises BadOffset."""
        offset = checked_offset(offset_minutes)
        await devices.add(tx, new_id(), person_id, session_id, *sealed, offset)

    async def drop(self, tx: Tx, session_id: UUID) -> None:
        await devices.drop_of_session(tx, session_id)

    async def wake(self, db: Database, person_id: UUID) -> None:
        """Offers pushes for a person's devices, if there still is something new. Devices whose
        night it is, or that were woken a while ago, follow later. Safe to repeat."""
        now = self._clock.now()
        async with db.read() as tx:
            known = await devices.of_person(tx, person_id)
            wished = await wishes.wishes(tx, person_id)
        if wished is None or self._services is None:
            known = []

        def wakes_at(device: Device, why: WokenFor) -> datetime:
            assert wished is not None
            return device.wakes_at(now, why, has_quiet_nights=wished.has_quiet_nights)

        # Opened are only those that may be woken now, for a message at least.
        offers = await self._offers(person_id, [d for d in known if wakes_at(d, "message") <= now])
        async with db.tx() as tx:
            is_message = await devices.take_nudge(tx, person_id)
            if is_message is None:
                return
            if not is_message and not await lines.has_unread(tx, person_id):
                return  # seen on an open page meanwhile
            why: WokenFor = "message" if is_message else "news"
            later = [at for device in known if (at := wakes_at(device, why)) > now]
            ready = [d.id for d in known if d.id in offers and wakes_at(d, why) <= now]
            for one in ready:
                await devices.offer(tx, one, offers[one])
            await devices.woken(tx, ready, why, now)
            if later:
                await devices.nudge(tx, person_id, is_message, min(later))

    async def _offers(self, person_id: UUID, known: list[Device]) -> dict[UUID, bytes]:
        """What is to be offered for each of these devices that the cell may still speak to; what
        cannot be opened wakes nobody. Raises CustodyAway."""
        if not known or self._services is None:
            return {}
        fields = [Field(FIELD, VERSION, one.sealed) for one in known]
        try:
            grant = await self._custody.automated_grant(person_id, PURPOSE)
            opened = await self._custody.open(grant, fields)
        except (KeyGone, NotOpened, NoGrant):
            return {}
        offers = {}
        for device, text in zip(known, opened, strict=True):
            endpoint = text.decode()
            if (service := self._services.of(endpoint)) is not None:
                push = Push(endpoint, await self._authorization(service), TOPIC, TTL_S)
                offers[device.id] = encode(push)
        return offers

    async def _authorization(self, service: str) -> str:
        """The header that says which cell asks: a token for the service, signed by the cell's key,
        the same for all devices of that service for an hour."""
        made_at, token = self._tokens.get(service, (float("-inf"), ""))
        if time.monotonic() - made_at > TOKEN_KEPT_S:
            claims: dict[str, str | int] = {
                "aud": service,
                "exp": int(self._clock.now().timestamp()) + TOKEN_LIVES_S,
            }
            if self._contact:
                claims["sub"] = self._contact
            said = ".".join(
                _b64(msgspec.json.encode(part)) for part in ({"typ": "JWT", "alg": "ES256"}, claims)
            )
            signature = await self._custody.sign(PURPOSE, said.encode())
            token = f"vapid t={said}.{_b64(signature)}, k={await self.key()}"
            self._tokens[service] = (time.monotonic(), token)
        return token


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
