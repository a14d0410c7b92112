"""A whole cell in the test's process: the real application, its people, and its jobs on call."""

from __future__ import annotations

import functools
import itertools
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, cast
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar
from tests.cell.vault import Vault

from luciole import worker
from luciole.app import application
from luciole.ask.gateway import PeerUnreachable
from luciole.cell.people.passwords import Passwords
from luciole.config import MediaSettings, PeopleSettings, Settings, WebSettings
from luciole.kit.blobs import Blobs
from luciole.kit.clock import SetClock
from luciole.kit.db import Database
from luciole.parts import Parts

ORIGIN = "http://localhost:8080"
PASSWORD = "seven turquoise herons"
TUS = {"tus-resumable": "1.0.0"}
PIECE = {**TUS, "content-type": "application/offset+octet-stream"}


class Elsewhere:
    """The way to files of other cells: what a test has put there, by its SHA-256, is found in the
    folder for what came."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.folder = Path()

    async def media(self, peer: str, path: str, sha256: str, size_bytes: int) -> None:
        self.asked.append(f"{peer} {path}")
        if sha256 not in self.files:
            raise PeerUnreachable
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / sha256).write_bytes(self.files[sha256])


class Browser(httpx.AsyncClient):
    """One person's browser; `handle` is theirs, empty for a visitor."""

    handle: str = ""
    token: str = ""

    async def clip(self, house: House, film: bytes, **fields: Any) -> dict[str, Any]:
        """A clip of this person with all jobs done, as the person sees it then."""
        answer = await self.post("/api/clips", json=await self.draft(film, **fields))
        assert answer.status_code == 201, answer.text
        await house.work()
        return dict((await self.get(f"/api/clips/{answer.json()['id']}")).json())

    async def draft(self, film: bytes, **fields: Any) -> dict[str, Any]:
        """The body of `POST /api/clips` for an uploaded film."""
        answer = await self.post("/api/uploads", headers={**TUS, "upload-length": str(len(film))})
        assert answer.status_code == 201, answer.text
        place = answer.headers["location"]
        answer = await self.patch(place, content=film, headers={**PIECE, "upload-offset": "0"})
        assert answer.status_code == 204, answer.text
        return {"upload_id": place.rsplit("/", 1)[1], "audience": "everyone", **fields}

    async def follow(self, other: Browser) -> str:
        answer = await self.put(f"/api/people/{other.handle}/follow")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["follows"])


def tomorrow() -> datetime:
    """Tomorrow at nine. A house is never behind the database: what ends there (`until > now()`)
    would have ended before it began, on whichever day the tests are run."""
    nine = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    return nine + timedelta(days=1)


@dataclass
class House:
    """The application over one database, a folder of objects and a clock that the test moves."""

    db: Database
    settings: Settings
    vault: Vault
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    outside: Any = None
    """What stands in for other cells (`cell.contacts.halves.Outside`)."""
    clock: SetClock = field(default_factory=lambda: SetClock(tomorrow()))

    def __post_init__(self) -> None:
        self.elsewhere.folder = self.settings.incoming_dir
        blobs = Blobs.open(self.settings.blobs_place)
        self.parts = Parts.over(
            self.settings,
            self.db,
            custody=self.vault.custody(self.clock),
            derived=self.vault.derived(),
            blobs=blobs,
            clock=self.clock,
            outside=self.outside,
        )
        # The parameters for real use would cost most of the time of the tests.
        queue_length = self.settings.people.password_queue
        self.parts.people.proofs.passwords = Passwords(queue_length, memory_kib=64, passes=1)
        self.beside = worker.register(self.parts, self.elsewhere)
        self._browsers: list[Browser] = []
        self._addresses = itertools.count(1)

    @classmethod
    def at(cls, db: Database, vault: Vault, folder: Path) -> Self:
        """A cell whose limits a test does not meet by accident; its files lie in `folder`."""
        settings = Settings(
            data_dir=str(folder),
            people=PeopleSettings(
                sign_up_work=0, sign_ups_per_hour=10_000, sign_ins_per_minute=10_000
            ),
            media=MediaSettings(min_free_bytes=0),
            web=WebSettings(country_header="X-Country"),
        )
        return cls(db, settings, vault)

    @functools.cached_property
    def app(self) -> Litestar:
        return application(self.parts, is_started=True)

    def visitor(self, **headers: str) -> Browser:
        """A browser that nobody is signed in on."""
        number = next(self._addresses)
        made = Browser(
            transport=httpx.ASGITransport(
                cast(Any, self.app), client=(f"192.0.2.{number % 250}", 50_000)
            ),
            base_url=ORIGIN,
            headers={"sec-fetch-site": "same-origin", **headers},
        )
        self._browsers.append(made)
        return made

    async def person(self, handle: str, **fields: Any) -> Browser:
        """A browser on which a new person is signed in."""
        made = self.visitor()
        body = {
            "handle": handle,
            "display_name": handle.title(),
            "age_band": "18+",
            "locale": "en",
            "password": PASSWORD,
            **fields,
        }
        answer = await made.post("/api/sign-up", json=body)
        assert answer.status_code == 201, answer.text
        made.handle = handle
        made.token = made.cookies["luciole_session"]
        return made

    async def work(self) -> int:
        """Does all waiting jobs, and those that they put; gives how many."""
        done = 0
        while waiting := await self._take():
            for name, body in waiting:
                await self.parts.queue.run_once(name, body)
                done += 1
        return done

    async def _take(self) -> list[tuple[str, dict[str, str]]]:
        rows = await self.rows(
            "DELETE FROM queue.pgqueuer RETURNING id, priority, entrypoint, payload"
        )
        rows.sort(key=lambda row: (-row["priority"], row["id"]))
        return [(row["entrypoint"], msgspec.json.decode(row["payload"])) for row in rows]

    async def rows(self, query: str, *args: Any) -> list[Any]:
        async with self.db.tx() as tx:
            return list(await tx.fetch(query, *args))

    async def person_id(self, handle: str) -> UUID:
        async with self.db.read() as tx:
            return (await self.parts.people.by_handle(tx, handle)).id

    async def leave(self) -> None:
        """As it was, for the next test: no browsers, no files, another day. Whoever empties the
        database does the rest."""
        await self.close()
        self.parts.for_you.forget()
        shutil.rmtree(self.settings.data, ignore_errors=True)
        now = self.clock.now()
        self.clock.advance((now + timedelta(days=1)).replace(hour=9, minute=0) - now)

    async def close(self) -> None:
        for browser in self._browsers:
            await browser.aclose()
        self._browsers.clear()


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Asserts a refusal that says what happened and what to do."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    body = answer.json()
    assert body["code"] == code
    assert body["sentence"].endswith(".")
    assert body["next_step"].endswith(".")
