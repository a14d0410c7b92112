"""What an import puts into the account itself: profile, settings, picture, addresses."""

from __future__ import annotations

from luciole.cell.people.model import MAX_AVATAR_BYTES
from luciole.cell.rights.imports.going import Taking
from luciole.cell.rights.imports.rows import AccountRow, ContactRow
from luciole.kit.errors import Problem
from luciole.kit.ids import new_token

WHOLE = "account"


async def take(taking: Taking) -> None:
    """Takes what is there; each once."""
    row = await taking.lists.first("data/people/account.json", AccountRow)
    if row is not None:
        await _profile(taking, row)
        if row.avatar is not None:
            await _avatar(taking, row.avatar)
    async for contact in taking.lists.rows("data/people/contacts.json", ContactRow):
        await _contact(taking, contact)


async def _profile(taking: Taking, row: AccountRow) -> None:
    people, person_id = taking.cell.people, taking.person_id

    async def change(is_private: bool) -> None:
        async with taking.cell.db.tx() as tx:
            if await taking.add(tx, "account", WHOLE, "taken"):
                await people.change_profile(
                    tx,
                    person_id,
                    display_name=row.display_name,
                    bio=row.bio,
                    locale=row.locale,
                    is_private=is_private,
                )

    async with taking.cell.db.read() as tx:
        age_band = (await people.account(tx, person_id)).age_band
    # A file does not open the account of somebody who is young; they can themselves.
    try:
        await change(row.is_private or age_band != "18+")
    except Problem:
        await taking.note("account", WHOLE, "left")


async def _avatar(taking: Taking, path: str) -> None:
    cell = taking.cell
    if await taking.is_done("avatar", WHOLE):
        return
    names = taking.archive.NameToInfo
    picture = taking.folder / "out" / "avatar"
    if path not in names or names[path].file_size > MAX_AVATAR_BYTES:
        await taking.note("avatar", WHOLE, "left")
        return
    await taking.unpack(path, picture)
    made = picture.read_bytes()
    if not await cell.films.is_avatar(picture, taking.folder / "out"):
        try:
            made = await cell.make_avatar(made)
        except Problem:
            await taking.note("avatar", WHOLE, "left")
            return
    avatar_key = f"p/{new_token()}/avatar.webp"
    async with cell.db.tx() as tx:
        await cell.people.announce_avatar(tx, avatar_key)
    # If we stop here or below, the announced job finds the object unused and deletes it.
    await cell.blobs.put(avatar_key, made)
    async with cell.db.tx() as tx:
        if await taking.add(tx, "avatar", WHOLE, "taken"):
            await cell.people.set_avatar(tx, taking.person_id, avatar_key)


async def _contact(taking: Taking, row: ContactRow) -> None:
    grant = await taking.lending.grant()
    try:
        async with taking.cell.db.tx() as tx:
            if await taking.add(tx, "contact", row.kind, "taken"):
                await taking.cell.people.contacts.put(tx, grant, row.kind, row.address)
    except Problem:
        await taking.note("contact", row.kind, "left")
