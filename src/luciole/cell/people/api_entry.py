"""Routes of people: sign-up, sign-in, sessions.

Limits are counted before anything slow is done; slow hashes are made between transactions.
"""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from luciole.cell.people import model, refusals, shapes
from luciole.cell.people.limits import Limits
from luciole.cell.people.model import Viewer
from luciole.cell.people.passkeys import Made
from luciole.cell.people.service import People
from luciole.config import Settings
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id
from luciole.kit.web import DEVICE_COOKIE, AnyRequest, address_of, device_cookie, session_cookie

T = TypeVar("T")

# The row decides how long a session lives, and use prolongs it; the cookie only has to outlast
# it. Browsers cap a cookie at 400 days.
COOKIE_AGE_S = 400 * 86_400
# Where a device says who has signed in on it before.
SIGN_IN_PATH = "/api/sessions"
SIGN_IN_TRIES = 3
NO_STORE = {"cache-control": "no-store"}


def unstored(body: T, *cookies: Cookie) -> Response[T]:
    """An answer with a secret in it, which no cache keeps."""
    return Response(body, status_code=201, headers=NO_STORE, cookies=list(cookies))


def handlers(
    db: Database, people: People, limits: Limits, settings: Settings
) -> list[HTTPRouteHandler]:
    """The handlers of this file over their collaborators."""
    proofs = people.proofs

    def cookie_of(token: str, max_age_s: int = COOKIE_AGE_S) -> Cookie:
        return session_cookie(token, secure=settings.is_secure, max_age_s=max_age_s)

    def cookies_of(signed_in: shapes.SignedIn) -> tuple[Cookie, Cookie]:
        mark = people.devices.mark(signed_in.me.handle)
        device = device_cookie(
            mark, SIGN_IN_PATH, secure=settings.is_secure, max_age_s=COOKIE_AGE_S
        )
        return cookie_of(signed_in.token), device

    async def open_session(tx: Tx, request: AnyRequest, person_id: UUID) -> shapes.SignedIn:
        token = await people.open_session(tx, person_id, request.headers.get("user-agent", ""))
        return shapes.SignedIn(shapes.me_of(await people.account(tx, person_id)), token)

    async def granted(signed_in: shapes.SignedIn) -> Response[shapes.SignedIn]:
        """The answer to a sign-in, with the session's grant in the log before it is sent."""
        await people.grant_of(signed_in.token)
        return unstored(signed_in, *cookies_of(signed_in))

    @post("/sign-up/passkey-options", status_code=200)
    async def sign_up_options(
        request: AnyRequest, data: JSONBody[shapes.PasskeySubject]
    ) -> shapes.CeremonyBody:
        """Starts making the first passkey of a new account."""
        handle = model.handle_of(data.handle)
        display_name = model.display_name_of(data.display_name)
        limits.sign_in(address_of(request))
        async with db.tx() as tx:
            await people.check_free(tx, handle)
            begun = await proofs.begin_sign_up(tx, handle, display_name)
        return shapes.CeremonyBody(begun.challenge_id, begun.options)

    @post("/sign-up")
    async def sign_up(
        request: AnyRequest, data: JSONBody[shapes.SignUp]
    ) -> Response[shapes.SignedUp]:
        """Makes an account with a password or with a passkey, and signs it in. `GET /api/sign-up`
        says what it needs: an invitation, work (`POST /api/sign-up/work`), agreed terms."""
        handle = model.handle_of(data.handle)
        display_name = model.display_name_of(data.display_name)
        people.check_age(data.age_band)
        if (data.password is None) == (data.passkey is None):
            raise refusals.NoWayIn
        async with db.read() as tx:
            await people.check_free(tx, handle)
            is_invited = await people.joining.check_open(tx, data.invitation) is not None
        limits.sign_up(address_of(request))
        mark = None if is_invited else people.joining.check_work(data.work)
        label_key = None if data.label_key is None else model.label_key_of(data.label_key)
        person_id, hashed, made = new_id(), "", None
        if data.password is not None:
            hashed = await proofs.new_hash(data.password, handle)
        if data.passkey is not None:
            person_id, made = await made_for_sign_up(data.passkey)
        async with db.tx() as tx:
            await people.sign_up(
                tx,
                person_id,
                handle=handle,
                display_name=display_name,
                age_band=data.age_band,
                locale=data.locale,
                label_key=label_key,
            )
            await people.joining.come_in(tx, person_id, data.invitation, mark, data.terms)
            if made is None:
                await proofs.set_password(tx, person_id, hashed)
            elif data.passkey is not None:
                await proofs.add_passkey(tx, person_id, made, data.passkey.name)
            codes = await proofs.new_recovery_codes(tx, person_id)
            signed_in = await open_session(tx, request, person_id)
        await people.grant_of(signed_in.token)
        body = shapes.SignedUp(signed_in.me, codes, signed_in.token)
        return unstored(body, *cookies_of(signed_in))

    async def made_for_sign_up(passkey: shapes.NewPasskey) -> tuple[UUID, Made]:
        """The id that the new passkey carries as its user handle, and the passkey."""
        credential = passkey.credential.as_json()
        async with db.tx() as tx:
            challenge = await proofs.take_challenge(tx, passkey.challenge_id, "sign-up")
        person_id = proofs.subject_of(challenge, credential)
        if person_id is None:
            raise refusals.PasskeyRefused
        return person_id, proofs.made(credential)

    @post("/sessions")
    async def sign_in(
        request: AnyRequest, data: JSONBody[shapes.PasswordSignIn]
    ) -> Response[shapes.SignedIn]:
        """Signs in with a password."""
        limits.sign_in(address_of(request))
        sought = model.handle_sought(data.handle) or ""
        limits.guess(sought, people.devices.known(request.cookies.get(DEVICE_COOKIE), sought))
        for _ in range(SIGN_IN_TRIES):
            async with db.read() as tx:
                stored = await proofs.password_of(tx, data.handle)
            is_right = await proofs.passwords.check(stored.hash if stored else None, data.password)
            if stored is None or not is_right:
                break
            fresh = await proofs.fresh_hash(stored, data.password)
            async with db.tx() as tx:
                # Not when the hash was replaced meanwhile: by a change of the password, or by
                # another sign-in that renewed an outdated hash.
                if not await proofs.confirm_password(tx, stored, fresh):
                    continue
                signed_in = await open_session(tx, request, stored.person_id)
            return await granted(signed_in)
        raise refusals.WrongSignIn

    @post("/sessions/passkey-options", status_code=200)
    async def sign_in_options(
        request: AnyRequest, data: JSONBody[shapes.Nothing]
    ) -> shapes.CeremonyBody:
        """Starts a sign-in with a passkey."""
        limits.sign_in(address_of(request))
        async with db.tx() as tx:
            begun = await proofs.begin_sign_in(tx)
        return shapes.CeremonyBody(begun.challenge_id, begun.options)

    @post("/sessions/passkey")
    async def sign_in_by_passkey(
        request: AnyRequest, data: JSONBody[shapes.PasskeySignIn]
    ) -> Response[shapes.SignedIn]:
        """Signs in with a passkey."""
        limits.sign_in(address_of(request))
        credential = data.credential.as_json()
        async with db.tx() as tx:
            challenge = await proofs.take_challenge(tx, data.challenge_id, "sign-in")
        proofs.subject_of(challenge, credential)
        async with db.tx() as tx:
            person_id = await proofs.use_passkey(tx, credential)
            signed_in = await open_session(tx, request, person_id)
        return await granted(signed_in)

    @post("/sessions/recovery")
    async def sign_in_by_recovery_code(
        request: AnyRequest, data: JSONBody[shapes.RecoverySignIn]
    ) -> Response[shapes.SignedIn]:
        """Signs in with a recovery code, which is used up by it."""
        # Not counted by handle: 80 bits are not guessed, and strangers could keep the owner out.
        limits.sign_in(address_of(request))
        async with db.tx() as tx:
            person_id = await proofs.use_recovery_code(tx, data.handle, data.code)
            signed_in = await open_session(tx, request, person_id)
        return await granted(signed_in)

    @post("/sessions/current/proof", status_code=204)
    async def prove(request: AnyRequest, data: JSONBody[shapes.Proof]) -> None:
        """Proves once more who is signed in, with the password, with a passkey (options:
        `/api/sessions/passkey-options`) or with a recovery code, which is used up by it. Acts that
        show everything or cannot be undone want a proof of the last minutes."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            hashed = await proofs.password_hash(tx, viewer.person_id)
        # As for a change of the password: counted apart from strangers, who could keep them out.
        limits.guess(viewer.handle, str(viewer.session_id))
        if data.passkey is not None:
            await prove_by_passkey(viewer, data.passkey)
        elif data.recovery_code is not None:
            async with db.tx() as tx:
                await proofs.spend_recovery_code(tx, viewer.person_id, data.recovery_code)
        elif not await proofs.passwords.check(hashed, data.password or ""):
            raise refusals.WrongPassword
        async with db.tx() as tx:
            await people.prove(tx, await people.require(tx, request))

    async def prove_by_passkey(viewer: Viewer, given: shapes.PasskeySignIn) -> None:
        credential = given.credential.as_json()
        async with db.tx() as tx:
            challenge = await proofs.take_challenge(tx, given.challenge_id, "sign-in")
        proofs.subject_of(challenge, credential)
        async with db.tx() as tx:
            if await proofs.use_passkey(tx, credential) != viewer.person_id:
                raise refusals.PasskeyRefused

    @get("/sessions")
    async def sessions(request: AnyRequest) -> shapes.SessionList:
        """Where the account is signed in."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            found = await people.sessions(tx, viewer.person_id)
        return shapes.SessionList([shapes.session_of(each, viewer.session_id) for each in found])

    @delete("/sessions/current", status_code=204)
    async def sign_out(request: AnyRequest) -> Response[None]:
        """Ends this session. Without one it only clears the cookie."""
        async with db.tx() as tx:
            viewer = await people.whoever(tx, request)
            if viewer is not None:
                await people.end_session(tx, viewer.person_id, viewer.session_id)
        return Response(None, status_code=204, cookies=[cookie_of("", 0)])

    @delete("/sessions/{session_id:uuid}")
    async def end_session(request: AnyRequest, session_id: FromPath[UUID]) -> None:
        """Signs another device out."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await people.end_session(tx, viewer.person_id, session_id)

    found: list[Any] = [
        sign_up_options,
        sign_up,
        sign_in,
        sign_in_options,
        sign_in_by_passkey,
        sign_in_by_recovery_code,
        prove,
        sessions,
        sign_out,
        end_session,
    ]
    return found
