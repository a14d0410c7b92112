"""After an erasure no table, no job and no object holds a word of the person.

A drill looks through the files of a real cell, byte by byte.
"""

from __future__ import annotations

import asyncpg
from tests import canary
from tests.cell.house import PASSWORD, Browser, House
from tests.cell.people.authenticator import Authenticator
from tests.cell.rights.support import erasing_of, leave, report, workshop_of
from tests.conftest import TABLES

WORDS = {
    "handle": "kz9w_0rph.an1",
    "later handle": "kz9w_1ater.0ne",
    "name": "Kz9w Orphan Nämé",
    "bio": "kz9w writes about orphans",
    "caption": "kz9w caption of an orphan #kz9wtagoforphan",
    "captions": "kz9w says this in the film",
    "email": "kz9w.orphan@example.org",
    "phone": "33699887766",
    "circle": "kz9w circle of orphan",
    "collection": "kz9w collection of orphan",
    "sound": "kz9w sound of orphan",
    "passkey": "kz9w key of orphan",
    "password": PASSWORD,
}
FILES_OF = """
SELECT f.asset_id, f.object_key FROM media.file f JOIN media.asset a ON a.id = f.asset_id
WHERE a.owner_id = $1
"""
SECRETS = """
SELECT 'person id' AS name, uuid_send(id) AS mark FROM people.person WHERE id = $1
UNION ALL SELECT 'person id, as text', convert_to(id::text, 'UTF8') FROM people.person WHERE id = $1
UNION ALL SELECT 'password', convert_to(hash, 'UTF8') FROM people.password WHERE person_id = $1
UNION ALL SELECT 'session', token_hash FROM people.session WHERE person_id = $1
UNION ALL SELECT 'index', address_index FROM people.contact WHERE person_id = $1
UNION ALL SELECT 'address of a film', convert_to(token, 'UTF8') FROM media.asset
    WHERE owner_id = $1
UNION ALL SELECT 'journal', sealed FROM custody.journal WHERE person_id = $1
"""


async def whole(owner: asyncpg.Connection) -> bytes:
    """Every row of every table, as COPY writes it, and once more in binary."""
    copied = bytearray()
    for (name,) in await owner.fetch(TABLES):
        for form in ("text", "binary"):
            output = bytearray()

            async def write(data: bytes, into: bytearray = output) -> None:
                into.extend(data)

            await owner.copy_from_query(f"SELECT * FROM {name}", output=write, format=form)
            copied += output
    return bytes(copied)


async def plant(house: House, film: bytes) -> Browser:
    """A person with a word of their own in every field, who has used what there is."""
    person = await house.person(WORDS["handle"], display_name=WORDS["name"])
    await person.patch("/api/me", json={"bio": WORDS["bio"]})
    await person.put("/api/me/contacts/email", json={"value": WORDS["email"]})
    await person.put("/api/me/contacts/phone", json={"value": f"+{WORDS['phone']}"})
    begun = (await person.post("/api/me/passkeys/options", json={})).json()
    passkey = {
        "challenge_id": begun["challenge_id"],
        "credential": Authenticator("http://localhost:8080").create(begun["options"]),
        "name": WORDS["passkey"],
    }
    assert (await person.post("/api/me/passkeys", json=passkey)).status_code == 201
    await person.put("/api/me/handle", json={"handle": WORDS["later handle"]})
    person.handle = WORDS["later handle"]
    vtt = f"WEBVTT\n\n00:00.000 --> 00:01.000\n{WORDS['captions']}\n"
    made = await person.clip(house, film, caption=WORDS["caption"], captions_vtt=vtt)
    sound = f"/api/sounds/{made['sound']['id']}"
    assert (await person.patch(sound, json={"name": WORDS["sound"]})).status_code == 200
    named = {"name": WORDS["collection"], "is_public": True}
    assert (await person.post("/api/me/collections", json=named)).status_code == 201
    circle = {"name": WORDS["circle"], "handles": []}
    assert (await person.post("/api/me/circles", json=circle)).status_code == 201
    await person.draft(film)
    assert (await person.post("/api/me/exports", json={})).status_code == 201
    return person


async def test_no_table_and_no_object_holds_a_word_of_an_erased_person(
    house: House, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    theirs = await ben.clip(house, tiny_film)
    person = await plant(house, tiny_film)
    for what in ("favourite", "repost"):
        answer = await person.put(f"/api/clips/{theirs['id']}/{what}")
        assert answer.status_code == 200, answer.text
    page = (await ben.get(f"/api/people/{person.handle}/clips")).json()
    (original,) = [clip for clip in page["items"] if clip["caption"] == WORDS["caption"]]
    await ben.put(f"/api/clips/{original['id']}/favourite")
    borrowed = await ben.clip(house, tiny_film, sound_id=original["sound"]["id"])
    assert borrowed["sound"]["name"] == WORDS["sound"]
    for one, other in ((person, ben), (ben, person)):
        await one.follow(other)
        await one.put(f"/api/clips/{theirs['id']}/like")
        shared = {"kind": "hide-from", "handles": [other.handle]}
        made = await one.clip(house, tiny_film, audience="friends", audience_list=shared)
        assert made["audience_list"] == "hide-from"
        body = {"name": "Others", "handles": [other.handle]}
        assert (await one.post("/api/me/circles", json=body)).status_code == 201
        for distance in ("mute", "restriction"):
            away = await one.put(f"/api/people/{other.handle}/away/{distance}")
            assert away.status_code == 204
    assert (await ben.put(f"/api/people/{person.handle}/away/block")).status_code == 204
    marks = {name: word.encode() for name, word in WORDS.items()}
    owner = await asyncpg.connect(owner_url)
    try:
        person_id = await house.person_id(person.handle)
        for number, row in enumerate(await owner.fetch(SECRETS, person_id)):
            marks[f"{row['name']} {number}"] = row["mark"]
        before = canary.seen(await whole(owner), marks)
        assert {"later handle (plain)", "caption (plain)", "captions (plain)"} <= set(before)
        assert "person id 0 (plain)" in before
        ticket = await leave(person, now=True)
        (row,) = await house.rows("SELECT id FROM rights.erasure")
        await erasing_of(house).run(row["id"])
        assert (await report(house, ticket))["state"] == "erased"
        await workshop_of(house).sweep_objects()
        assert canary.seen(await whole(owner), marks) == []
        # Nor is the voice left in the clip of somebody else.
        await house.parts.queue.run_periodic("media.sweep")
        await house.work()
        await workshop_of(house).sweep_objects()
        now = (await ben.get(f"/api/clips/{borrowed['id']}")).json()
        assert (now["has_audio"], now["sound"]) == (False, None)
        counts = (await ben.get(f"/api/clips/{theirs['id']}")).json()
        assert (counts["favourites"], counts["reposts"]) == (0, 0)
    finally:
        await owner.close()
    kept = list(canary.files(house.settings.data))
    assert canary.search(kept, marks) == []
    # What is left is Ben's three clips: of each its films, its poster and its small pictures.
    blobs = house.settings.data / "blobs"
    left = {path.relative_to(blobs).as_posix() for path in kept if "blobs" in path.parts}
    files = await house.rows(FILES_OF, await house.person_id(ben.handle))
    assert left == {row["object_key"] for row in files}
    assert len({row["asset_id"] for row in files}) == 3
