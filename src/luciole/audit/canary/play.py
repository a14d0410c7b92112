"""What the canary persons do: every operation of the API, each at least once with success.

`run` is called against a cell with nobody in it. A new operation has to get its place here, or the
canary fails and says which one it does not know.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from luciole.audit.canary import (
    marks,
    play_apart,
    play_contacts,
    play_family,
    play_feed,
    play_keep,
    play_messages,
    play_notify,
    play_rights,
    play_search,
    play_talk,
    things,
)
from luciole.audit.canary.browser import Book, Stale
from luciole.audit.canary.device import Passkey, b64
from luciole.audit.canary.marks import Mark
from luciole.audit.canary.play_joining import worked
from luciole.audit.canary.scan import PAGE, PREVIEW
from luciole.audit.canary.stage import PERSONS, TUS, VISITOR, Stage

FEEDS = ("latest", "following", "friends")


async def run(stage: Stage) -> None:
    """All of it, in an order in which everything works."""
    await enter(stage)
    await settle(stage)
    await relate(stage)
    await play_notify.run(stage)
    async with stage.listening("ana", "ben", "dan", VISITOR):
        await publish(stage)
        await watch(stage)
        await play_talk.run(stage)
        await play_keep.run(stage)
        await play_search.run(stage)
        await play_contacts.run(stage)
        await unlike(stage)
        await play_feed.run(stage)
        await play_messages.run(stage)
        await play_apart.run(stage)
    await devices(stage)
    await unmake(stage)
    await play_rights.run(stage)


async def enter(stage: Stage) -> None:
    """Everybody signs up: most with a password, dan with a passkey."""
    plant = stage.book.plant
    terms = (await stage[VISITOR].ask("GET /api/sign-up")).json()["terms_version"]
    for person in PERSONS:
        handle = plant(person, "person.former handle" if person == "ben" else "person.handle")
        body: dict[str, Any] = {
            "handle": handle,
            "display_name": plant(person, "person.display name", "Ms {}"),
            "age_band": "16-17" if person == "cleo" else "18+",
            "locale": "fr" if person == "ben" else "en",
            "label_key": _label_key(stage, person),
            "terms": terms,
        }
        if person == "dan":
            about = {"handle": handle, "display_name": body["display_name"]}
            begun = await stage[person].ask("POST /api/sign-up/passkey-options", json=about)
            body["passkey"] = new_passkey(stage, person, begun.json())
        else:
            body["password"] = plant(person, "person.password", "{} heron 7")
        body["work"] = await worked(stage, person)
        answer = await stage[person].ask("POST /api/sign-up", json=body)
        stage.meet(person, answer.json(), answer)
        for code in answer.json()["recovery_codes"]:
            stage.book.learn(person, "recovery.code", code)
        stage.book.learn(
            person,
            "person.id",
            stage.ids[person],
            bytes.fromhex(stage.ids[person].replace("-", "")),
        )


def _label_key(stage: Stage, person: str) -> str:
    """The key of the person's journal, which their own device makes."""
    key = hmac.digest(stage.book.seed, f"{person}/label key".encode(), "sha256")
    stage.book.learn(person, "journal.label key", b64(key), key)
    return b64(key)


def new_passkey(stage: Stage, person: str, begun: dict[str, Any]) -> dict[str, Any]:
    """The body that adds a passkey, after the ceremony was begun."""
    drawn = hashlib.sha256(stage.book.seed + person.encode()).digest()
    passkey = Passkey(stage.origin, drawn)
    PASSKEYS[person] = passkey
    stage.book.learn(person, "passkey.credential", b64(drawn), drawn)
    return {
        "challenge_id": begun["challenge_id"],
        "credential": passkey.create(begun["options"]),
        "name": stage.book.plant(person, "passkey.name", "Key of {}"),
    }


PASSKEYS: dict[str, Passkey] = {}


async def settle(stage: Stage) -> None:
    """Profiles, addresses, pictures, handles."""
    plant, book = stage.book.plant, stage.book
    for person in PERSONS:
        one = stage[person]
        await one.ask("PATCH /api/me", json={"bio": plant(person, "person.bio", "I am {}.")})
        email = plant(person, "contact.email", "{}@mail.example")
        await one.ask("PUT /api/me/contacts/{kind}", kind="email", json={"value": email})
        phone = {"value": book.phone(person)}
        await one.ask("PUT /api/me/contacts/{kind}", kind="phone", json=phone)
        await one.ask("GET /api/me/contacts")
        await one.ask("GET /api/me")
        picture = things.picture(book, person)
        await one.ask("PUT /api/me/avatar", content=picture, headers={"content-type": "image/png"})
    ben = stage["ben"]
    await ben.ask("PUT /api/me/handle", json={"handle": plant("ben", "person.handle")})
    await ben.ask("PATCH /api/me", json={"is_private": True})
    await play_family.run(stage)
    await stage["cleo"].ask("PUT /api/me/age-band", json={"age_band": "18+"})


async def relate(stage: Stage) -> None:
    """cleo and ana are friends, cleo follows ben; requests are accepted, declined, undone."""
    ana, ben, cleo, dan = (stage[person] for person in ("ana", "ben", "cleo", "dan"))
    follow = "PUT /api/people/{handle}/follow"
    await ana.ask(follow, handle=stage.handle("cleo"))
    await cleo.ask(follow, handle=stage.handle("ana"))
    await cleo.ask(follow, handle=stage.handle("ben"))
    await dan.ask(follow, handle=stage.handle("ben"))
    await ben.ask("GET /api/me/follow-requests")
    accept = "PUT /api/me/follow-requests/{handle}"
    # cleo signed up as a minor, and so with a private account.
    await cleo.ask(accept, handle=stage.handle("ana"))
    await ben.ask(accept, handle=stage.handle("cleo"))
    await ben.ask(follow, handle=stage.handle("cleo"))
    await ben.ask("DELETE /api/me/follow-requests/{handle}", handle=stage.handle("dan"))
    for each in ("eve", "flo"):
        await stage[each].ask(follow, handle=stage.handle("ana"))
    await ana.ask("DELETE /api/me/followers/{handle}", handle=stage.handle("eve"))


async def publish(stage: Stage) -> None:
    """Clips for every audience, with captions; an upload that is given up; a file that is none."""
    plant, ana = stage.book.plant, stage["ana"]
    film = things.film(stage.folder / "film.mp4", stage.book, "ana")
    tall = things.tall_film(stage.folder / "film.mp4", stage.book, "ana")
    tag = plant("ana", "clip.hashtag for everybody")
    first = plant("ana", "clip.former caption", "First {}")
    stage.ids["open"] = await stage.clip(
        "ana",
        tall,
        caption=first,
        audience="everyone",
        captions_vtt=_vtt(plant("ana", "clip.captions for everybody")),
        captions_language="en",
    )
    said = plant("ana", "clip.caption for everybody", "Look {}")
    await ana.ask(
        "PATCH /api/clips/{clip_id}",
        clip_id=stage.ids["open"],
        json={"caption": f"{said} #{tag}", "made_with_ai": True},
    )
    hidden = plant("ana", "clip.hashtag for oneself")
    stage.ids["hidden"] = await stage.clip(
        "ana",
        film,
        caption=f"{plant('ana', 'clip.caption for oneself', 'Only I {}')} #{hidden}",
        audience="only-me",
    )
    captions = {
        "captions_vtt": _vtt(plant("ana", "clip.captions for oneself")),
        "language": _language(stage.book, "ana"),
    }
    await ana.ask("PUT /api/clips/{clip_id}/captions", clip_id=stage.ids["hidden"], json=captions)
    stage.ids["friends"] = await stage.clip(
        "ana", film, caption=plant("ana", "clip.caption for friends"), audience="friends"
    )
    stage.ids["ben's"] = await stage.clip(
        "ben", film, caption=plant("ben", "clip.caption for followers"), audience="everyone"
    )
    narrowed = await stage.clip("ana", film, audience="everyone")
    for audience in ("only-me", "friends", "only-me"):
        await ana.ask("PATCH /api/clips/{clip_id}", clip_id=narrowed, json={"audience": audience})
    stage.ids["refused"] = await stage.clip("ana", film[:1000] * 3, audience="everyone")
    given_up = await stage.upload("ana", film, in_pieces=3)
    await ana.ask("HEAD /api/uploads/{upload_id}", upload_id=given_up, headers=TUS)
    await ana.ask("DELETE /api/uploads/{upload_id}", upload_id=given_up, headers=TUS)
    await ana.ask("OPTIONS /api/uploads", headers=TUS)
    await ana.ask("GET /api/me/room")


def _vtt(line: str) -> str:
    return f"WEBVTT\n\n00:00.000 --> 00:00.900\n{line}\n"


def _language(book: Book, person: str) -> str:
    """A language tag (RFC 5646) that nobody speaks."""
    drawn = marks.token(book.seed, person, "clip.captions language")
    token = f"{drawn[:8]}-{drawn[8:]}"
    return book.plant_as(Mark("clip.captions language", person, f"xx-{token}", token))


async def watch(stage: Stage) -> None:
    """Everybody looks at everything, also at what is not for them."""
    for person in (*PERSONS, VISITOR):
        one = stage[person]
        any_status = (200, 304, 401, 403, 404)
        for feed in FEEDS:
            await one.ask(f"GET /api/feeds/{feed}", query={"limit": "2"}, expect=any_status)
        for clip in ("open", "hidden", "friends", "ben's", "refused"):
            answer = await one.ask(
                "GET /api/clips/{clip_id}", clip_id=stage.ids[clip], expect=any_status
            )
            if answer.status_code == 200:
                await _play(stage, person, answer.json())
            await one.ask(
                "GET /api/clips/{clip_id}/captions.vtt",
                clip_id=stage.ids[clip],
                expect=any_status,
            )
            if person != VISITOR and clip in ("open", "friends"):
                like = "PUT /api/clips/{clip_id}/like"
                await one.ask(like, clip_id=stage.ids[clip], expect=any_status)
        for other in PERSONS:
            handle = stage.handle(other)
            await one.ask("GET /api/people/{handle}", handle=handle, expect=any_status)
            for part in ("clips", "followers", "following"):
                operation = f"GET /api/people/{{handle}}/{part}"
                await one.ask(operation, handle=handle, expect=any_status)
        if person != VISITOR:
            await one.ask("GET /api/notifications", query={"limit": "50"})
            await one.ask("GET /api/notifications/unread")
            await one.ask("POST /api/notifications/read")
        for path in ("/", "/following", f"/@{stage.handle('ana')}", f"/c/{stage.ids['open']}"):
            page = await stage.http.get(path, headers={**one.sent_along(), "accept": "text/html"})
            one.hear(PREVIEW if path.startswith("/c/") else PAGE, page)
    for operation in (
        "GET /api/cell",
        "GET /api/cell/ages",
        "GET /api/cell/sale",
        "GET /api/glass",
        "GET /api/glass/crossings",
        "GET /.well-known/luciole/build.json",
        "GET /.well-known/luciole/content-credentials.pem",
        "GET /healthz",
        "GET /readyz",
    ):
        await stage[VISITOR].ask(operation)


async def _play(stage: Stage, person: str, clip: dict[str, Any]) -> None:
    """Loads the files of a clip as a player does."""
    addresses = [one["url"] for one in clip["renditions"]]
    if clip.get("poster_url"):
        addresses.append(clip["poster_url"])
    if clip["author"].get("avatar_url"):
        addresses.append(clip["author"]["avatar_url"])
    for address in addresses:
        path, _, query = address.partition("?")
        given = dict(part.split("=", 1) for part in query.split("&") if part)
        key = path.removeprefix("/media/")
        for method in ("HEAD", "GET"):
            await stage[person].ask(f"{method} /media/{{key}}", key=key, query=given)
        part = {"range": "bytes=0-99"}
        await stage[person].ask(
            "GET /media/{key}", key=key, query=given, headers=part, expect=(206,)
        )


async def unlike(stage: Stage) -> None:
    """Takes back what can be taken back."""
    await stage["dan"].ask("DELETE /api/clips/{clip_id}/like", clip_id=stage.ids["open"])
    await stage["eve"].ask("PUT /api/people/{handle}/follow", handle=stage.handle("ana"))
    await stage["eve"].ask("DELETE /api/people/{handle}/follow", handle=stage.handle("ana"))


async def devices(stage: Stage) -> None:
    """Passkeys, recovery codes, passwords, other sessions."""
    plant, ana = stage.book.plant, stage["ana"]
    begun = await ana.ask("POST /api/me/passkeys/options", json={})
    made = new_passkey(stage, "ana", begun.json())
    added = await ana.ask("POST /api/me/passkeys", json=made)
    begun = await ana.ask("POST /api/sessions/passkey-options", json={})
    options = begun.json()
    answer = await ana.ask(
        "POST /api/sessions/passkey",
        json={
            "challenge_id": options["challenge_id"],
            "credential": PASSKEYS["ana"].get(options["options"]),
        },
    )
    stage.meet("ana", answer.json(), answer)
    codes = await ana.ask("POST /api/me/recovery-codes", json={})
    for code in codes.json()["recovery_codes"]:
        stage.book.learn("ana", "recovery.code", code)
    later = plant("ana", "person.later password", "{} owl 8")
    change = {"password": later, "current": plant("ana", "person.password")}
    await ana.ask("PUT /api/me/password", json=change)
    credentials = {"handle": stage.handle("ana"), "password": later}
    answer = await ana.ask("POST /api/sessions", json=credentials)
    stage.meet("ana", answer.json(), answer)
    code = codes.json()["recovery_codes"][0]
    answer = await ana.ask(
        "POST /api/sessions/recovery", json={"handle": stage.handle("ana"), "code": code}
    )
    stage.meet("ana", answer.json(), answer)
    sessions = (await ana.ask("GET /api/sessions")).json()["items"]
    other = next(one["id"] for one in sessions if not one["current"])
    await ana.ask("DELETE /api/sessions/{session_id}", session_id=other)
    listed = (await ana.ask("GET /api/me/passkeys")).json()["items"]
    if [one["id"] for one in listed] != [added.json()["id"]]:
        raise Stale("the list of passkeys is not the one that was made")
    await ana.ask("DELETE /api/me/passkeys/{passkey_id}", passkey_id=listed[0]["id"])


async def unmake(stage: Stage) -> None:
    """Removes a picture, an address, captions and a clip; opens an account again."""
    dan = stage["dan"]
    await dan.ask("DELETE /api/me/avatar")
    await dan.ask("DELETE /api/me/contacts/{kind}", kind="phone")
    ana = stage["ana"]
    await ana.ask("DELETE /api/clips/{clip_id}/captions", clip_id=stage.ids["open"])
    await ana.ask("DELETE /api/clips/{clip_id}", clip_id=stage.ids["friends"])
    eve = stage["eve"]
    await eve.ask("PATCH /api/me", json={"is_private": True})
    await eve.ask("PATCH /api/me", json={"is_private": False})
