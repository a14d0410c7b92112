"""How a person proves who they are: password, passkeys, recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from luciole.cell.people import model, refusals
from luciole.cell.people.guessable import is_guessable
from luciole.cell.people.model import Challenge, ChallengeKind, Passkey, StoredPassword
from luciole.cell.people.passkeys import Made, Passkeys, challenge_in, decoded
from luciole.cell.people.passwords import Passwords
from luciole.cell.people.store import accounts
from luciole.cell.people.store import proofs as store
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

RECOVERY_BYTES = 10
_RECOVERY_BLANKS = re.compile(r"[\s-]")


class Ceremony(msgspec.Struct, frozen=True):
    """A started passkey ceremony, as the browser gets it."""

    challenge_id: UUID
    options: dict[str, Any]


class Proofs:
    """Passwords are hashed and checked outside transactions (`passwords`), so that no connection
    waits for a slow hash; everything else takes `tx`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._passkeys = Passkeys(settings.cell.name, settings.origin)
        self.passwords = Passwords(settings.people.password_queue)

    # --- passwords -----------------------------------------------------------------------------

    async def new_hash(self, password: str, handle: str) -> str:
        """The hash of a password that is good enough for `handle`. Raises WeakPassword, Busy."""
        if is_guessable(password, handle):
            raise refusals.WeakPassword
        return await self.passwords.hash(password)

    async def password_of(self, tx: Tx, handle: str) -> StoredPassword | None:
        sought = model.handle_sought(handle)
        return await store.password_by_handle(tx, sought) if sought else None

    async def password_hash(self, tx: Tx, person_id: UUID) -> str | None:
        return await store.password(tx, person_id)

    async def fresh_hash(self, checked: StoredPassword, password: str) -> str | None:
        """A hash with today's parameters where the checked one is outdated, else None. None also
        when the cell is busy: the next sign-in will do."""
        if not self.passwords.is_outdated(checked.hash):
            return None
        try:
            return await self.passwords.hash(password)
        except refusals.Busy:
            return None

    async def confirm_password(self, tx: Tx, checked: StoredPassword, fresh: str | None) -> bool:
        """Call in the transaction that acts on a checked hash: False where the hash was replaced
        between the check and now, and must be checked again. A `fresh` hash replaces it."""
        await accounts.lock(tx, checked.person_id)
        if await store.password(tx, checked.person_id) != checked.hash:
            return False
        if fresh is not None:
            await store.set_password(tx, checked.person_id, fresh)
        return True

    async def replace_password(
        self, tx: Tx, person_id: UUID, checked: StoredPassword | None, hashed: str
    ) -> None:
        """Sets a password in place of the one that was checked, or (None) of no password. Raises
        WrongPassword where that has changed in between."""
        await accounts.lock(tx, person_id)
        if await store.password(tx, person_id) != (checked.hash if checked else None):
            raise refusals.WrongPassword
        await store.set_password(tx, person_id, hashed)

    async def set_password(self, tx: Tx, person_id: UUID, hashed: str) -> None:
        await store.set_password(tx, person_id, hashed)

    # --- recovery codes ------------------------------------------------------------------------

    async def new_recovery_codes(self, tx: Tx, person_id: UUID) -> list[str]:
        """Ten codes in place of all former ones; each signs in once. They are shown this once."""
        codes = [_new_code() for _ in range(model.RECOVERY_CODES)]
        await store.set_recovery_codes(tx, person_id, [_code_hash(code) for code in codes])
        return codes

    async def use_recovery_code(self, tx: Tx, handle: str, code: str) -> UUID:
        """The person whose code it was; the code is used up. Raises WrongSignIn."""
        sought = model.handle_sought(handle)
        person_id = await store.use_recovery_code(tx, sought or "", _code_hash(code))
        if person_id is None:
            raise refusals.WrongSignIn
        return person_id

    async def spend_recovery_code(self, tx: Tx, person_id: UUID, code: str) -> None:
        """Uses up a code of somebody who is signed in. Raises WrongRecoveryCode."""
        if not await store.spend_recovery_code(tx, person_id, _code_hash(code)):
            raise refusals.WrongRecoveryCode

    # --- passkeys ------------------------------------------------------------------------------

    async def begin_sign_up(self, tx: Tx, handle: str, display_name: str) -> Ceremony:
        """Starts making the first passkey of an account that does not exist yet."""
        person_id, challenge = new_id(), self._passkeys.new_challenge()
        options = self._passkeys.creation_options(challenge, person_id, handle, display_name, ())
        return Ceremony(await self._begin(tx, "sign-up", person_id, challenge), options)

    async def begin_add(self, tx: Tx, person_id: UUID, handle: str, display_name: str) -> Ceremony:
        """Starts making another passkey. Raises TooManyPasskeys."""
        known = await store.credential_ids(tx, person_id)
        if len(known) >= model.MAX_PASSKEYS:
            raise refusals.TooManyPasskeys
        challenge = self._passkeys.new_challenge()
        options = self._passkeys.creation_options(challenge, person_id, handle, display_name, known)
        return Ceremony(await self._begin(tx, "add", person_id, challenge), options)

    async def begin_sign_in(self, tx: Tx) -> Ceremony:
        """Starts a sign-in with whatever passkey the device offers."""
        challenge = self._passkeys.new_challenge()
        options = self._passkeys.request_options(challenge)
        return Ceremony(await self._begin(tx, "sign-in", None, challenge), options)

    async def take_challenge(
        self, tx: Tx, challenge_id: UUID, kind: ChallengeKind
    ) -> Challenge | None:
        """Uses up a challenge. Commit this before judging what answered it, so that a refused
        answer has used it up too."""
        return await store.take_challenge(tx, challenge_id, kind, self._clock.now())

    def subject_of(self, challenge: Challenge | None, credential: dict[str, Any]) -> UUID | None:
        """For whom the challenge was that a credential answers (None: for anybody). Raises
        PasskeyRefused when it answers another one."""
        answered = hashlib.sha256(challenge_in(credential)).digest()
        if challenge is None or not hmac.compare_digest(answered, challenge.challenge_hash):
            raise refusals.PasskeyRefused
        return challenge.subject_id

    def made(self, credential: dict[str, Any]) -> Made:
        """Judges a new credential whose challenge `subject_of` accepted. Raises PasskeyRefused."""
        return self._passkeys.made(credential, challenge_in(credential))

    async def add_passkey(self, tx: Tx, person_id: UUID, made: Made, name: str) -> Passkey:
        """Raises PasskeyKnown, TooManyPasskeys, BadDisplayName."""
        shown = model.display_name_of(name)
        await accounts.lock(tx, person_id)
        if len(await store.credential_ids(tx, person_id)) >= model.MAX_PASSKEYS:
            raise refusals.TooManyPasskeys
        passkey_id, now = new_id(), self._clock.now()
        added = await store.add_passkey(
            tx,
            passkey_id,
            person_id,
            made.credential_id,
            made.public_key,
            made.sign_count,
            shown,
            now,
        )
        if not added:
            raise refusals.PasskeyKnown
        return Passkey(passkey_id, shown, now, None)

    async def use_passkey(self, tx: Tx, credential: dict[str, Any]) -> UUID:
        """The person whose passkey signed the challenge that `subject_of` accepted. Raises
        PasskeyRefused."""
        stored = await store.passkey_by_credential(tx, decoded(credential.get("id")))
        if stored is None:
            raise refusals.PasskeyRefused
        user_handle = credential["response"].get("userHandle")
        if user_handle and decoded(user_handle) != stored.person_id.bytes:
            raise refusals.PasskeyRefused
        sign_count = self._passkeys.used(
            credential, challenge_in(credential), stored.public_key, stored.sign_count
        )
        await store.use_passkey(tx, stored.id, sign_count, self._clock.now().date())
        return stored.person_id

    async def passkeys(self, tx: Tx, person_id: UUID) -> list[Passkey]:
        return await store.passkeys(tx, person_id)

    async def remove_passkey(self, tx: Tx, person_id: UUID, passkey_id: UUID) -> None:
        """Raises NoSuchPasskey, LastWayIn. Recovery codes are no way in: they run out."""
        # The lock makes two removals at once see each other.
        await accounts.lock(tx, person_id)
        if not await store.remove_passkey(tx, person_id, passkey_id):
            raise refusals.NoSuchPasskey
        if not await store.has_way_in(tx, person_id):
            raise refusals.LastWayIn

    async def tidy(self, tx: Tx) -> None:
        await store.tidy_challenges(tx, self._clock.now())

    async def _begin(
        self, tx: Tx, kind: ChallengeKind, subject_id: UUID | None, challenge: bytes
    ) -> UUID:
        challenge_id = new_id()
        hashed = hashlib.sha256(challenge).digest()
        expires_at = self._clock.now() + timedelta(minutes=model.CHALLENGE_MINUTES)
        await store.add_challenge(tx, challenge_id, kind, subject_id, hashed, expires_at)
        return challenge_id


def _new_code() -> str:
    """80 random bits as four groups of four, without 0, 1, 8 and 9."""
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def _code_hash(code: str) -> bytes:
    # Read from paper: case and grouping do not matter, and 0, 1, 8 can only be O, L, B.
    plain = _RECOVERY_BLANKS.sub("", code).lower().translate(str.maketrans("018", "olb"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()
