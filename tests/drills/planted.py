"""A person of a real cell whose every field holds a word that can be found again, and who has used
everything; for drills that look for what is left of them."""

from __future__ import annotations

import io
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from tests.cell.house import PIECE, TUS
from tests.cell.people.authenticator import Authenticator
from tests.unit.media import films

from luciole.kit import postgres
from luciole.kit.db import Database

MAKES_WITHIN_S = 15.0
PASSWORD = "seven turquoise herons"
AGENT = "Mozilla/5.0 (kz9w-agent-of-orphan) Chrome/141.0 Mobile Safari/537"
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\n{words}\n"
# A likeness stays by design; these handles do not look like theirs (`0`, `1`, `_` and `.` go).
HANDLE, LATER_HANDLE = "kz9w_0rph.an1", "kz9w_1ater.0ne"
WORDS = {
    "handle": HANDLE,
    "later handle": LATER_HANDLE,
    "name": "Kz9w Orphan Nämé",
    "later name": "Kz9w Orphan Autre",
    "bio": "kz9w writes about örphans",
    "caption": "kz9w caption of an orphan",
    "later caption": "kz9w caption after an edit",
    "hashtag": "kz9wtagoforphan",
    "captions": "kz9w says this in the film",
    "email": "kz9w.orphan@example.org",
    "later email": "kz9w.orphan.later@example.org",
    "phone": "33699887766",
    "passkey": "kz9w key of orphan",
    "password": PASSWORD,
    "agent": "kz9w-agent-of-orphan",
    "film title": "kz9w-title-in-the-film",
}
# What belongs to one person in the tables, as bytes.
SECRETS = """
SELECT 'person id' AS name, uuid_send(id) AS mark FROM people.person WHERE id = $1
UNION ALL SELECT 'person id, as text', convert_to(id::text, 'UTF8') FROM people.person WHERE id = $1
UNION ALL SELECT 'password', convert_to(hash, 'UTF8') FROM people.password WHERE person_id = $1
UNION ALL SELECT 'session', token_hash FROM people.session WHERE person_id = $1
UNION ALL SELECT 'passkey', credential_id FROM people.passkey WHERE person_id = $1
UNION ALL SELECT 'public key', public_key FROM people.passkey WHERE person_id = $1
UNION ALL SELECT 'recovery code', code_hash FROM people.recovery_code WHERE person_id = $1
UNION ALL SELECT 'address', sealed FROM people.contact WHERE person_id = $1
UNION ALL SELECT 'index', address_index FROM people.contact WHERE person_id = $1
UNION ALL SELECT 'picture', convert_to(avatar_key, 'UTF8') FROM people.person WHERE id = $1
UNION ALL SELECT 'clip', uuid_send(id) FROM clips.clip WHERE author_id = $1
UNION ALL SELECT 'film', uuid_send(id) FROM media.asset WHERE owner_id = $1
UNION ALL SELECT 'address of a film', convert_to(token, 'UTF8') FROM media.asset
    WHERE owner_id = $1
UNION ALL SELECT 'journal', sealed FROM custody.journal WHERE person_id = $1
UNION ALL SELECT 'permit', uuid_send(id) FROM custody.permit WHERE person_id = $1
"""


@dataclass
class Planted:
    """The person, seen from the outside; `marks` is what must be found nowhere afterwards."""

    port: int
    marks: dict[str, bytes] = field(default_factory=dict)
    clip_id: str = ""

    def __post_init__(self) -> None:
        self.marks |= {f"word: {name}": word.encode() for name, word in WORDS.items()}
        self.http = browser(self.port)
        self.http.headers["user-agent"] = AGENT

    def live(self, folder: Path, other: httpx.Client) -> None:
        """Signs up and uses everything there is, together with somebody who stays."""
        self.sign_up()
        self.fill()
        film = films.make(
            folder / "orphan.mp4",
            "-metadata",
            "title=" + WORDS["film title"],
            size="90x160",
            seconds=0.6,
            rate=10,
        ).read_bytes()
        self.marks["film as it was sent"] = film[len(film) // 2 :][:64]
        self.publish(film)
        self.mingle(other)
        ask(self.http, "POST", "/api/me/exports", json={})
        self.until_no_job()

    def sign_up(self) -> None:
        body = {
            "handle": HANDLE,
            "display_name": WORDS["name"],
            "age_band": "18+",
            "locale": "fr",
            "password": PASSWORD,
        }
        ask(self.http, "POST", "/api/sign-up", json=body)

    def fill(self) -> None:
        """Every field, and most of them twice: what was overwritten must go too."""
        http = self.http
        ask(http, "PATCH", "/api/me", json={"bio": WORDS["bio"]})
        for kind, words in (("email", ("email", "later email")), ("phone", ("phone",))):
            for word in words:
                value = f"+{WORDS[word]}" if kind == "phone" else WORDS[word]
                ask(http, "PUT", f"/api/me/contacts/{kind}", json={"value": value})
        shown = ask(http, "PUT", "/api/me/avatar", content=picture()).json()["avatar_url"]
        data = ask(http, "GET", shown).content
        self.marks["picture"] = data[len(data) // 2 :][:64]
        key = Authenticator(f"http://localhost:{self.port}")
        begun = ask(http, "POST", "/api/me/passkeys/options", json={}).json()
        made = {
            "challenge_id": begun["challenge_id"],
            "credential": key.create(begun["options"]),
            "name": WORDS["passkey"],
        }
        ask(http, "POST", "/api/me/passkeys", json=made)
        ask(http, "PATCH", "/api/me", json={"display_name": WORDS["later name"]})
        ask(http, "PUT", "/api/me/handle", json={"handle": LATER_HANDLE})

    def publish(self, film: bytes) -> None:
        http = self.http
        place = ask(
            http, "POST", "/api/uploads", headers={**TUS, "upload-length": str(len(film))}
        ).headers["location"]
        ask(http, "PATCH", place, content=film, headers={**PIECE, "upload-offset": "0"})
        body = {
            "upload_id": place.rsplit("/", 1)[1],
            "audience": "everyone",
            "caption": f"{WORDS['caption']} #{WORDS['hashtag']}",
            "captions_vtt": VTT.format(words=WORDS["captions"]),
            "captions_language": "fr",
        }
        self.clip_id = ask(http, "POST", "/api/clips", json=body).json()["id"]
        clip = until_published(http, self.clip_id)
        for rendition in clip["renditions"]:
            data = ask(http, "GET", rendition["url"]).content
            # Of the first picture: sound may be another film's too, and what the cell signs onto
            # them says the same of all.
            at = data.index(b"mdat") + 200
            self.marks[f"film as it plays ({rendition['name']})"] = data[at:][:64]
        # An upload that is never ended, and an edit.
        place = ask(
            http, "POST", "/api/uploads", headers={**TUS, "upload-length": str(len(film) + 9)}
        ).headers["location"]
        ask(http, "PATCH", place, content=film, headers={**PIECE, "upload-offset": "0"})
        edited = {"caption": WORDS["later caption"], "audience": "friends"}
        ask(http, "PATCH", f"/api/clips/{self.clip_id}", json=edited)
        ask(http, "PATCH", f"/api/clips/{self.clip_id}", json={"audience": "everyone"})

    def mingle(self, other: httpx.Client) -> None:
        """Follows and likes in both directions."""
        for one, handle in ((self.http, "stays"), (other, LATER_HANDLE)):
            ask(one, "PUT", f"/api/people/{handle}/follow")
        theirs = ask(other, "GET", "/api/people/stays/clips").json()["items"]
        for one, clip_id in ((self.http, theirs[0]["id"]), (other, self.clip_id)):
            ask(one, "PUT", f"/api/clips/{clip_id}/like")

    def until_no_job(self) -> None:
        """Until nothing of the person is being made any more; an erasure must stand it, too."""
        until = time.monotonic() + MAKES_WITHIN_S
        while time.monotonic() < until:
            made = ask(self.http, "GET", "/api/me/exports").json()["items"]
            if all(one["state"] in ("ready", "failed") for one in made):
                return
            time.sleep(0.3)

    async def note_secrets(self, server: postgres.Server) -> None:
        """What the database holds of the person besides words."""
        owner = await Database.open(server.url(), size=1)
        async with owner.read() as tx:
            person_id = await tx.fetchval(
                "SELECT id FROM people.person WHERE handle = $1", LATER_HANDLE
            )
            for number, row in enumerate(await tx.fetch(SECRETS, person_id)):
                if row["mark"] is not None:
                    self.marks[f"row: {row['name']} {number}"] = bytes(row["mark"])
        await owner.close()

    def erase(self) -> str:
        """Asks for it at once and waits until it is done; gives the ticket."""
        ticket = str(ask(self.http, "POST", "/api/me/erasure", json={"now": True}).json()["ticket"])
        until = time.monotonic() + 120
        with browser(self.port) as stranger:
            while (told := ask(stranger, "GET", f"/api/erasures/{ticket}").json())[
                "state"
            ] != "erased":
                assert time.monotonic() < until, told
                time.sleep(0.3)
        return ticket


def picture() -> bytes:
    """Noise, so that no two are alike."""
    file = io.BytesIO()
    Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3)).save(file, "PNG")
    return file.getvalue()


def browser(port: int) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://localhost:{port}", headers={"sec-fetch-site": "same-origin"}, timeout=30
    )


def ask(http: httpx.Client, method: str, path: str, **fields: Any) -> httpx.Response:
    answer = http.request(method, path, **fields)
    assert answer.is_success, (method, path, answer.status_code, answer.text)
    return answer


def until_published(http: httpx.Client, clip_id: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while True:
        clip: dict[str, Any] = ask(http, "GET", f"/api/clips/{clip_id}").json()
        if clip["state"] == "published":
            return clip
        assert time.monotonic() < until, clip
        time.sleep(0.2)
