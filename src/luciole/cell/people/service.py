"""The front door of people: accounts, who is asking, look-ups for the slices above."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.people import model, paces, refusals, restrictions
from luciole.cell.people.contacts import Contacts
from luciole.cell.people.devices import Devices
from luciole.cell.people.family.service import Family
from luciole.cell.people.joining.service import Joining
from luciole.cell.people.model import Account, AgeBand, Locale, Person, Restriction, Session, Viewer
from luciole.cell.people.proofs import Proofs
from luciole.cell.people.store import accounts, erasure, moves, sessions
from luciole.config import Settings
from luciole.custody import store as custody_store
from luciole.custody.model import Grant
from luciole.custody.warm import Warm
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.errors import NotSignedIn
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue
from luciole.kit.web import AnyRequest, session_token

TOKEN_BYTES = 32
MAX_TOKEN_CHARS = 100
GRANTS_KEPT = timedelta(seconds=60)
MAX_GRANTS = 20_000
# An avatar that was stored and then not used (a kill between the two) is gone after this.
AVATAR_GRACE = timedelta(hours=1)


class People:
    """Accounts and sessions. Ways in are in `proofs`, sealed addresses in `contacts`."""

    def __init__(
        self, settings: Settings, custody: Custody, device_key: bytes, clock: Clock, queue: Queue
    ) -> None:
        self._custody = custody
        self._grants: Warm[bytes, Grant] = Warm(clock, GRANTS_KEPT, MAX_GRANTS)
        self._clock = clock
        self._queue = queue
        self._origin = settings.origin
        self._session_life = timedelta(days=settings.people.session_days)
        self.proofs = Proofs(settings, clock)
        self.contacts = Contacts(custody)
        self.devices = Devices(device_key)
        self.joining = Joining(settings, device_key, clock)
        self.family = Family(custody, device_key, clock, queue)
        self._paces = paces.Paces(settings.paces)

    # --- who is asking -------------------------------------------------------------------------

    async def whoever(self, tx: Tx, request: AnyRequest) -> Viewer | None:
        """The signed-in person, or None."""
        return await self.by_token(tx, session_token(request))

    async def require(self, tx: Tx, request: AnyRequest) -> Viewer:
        """The signed-in person. Raises NotSignedIn, and Suspended or Limited where a decision
        keeps them from what the request does; PaceReached where they have done it very often."""
        # Not `request.url`, which costs more than all of the rest here.
        method, path, now = request.method, request.scope["path"], self._clock.now()
        counted = self._paces.counted(method, path, now)
        found = await self._live(tx, session_token(request), now, counted)
        if found is None:
            raise NotSignedIn
        if found.viewer.restricted:
            restrictions.check(found.viewer.restricted, method, path)
        if found.pace is not None:
            self._paces.keep(found.pace, now)
        return found.viewer

    async def require_proof(
        self, tx: Tx, request: AnyRequest, minutes: int = model.PROOF_MINUTES
    ) -> Viewer:
        """The signed-in person, who has proved it within the last minutes: for acts that show
        everything or cannot be undone. Raises NotSignedIn, ProofNeeded."""
        viewer = await self.require(tx, request)
        if viewer.proved_at < self._clock.now() - timedelta(minutes=minutes):
            raise refusals.ProofNeeded
        return viewer

    async def by_token(self, tx: Tx, token: str | None) -> Viewer | None:
        """The person of a session token. The first request of a day prolongs the session."""
        found = await self._live(tx, token, self._clock.now(), None)
        return found.viewer if found else None

    async def _live(
        self, tx: Tx, token: str | None, now: datetime, counted: model.Counted | None
    ) -> sessions.Found | None:
        if not token or len(token) > MAX_TOKEN_CHARS:
            return None
        found = await sessions.by_token(tx, _token_hash(token), now, counted)
        if found is not None and found.last_seen_on < now.date():
            await sessions.touch(tx, found.viewer.session_id, now.date(), now + self._session_life)
        return found

    async def grant(self, request: AnyRequest) -> Grant:
        """The grant of this session, for what is sealed. Ask before a transaction, and `require`
        in it: a session that has just ended still has its grant for a minute. Raises NotSignedIn,
        CustodyAway."""
        return await self.grant_of(session_token(request))

    async def grant_of(self, token: str | None) -> Grant:
        """The same by the token. Raises NotSignedIn, CustodyAway."""
        if not token or len(token) > MAX_TOKEN_CHARS:
            raise NotSignedIn
        hashed = _token_hash(token)
        if (known := self._grants.get(hashed)) is not None:
            return known
        grant = await self._custody.session_grant(token)
        self._grants.put(hashed, grant)
        return grant

    async def restrict(self, tx: Tx, restriction: Restriction) -> None:
        """Keeps a person from something, from their next request on: what a decision says."""
        await restrictions.begin(tx, restriction)

    async def free(self, tx: Tx, decision_id: UUID) -> None:
        """Ends what a decision restricted; safe to repeat."""
        await restrictions.end(tx, decision_id, self._clock.now())

    # --- look-ups ------------------------------------------------------------------------------

    async def by_handle(self, tx: Tx, handle: str, *, is_held: bool = False) -> Person:
        """What everybody may see of a person; `is_held`: which stays so, as with `hold_privacy`.
        Raises NoSuchPerson."""
        sought = model.handle_sought(handle)
        find = accounts.hold_by_handle if is_held else accounts.card_by_handle
        person = await find(tx, sought) if sought else None
        if person is None:
            raise model.NoSuchPerson
        return person

    async def by_handles(self, tx: Tx, handles: Sequence[str]) -> list[Person]:
        """The same of several people, in this order. Raises NoSuchPerson where one is missing."""
        sought = [model.handle_sought(handle) or "" for handle in handles]
        found = await accounts.cards_by_handle(tx, sought)
        if any(handle not in found for handle in sought):
            raise model.NoSuchPerson
        return [found[handle] for handle in sought]

    async def cards(self, tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Person]:
        """What everybody may see of several people; ids of nobody are missing."""
        return await accounts.cards_by_id(tx, ids)

    async def hold_privacy(self, tx: Tx, person_id: UUID) -> bool:
        """Whether the account is private; it cannot change until this transaction ends. For acts
        whose effect depends on it: the job that follows a change then sees that effect. Ask before
        anything else is locked. Nobody's account counts as private."""
        return await accounts.hold(tx, person_id) is not False

    @staticmethod
    def avatar_url(avatar_key: str | None) -> str | None:
        """Where a picture is served."""
        return model.avatar_url(avatar_key)

    async def account(self, tx: Tx, person_id: UUID) -> Account:
        """What its owner sees of an account. Raises NotSignedIn when it has just gone."""
        account = await accounts.account(tx, person_id)
        if account is None:
            raise NotSignedIn
        return account

    # --- moving --------------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        """Where the pages of this cell's people are."""
        return self._origin

    async def move(self, tx: Tx, person_id: UUID, address: str, *, is_shown: bool = True) -> str:
        """Notes that a person is at an address in another cell from now on, which others are shown
        if they wish; the address as it is shown. Raises BadMove."""
        clean = model.move_of(address, self._origin)
        await self.show_move(tx, person_id, clean, is_shown=is_shown)
        return clean

    async def show_move(self, tx: Tx, person_id: UUID, address: str, *, is_shown: bool) -> None:
        """The same of somebody of another cell, in whose own words; perhaps they came here."""
        await moves.put(tx, person_id, address, self._clock.now(), is_shown=is_shown)

    async def stay(self, tx: Tx, person_id: UUID) -> None:
        """They are here after all."""
        await moves.drop(tx, person_id)

    async def moved_to(self, tx: Tx, person_id: UUID) -> str | None:
        """Where a person has gone, as others are shown; None for who is here."""
        found = await moves.of(tx, person_id)
        return found[0] if found and found[1] else None

    async def own_move(self, tx: Tx, person_id: UUID) -> tuple[str, bool] | None:
        """Where a person themselves has gone, and whether they want others to see it."""
        return await moves.of(tx, person_id)

    # --- accounts ------------------------------------------------------------------------------

    def check_age(self, age_band: AgeBand) -> None:
        """Raises TooYoung below the cell's minimum, which its country may raise."""
        if model.is_older(self.joining.minimum_age_band, age_band):
            raise refusals.TooYoung

    async def check_free(self, tx: Tx, handle: str) -> None:
        """Raises HandleTaken. A courtesy: only `sign_up` decides."""
        if not await accounts.is_free(tx, model.likeness(handle)):
            raise refusals.HandleTaken

    async def sign_up(
        self,
        tx: Tx,
        person_id: UUID,
        *,
        handle: str,
        display_name: str,
        age_band: AgeBand,
        locale: Locale,
        label_key: bytes | None = None,
    ) -> None:
        """Makes an account; the caller adds a way in. `handle` and `display_name` come from
        `model.handle_of` and `model.display_name_of`. `label_key` (32 bytes) is what the person's
        client made to recognise their entries in the log; without one the cell makes it. Raises
        TooYoung, HandleTaken, CustodyAway."""
        self.check_age(age_band)
        await accounts.lock_likeness(tx, model.likeness(handle))
        is_minor = age_band != "18+"
        added = await accounts.add_person(
            tx, person_id, handle, display_name, locale, age_band, is_minor, self._clock.now()
        )
        taken = added and await accounts.take_handle(tx, model.likeness(handle), person_id)
        if not taken:
            raise refusals.HandleTaken
        enrolled = await self._custody.enrol(person_id, label_key)
        await custody_store.take_number(tx, person_id)
        await custody_store.record(tx, person_id, enrolled)

    async def put_of_elsewhere(
        self, tx: Tx, person_id: UUID, *, home: str, handle: str, display_name: str, bio: str
    ) -> None:
        """Makes or changes a person of another cell (`home`), as that cell says who they are: no
        account, nobody signs in as them, and no key is theirs. Raises HandleTaken, BadHandle,
        BadDisplayName, BadBio."""
        sought = model.handle_sought(f"{handle}@{home}")
        if sought is None:
            raise refusals.BadHandle
        name, text = model.display_name_of(display_name), model.bio_of(bio)
        done = await accounts.put_of_elsewhere(
            tx, person_id, sought, name, text, self._clock.now(), home
        )
        if not done:
            raise refusals.HandleTaken

    async def change_profile(
        self,
        tx: Tx,
        person_id: UUID,
        *,
        display_name: str | None = None,
        bio: str | None = None,
        locale: Locale | None = None,
        is_private: bool | None = None,
    ) -> None:
        """Changes what is not None. Raises BadDisplayName, BadBio, KeptPrivate."""
        name = None if display_name is None else model.display_name_of(display_name)
        text = None if bio is None else model.bio_of(bio)
        await accounts.lock(tx, person_id)
        before = await self.account(tx, person_id)
        if is_private is False and before.age_band != "18+":
            await self.family.check_may_open(tx, person_id)
        await accounts.set_profile(tx, person_id, name, text, locale, is_private)
        # Slices above hear of it by jobs, because calls go down only: clips renames the objects,
        # graph lets in who waited for consent.
        if is_private is not None and is_private != before.is_private:
            body = {"person_id": str(person_id)}
            await self._queue.put(tx, "people.privacy-changed", body)
            if not is_private:
                await self._queue.put(tx, "people.opened", body)

    async def change_handle(self, tx: Tx, person_id: UUID, typed: str) -> None:
        """Gives the account another handle; the old one stays reserved for it. Raises BadHandle,
        HandleTaken, HandleChangedOften."""
        handle = model.handle_of(typed)
        await accounts.lock(tx, person_id)
        if handle == (await self.account(tx, person_id)).handle:
            return
        now = self._clock.now()
        window = timedelta(days=model.HANDLE_CHANGE_DAYS)
        changes = await accounts.handle_changes_since(tx, person_id, now - window)
        if len(changes) >= model.HANDLE_CHANGES:
            free_at = changes[-model.HANDLE_CHANGES] + window
            raise refusals.HandleChangedOften(
                retry_after_s=int((free_at - now).total_seconds()) + 1
            )
        await accounts.lock_likeness(tx, model.likeness(handle))
        if not await accounts.take_handle(tx, model.likeness(handle), person_id):
            raise refusals.HandleTaken
        await accounts.set_handle(tx, person_id, handle)
        await accounts.add_handle_change(tx, new_id(), person_id, now)
        await self._queue.put(tx, "people.renamed", {"person_id": str(person_id)})

    async def change_age_band(self, tx: Tx, person_id: UUID, age_band: AgeBand) -> None:
        """Moves up an age band. Raises AgeBandOnlyUp. An account that was private as a minor's
        stays so until its owner opens it; an adult has no guardians any more."""
        await accounts.lock(tx, person_id)
        if model.is_older((await self.account(tx, person_id)).age_band, age_band):
            raise refusals.AgeBandOnlyUp
        await self.family.grown(tx, person_id, age_band)
        await accounts.set_age_band(tx, person_id, age_band)

    async def announce_avatar(self, tx: Tx, avatar_key: str) -> None:
        """Call and commit before the object is stored: should we be killed before `set_avatar`,
        a job finds the object unused and deletes it."""
        await self._queue.put(
            tx, "people.forget-avatar", {"avatar_key": avatar_key}, after=AVATAR_GRACE
        )

    async def set_avatar(self, tx: Tx, person_id: UUID, avatar_key: str | None) -> None:
        """Shows the stored picture under `avatar_key`, or none; the former one is deleted."""
        await accounts.lock(tx, person_id)
        former = (await self.account(tx, person_id)).avatar_key
        await accounts.set_avatar(tx, person_id, avatar_key)
        if former is not None:
            await self._queue.put(tx, "people.forget-avatar", {"avatar_key": former})

    async def is_avatar_in_use(self, tx: Tx, avatar_key: str) -> bool:
        return await accounts.avatar_in_use(tx, avatar_key)

    async def is_avatar_shown(self, tx: Tx, avatar_key: str) -> bool:
        """Whether others may see it: not when its owner is leaving."""
        return await accounts.avatar_shown(tx, avatar_key)

    # --- leaving -------------------------------------------------------------------------------

    async def leave(self, tx: Tx, person_id: UUID, at: datetime | None) -> None:
        """From now on nobody else finds the person, who goes at `at`; None: stays after all."""
        await erasure.set_leaving(tx, person_id, at)

    async def lock_out_all(self, tx: Tx, person_id: UUID) -> bool:
        """Lets no act about the person begin until this transaction ends, after those that are
        under way. False where the person is gone already. For the end of an erasure."""
        return await erasure.lock_out_all(tx, person_id)

    async def drop(self, tx: Tx, person_id: UUID) -> None:
        """Removes the account itself. What its handle looks like stays taken, by nobody."""
        await erasure.drop_person(tx, person_id)

    # --- sessions ------------------------------------------------------------------------------

    async def open_session(self, tx: Tx, person_id: UUID, user_agent: str) -> str:
        """A new session's token. Only its hash is kept, so it cannot be shown again."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock.now()
        await sessions.add(
            tx,
            new_id(),
            person_id,
            _token_hash(token),
            model.device_label(user_agent),
            now,
            now + self._session_life,
        )
        await sessions.keep_newest(tx, person_id, model.MAX_SESSIONS)
        return token

    async def sessions(self, tx: Tx, person_id: UUID) -> list[Session]:
        """The devices that are signed in, the newest first."""
        return await sessions.of_person(tx, person_id, self._clock.now())

    async def prove(self, tx: Tx, viewer: Viewer) -> None:
        """Notes that the person of this session has just proved who they are."""
        await sessions.prove(tx, viewer.session_id, self._clock.now())

    async def end_session(self, tx: Tx, person_id: UUID, session_id: UUID) -> None:
        """Signs a device out. Raises NoSuchSession."""
        if not await sessions.end(tx, person_id, session_id):
            raise refusals.NoSuchSession

    async def end_other_sessions(self, tx: Tx, viewer: Viewer) -> None:
        """Signs every other device out."""
        await sessions.end_others(tx, viewer.person_id, viewer.session_id)

    async def tidy(self, tx: Tx) -> None:
        """Deletes what has expired."""
        now = self._clock.now()
        await sessions.tidy(tx, now)
        await paces.tidy(tx, now)
        await self.proofs.tidy(tx)
        await self.joining.tidy(tx)
        await self.family.tidy(tx)
        await accounts.tidy_handle_changes(tx, now - timedelta(days=model.HANDLE_CHANGE_DAYS))


def _token_hash(token: str) -> bytes:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
