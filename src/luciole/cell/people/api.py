"""Routes of people: the account and its settings. Getting in is in `api_entry`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from luciole.cell.people import api_entry, api_joining, model, refusals, shapes
from luciole.cell.people.limits import Limits
from luciole.cell.people.model import ContactKind, StoredPassword
from luciole.cell.people.service import People
from luciole.config import Settings
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.kit.errors import TooLarge
from luciole.kit.ids import new_token
from luciole.kit.web import AnyRequest

# Bytes of any picture in, bytes of a small WebP out; refuses what it cannot read.
AvatarMaker = Callable[[bytes], Awaitable[bytes]]


def routes(
    db: Database, people: People, blobs: Blobs, avatar_maker: AvatarMaker, settings: Settings
) -> Router:
    """The routes of people over their collaborators."""
    limits = Limits(settings.people)
    proofs = people.proofs

    @get("/me")
    async def me(request: AnyRequest) -> shapes.Me:
        """The signed-in account."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            return shapes.me_of(await people.account(tx, viewer.person_id))

    @patch("/me")
    async def change_profile(
        request: AnyRequest, data: JSONBody[shapes.ProfileChange]
    ) -> shapes.Me:
        """Changes the parts that are given. Opening a private account lets in who waited."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await people.change_profile(
                tx,
                viewer.person_id,
                display_name=data.display_name,
                bio=data.bio,
                locale=data.locale,
                is_private=data.is_private,
            )
            return shapes.me_of(await people.account(tx, viewer.person_id))

    @put("/me/handle")
    async def change_handle(request: AnyRequest, data: JSONBody[shapes.HandleChange]) -> shapes.Me:
        """Takes another handle, twice in 30 days at most; the old one goes to nobody else."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await people.change_handle(tx, viewer.person_id, data.handle)
            return shapes.me_of(await people.account(tx, viewer.person_id))

    @put("/me/age-band")
    async def change_age_band(
        request: AnyRequest, data: JSONBody[shapes.AgeBandChange]
    ) -> shapes.Me:
        """Moves up an age band."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await people.change_age_band(tx, viewer.person_id, data.age_band)
            return shapes.me_of(await people.account(tx, viewer.person_id))

    @put("/me/password", status_code=204)
    async def change_password(request: AnyRequest, data: JSONBody[shapes.PasswordChange]) -> None:
        """Sets a password, given the current one (or, where that is forgotten, a recovery code,
        which is used up) where there is one; ends all other sessions."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            current = await proofs.password_hash(tx, viewer.person_id)
        if current is not None:
            # Whoever is signed in is counted apart from strangers, who could keep them out.
            limits.guess(viewer.handle, str(viewer.session_id))
            by_code = data.recovery_code is not None
            if not by_code and not await proofs.passwords.check(current, data.current or ""):
                raise refusals.WrongPassword
        hashed = await proofs.new_hash(data.password, viewer.handle)
        async with db.tx() as tx:
            # Once more: the session may have been ended while the hash was made.
            viewer = await people.require(tx, request)
            if current is not None and data.recovery_code is not None:
                await proofs.spend_recovery_code(tx, viewer.person_id, data.recovery_code)
            checked = StoredPassword(viewer.person_id, current) if current else None
            await proofs.replace_password(tx, viewer.person_id, checked, hashed)
            await people.end_other_sessions(tx, viewer)

    @put("/me/avatar", request_max_body_size=model.MAX_AVATAR_BYTES)
    async def change_avatar(request: AnyRequest) -> shapes.Me:
        """Takes a JPEG, PNG, WebP or GIF of at most 5.2 MB as the body."""
        async with db.read() as tx:
            await people.require(tx, request)
        picture = await request.body()
        if len(picture) > model.MAX_AVATAR_BYTES:
            raise TooLarge
        if not picture:
            raise refusals.BadAvatar
        made = await avatar_maker(picture)
        avatar_key = f"p/{new_token()}/avatar.webp"
        async with db.tx() as tx:
            await people.announce_avatar(tx, avatar_key)
        # If we stop here or below, the announced job finds the object unused and deletes it.
        await blobs.put(avatar_key, made)
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await people.set_avatar(tx, viewer.person_id, avatar_key)
            return shapes.me_of(await people.account(tx, viewer.person_id))

    @delete("/me/avatar", status_code=200)
    async def remove_avatar(request: AnyRequest) -> shapes.Me:
        """Shows no picture any more."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await people.set_avatar(tx, viewer.person_id, None)
            return shapes.me_of(await people.account(tx, viewer.person_id))

    @get("/me/contacts")
    async def contacts(request: AnyRequest) -> shapes.ContactList:
        """The account's e-mail and telephone number, for its owner only."""
        grant = await people.grant(request)
        async with db.read() as tx:
            await people.require(tx, request)
            found = await people.contacts.of(tx, grant)
        return shapes.ContactList([shapes.ContactBody(each.kind, each.value) for each in found])

    @put("/me/contacts/{kind:str}")
    async def change_contact(
        request: AnyRequest, kind: FromPath[ContactKind], data: JSONBody[shapes.ContactChange]
    ) -> shapes.ContactBody:
        """Stores an address, sealed. Whether others gave the same one is not told."""
        grant = await people.grant(request)
        async with db.tx() as tx:
            await people.require(tx, request)
            contact = await people.contacts.put(tx, grant, kind, data.value)
        return shapes.ContactBody(contact.kind, contact.value)

    @delete("/me/contacts/{kind:str}")
    async def remove_contact(request: AnyRequest, kind: FromPath[ContactKind]) -> None:
        """Forgets an address."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await people.contacts.drop(tx, viewer.person_id, kind)

    @get("/me/passkeys")
    async def passkeys(request: AnyRequest) -> shapes.PasskeyList:
        """The account's passkeys."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            found = await proofs.passkeys(tx, viewer.person_id)
        return shapes.PasskeyList([shapes.passkey_of(each) for each in found])

    @post("/me/passkeys/options", status_code=200)
    async def passkey_options(
        request: AnyRequest, data: JSONBody[shapes.Nothing]
    ) -> shapes.CeremonyBody:
        """Starts making another passkey."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            account = await people.account(tx, viewer.person_id)
            begun = await proofs.begin_add(tx, account.id, account.handle, account.display_name)
        return shapes.CeremonyBody(begun.challenge_id, begun.options)

    @post("/me/passkeys")
    async def add_passkey(
        request: AnyRequest, data: JSONBody[shapes.NewPasskey]
    ) -> shapes.PasskeyBody:
        """Adds the passkey that was made."""
        credential = data.credential.as_json()
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            challenge = await proofs.take_challenge(tx, data.challenge_id, "add")
        if proofs.subject_of(challenge, credential) != viewer.person_id:
            raise refusals.PasskeyRefused
        made = proofs.made(credential)
        async with db.tx() as tx:
            passkey = await proofs.add_passkey(tx, viewer.person_id, made, data.name)
        return shapes.passkey_of(passkey)

    @delete("/me/passkeys/{passkey_id:uuid}")
    async def remove_passkey(request: AnyRequest, passkey_id: FromPath[UUID]) -> None:
        """Removes a passkey, unless nothing else lets the person in."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await proofs.remove_passkey(tx, viewer.person_id, passkey_id)

    @post("/me/recovery-codes")
    async def new_recovery_codes(
        request: AnyRequest, data: JSONBody[shapes.Nothing]
    ) -> Response[shapes.RecoveryCodes]:
        """Ten new codes in place of the old ones, shown this once."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            codes = await proofs.new_recovery_codes(tx, viewer.person_id)
        return api_entry.unstored(shapes.RecoveryCodes(codes))

    return Router(
        "/api",
        route_handlers=[
            *api_entry.handlers(db, people, limits, settings),
            *api_joining.handlers(db, people, limits),
            me,
            change_profile,
            change_handle,
            change_age_band,
            change_password,
            change_avatar,
            remove_avatar,
            contacts,
            change_contact,
            remove_contact,
            passkeys,
            passkey_options,
            add_passkey,
            remove_passkey,
            new_recovery_codes,
        ],
        tags=["people"],
    )
