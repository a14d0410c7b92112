"""The front door of joining: how the cell takes people, and who may come in."""

from __future__ import annotations

import hmac
import unicodedata
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from luciole import effort
from luciole.cell.people import model as people
from luciole.cell.people.joining import ages, model, refusals, store, work
from luciole.cell.people.joining.model import Admission, Invitation, Mode, Request
from luciole.cell.people.joining.texts import Texts
from luciole.cell.people.joining.work import Done, Work
from luciole.cell.people.model import AgeBand
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

LATELY = timedelta(hours=1)
MAX_LISTED = 200


class Joining:
    """Modes, invitations, requests, work and terms. `key` is a key of the cell (32 bytes)."""

    def __init__(self, settings: Settings, key: bytes, clock: Clock) -> None:
        self._settings = settings.people
        self._is_demo = settings.cell.demo
        # Not the key itself: that one makes marks of devices, which have no such form.
        self._key = hmac.digest(key, b"work before an account", "sha256")
        self._clock = clock
        texts = settings.cell.texts_dir
        self.texts = Texts(Path(texts) if texts else None)
        chosen: AgeBand = next(
            band for band in people.AGE_BANDS if band == settings.cell.minimum_age_band
        )
        self.minimum_age_band = ages.least_band(settings.cell.country, chosen)

    def least_ages(self) -> tuple[dict[str, int], str]:
        """The least age in years by country, and the digest of that table."""
        return ages.table(), ages.SHA256

    # --- how the cell takes people ---------------------------------------------------------------

    @property
    def mode_as_set(self) -> Mode:
        """How the cell takes people where its operator chose nothing else."""
        return next(one for one in model.MODES if one == self._settings.registration)

    async def mode(self, tx: Tx) -> Mode:
        """How the cell takes people now: as its operator chose, else as set."""
        return await store.mode(tx) or self.mode_as_set

    async def set_mode(self, tx: Tx, chosen: Mode | None, *, by: UUID | None) -> Mode:
        """From now on; None: as the setting says. Gives how it is; a change is an entry of the log,
        `by` one of the staff or at the machine."""
        await store.lock_mode(tx)
        before, now = await self.mode(tx), self._clock.now()
        await store.set_mode(tx, chosen, now)
        mode = await self.mode(tx)
        if mode != before:
            await ledger.put(tx, "decisions", canonical(model.change(mode, now, by)))
        return mode

    async def check_open(self, tx: Tx, code: str | None) -> bytes | None:
        """Whether somebody with this code (or none) may come in at present; a courtesy before slow
        work, `come_in` decides. Gives the hash of a code that counts. Raises RegistrationClosed,
        InvitationNeeded, ApprovalNeeded, InvitationSpent."""
        mode = await self.mode(tx)
        if mode == "closed":
            raise refusals.RegistrationClosed
        if code is not None:
            hashed = model.code_hash(code)
            if await store.is_good(tx, hashed, self._clock.now()):
                return hashed
            if mode != "open":
                raise refusals.InvitationSpent
        if mode == "invitation":
            raise refusals.InvitationNeeded
        if mode == "approval":
            raise refusals.ApprovalNeeded
        return None

    async def come_in(
        self, tx: Tx, person_id: UUID, code: str | None, mark: bytes | None, agreed: str | None
    ) -> None:
        """Uses up the invitation, the ticket or the work of somebody whose account was made in this
        transaction, and keeps what they agreed to. `mark` is what `check_work` gave. Raises what
        `check_open` and `agree` do, and WorkNeeded."""
        now = self._clock.now()
        hashed = await self.check_open(tx, code)
        if hashed is not None:
            # Two at once: the second one waits here, and finds the last use gone.
            if not await store.use(tx, hashed, now):
                raise refusals.InvitationSpent
        elif self.needs_work and (mark is None or not await store.spend(tx, mark, now)):
            raise refusals.WorkNeeded
        if self.texts.terms_version() is not None:
            await self.agree(tx, person_id, agreed or "")

    # --- work ------------------------------------------------------------------------------------

    @property
    def needs_work(self) -> bool:
        # A demo is on loopback only, and comes with people of its own.
        return self._settings.sign_up_work > 0 and not self._is_demo

    async def tries(self, tx: Tx) -> int:
        """How many hashes a device is asked for at the present rate of sign-ups; 0: none."""
        if not self.needs_work:
            return 0
        base, usual = self._settings.sign_up_work, max(self._settings.sign_ups_usual, 1)
        enough = usual * (effort.MAX_TRIES // base + 1)
        lately = await store.spent_since(tx, self._clock.now() - LATELY, enough)
        return work.tries(base, usual, lately)

    def set_work(self, tries: int) -> Work:
        """New work. Takes about as long as one hash: not in the event loop."""
        return work.set_work(self._key, self._clock.now(), tries)

    def check_work(self, done: Done | None) -> bytes | None:
        """The mark of work that was done, or None where none is asked for. Raises WorkNeeded."""
        return work.check(self._key, self._clock.now(), done) if self.needs_work else None

    # --- invitations -----------------------------------------------------------------------------

    async def invite(
        self, tx: Tx, uses: int, days: int, note: str, *, by: UUID | None
    ) -> tuple[Invitation, str]:
        """A new invitation and its code, which is shown this once. Here and below it is an entry
        of the log, `by` one of the staff or at the machine. Raises BadInvitation."""
        if not 1 <= uses <= model.MAX_USES or not 1 <= days <= model.MAX_DAYS:
            raise refusals.BadInvitation
        now, code = self._clock.now(), model.new_code()
        said = note[: model.MAX_NOTE_CHARS]
        made = Invitation(new_id(), said, uses, now, now + timedelta(days=days))
        await store.add_invitation(tx, made, model.code_hash(code))
        await self._enter(tx, "invite", by, uses=uses, days=days)
        return made, code

    async def invitations(self, tx: Tx) -> list[Invitation]:
        return await store.invitations(tx)

    async def withdraw(self, tx: Tx, invitation_id: UUID, *, by: UUID | None) -> None:
        """Raises NoSuchInvitation."""
        if not await store.drop_invitation(tx, invitation_id):
            raise refusals.NoSuchInvitation
        await self._enter(tx, "withdraw", by)

    # --- who waits -------------------------------------------------------------------------------

    async def ask(self, tx: Tx, name: str, words: str, mark: bytes | None) -> str:
        """Notes that somebody would like an account; their ticket, which is shown this once. Raises
        NotAwaited, BadDisplayName, BadRequestWords, WorkNeeded."""
        if await self.mode(tx) != "approval":
            raise refusals.NotAwaited
        shown = people.display_name_of(name)
        said = unicodedata.normalize("NFC", words).strip()
        is_plain = not any(unicodedata.category(one) in ("Cc", "Cs") for one in said if one != "\n")
        if not 1 <= len(said) <= model.MAX_WORDS_CHARS or not is_plain:
            raise refusals.BadRequestWords
        now, ticket = self._clock.now(), model.new_code()
        if self.needs_work and (mark is None or not await store.spend(tx, mark, now)):
            raise refusals.WorkNeeded
        await store.add_request(tx, new_id(), model.code_hash(ticket), shown, said, now)
        return ticket

    async def request(self, tx: Tx, ticket: str) -> Request:
        """How it stands with a request. Raises NoSuchTicket."""
        found = await store.request(tx, model.code_hash(ticket))
        if found is None:
            raise refusals.NoSuchTicket
        return found

    async def waiting(self, tx: Tx) -> list[Request]:
        """Who waits, the oldest first; 200 at most."""
        return await store.waiting(tx, MAX_LISTED)

    async def approve(self, tx: Tx, request_id: UUID, *, by: UUID | None) -> None:
        """Lets somebody in who waits. Raises NoSuchRequest, also for one that is decided
        already."""
        if not await store.decide(tx, request_id, "approved", "", self._clock.now()):
            raise refusals.NoSuchRequest
        await self._enter(tx, "approve", by)

    async def refuse(self, tx: Tx, request_id: UUID, reason: str, *, by: UUID | None) -> None:
        """Tells somebody who waits why not. Raises NoSuchRequest, ReasonNeeded."""
        said = reason.strip()[: model.MAX_REASON_CHARS]
        if not said:
            raise refusals.ReasonNeeded
        if not await store.decide(tx, request_id, "refused", said, self._clock.now()):
            raise refusals.NoSuchRequest
        await self._enter(tx, "refuse", by)

    async def _enter(self, tx: Tx, act: Admission, by: UUID | None, **more: int) -> None:
        entry = model.entry(act, self._clock.now(), by, **more)
        await ledger.put(tx, "decisions", canonical(entry))

    # --- terms -----------------------------------------------------------------------------------

    async def agree(self, tx: Tx, person_id: UUID, version: str) -> None:
        """Keeps that a person has agreed to the present terms, with their words. Raises
        TermsNotAgreed for another version, NoText where there are none."""
        present = self.texts.terms_version()
        if present is None:
            raise refusals.NoText
        if version != present:
            raise refusals.TermsNotAgreed
        now = self._clock.now()
        await store.keep_terms(tx, present, self.texts.terms_said(), now)
        await store.agree(tx, person_id, present, now)

    async def terms_due(self, tx: Tx, person_id: UUID) -> str | None:
        """The version that a person has not agreed to yet; None where there is nothing to ask."""
        present = self.texts.terms_version()
        if present is None or await store.has_agreed(tx, person_id, present):
            return None
        return present

    async def tidy(self, tx: Tx) -> None:
        """Deletes what has run out."""
        now = self._clock.now()
        await store.tidy(tx, now, now - timedelta(days=model.REQUEST_DAYS), now - 2 * work.GOOD_FOR)
