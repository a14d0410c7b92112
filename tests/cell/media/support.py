"""A cell of people and media, persons who upload, and the hand that works off the jobs."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec
from tests.cell.vault import Vault

from luciole.cell.media import api, jobs
from luciole.cell.media.aftercare import Aftercare
from luciole.cell.media.avatar import maker
from luciole.cell.media.model import Edit
from luciole.cell.media.sealing import Sealer
from luciole.cell.media.service import Media
from luciole.cell.notices.service import Notices
from luciole.cell.notify.service import Notify
from luciole.cell.people.service import People
from luciole.config import Settings
from luciole.kit import web
from luciole.kit.blobs import Blobs
from luciole.kit.clock import SetClock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue

ORIGIN = "http://localhost:8080"
TUS = {"tus-resumable": "1.0.0"}
PIECE = {**TUS, "content-type": "application/offset+octet-stream"}
OURS = ("media.prepare", "media.ladder", "media.rename", "media.look")


class Person(httpx.AsyncClient):
    """A signed-in browser."""

    person_id: UUID
    session_id: UUID
    token: str


@dataclass
class Cell:
    db: Database
    blobs: Blobs
    settings: Settings
    vault: Vault
    clock: SetClock = field(default_factory=lambda: SetClock(datetime(2026, 11, 24, 9, tzinfo=UTC)))
    queue: Queue = field(default_factory=Queue)
    progress: list[tuple[UUID, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = People(
            self.settings,
            self.vault.custody(self.clock),
            self.vault.derived()["devices"],
            self.clock,
            self.queue,
        )
        key = self.vault.derived()["media-links"]
        self.media = Media(self.settings, key, self.clock, self.queue)

        async def show(_tx: Tx, asset_id: UUID, percent: int) -> None:
            self.progress.append((asset_id, percent))

        self.workshop = Aftercare(
            self.db,
            self.media,
            self.blobs,
            self.queue,
            self.settings,
            self.clock,
            show,
            Sealer(self.vault.custody(self.clock), "0"),
        )
        jobs.register(self.queue, self.workshop, self.settings.worker)
        cursors = Cursors(self.vault.derived()["cursors"])
        notify = Notify(cursors, self.clock, self.queue)
        notices = Notices(notify, cursors, self.clock, ORIGIN)
        routers = api.routes(self.db, self.people, self.media, notices, self.blobs, self.settings)
        self.app = web.application(routers, title="t", version="0", max_body_bytes=1_048_576)
        self.make_avatar = maker(self.settings.work_dir, allow_unfenced=False)
        self._clients: list[httpx.AsyncClient] = []
        self._numbers = itertools.count(1)

    @property
    def work_folder(self) -> Path:
        return self.settings.work_dir / "media"

    def visitor(self, **headers: str) -> Person:
        """A browser that nobody is signed in on."""
        made = Person(
            transport=httpx.ASGITransport(cast(Any, self.app)), base_url=ORIGIN, headers=headers
        )
        self._clients.append(made)
        return made

    async def person(self) -> Person:
        """Somebody new, signed in."""
        person_id = new_id()
        async with self.db.tx() as tx:
            await self.people.sign_up(
                tx,
                person_id,
                handle=f"person{next(self._numbers)}",
                display_name="Ana",
                age_band="18+",
                locale="en",
            )
        return await self.sign_in(person_id)

    async def sign_in(self, person_id: UUID) -> Person:
        async with self.db.tx() as tx:
            token = await self.people.open_session(tx, person_id, "test")
            viewer = await self.people.by_token(tx, token)
        assert viewer is not None
        client = self.visitor(authorization=f"Bearer {token}")
        client.person_id, client.token = person_id, token
        client.session_id = viewer.session_id
        return client

    async def upload(self, person: Person, data: bytes) -> UUID:
        """A finished upload through the API."""
        answer = await person.post("/api/uploads", headers={**TUS, "upload-length": str(len(data))})
        assert answer.status_code == 201, answer.text
        place = answer.headers["location"]
        answer = await person.patch(place, content=data, headers={**PIECE, "upload-offset": "0"})
        assert answer.status_code == 204, answer.text
        return UUID(place.rsplit("/", 1)[1])

    async def begin(
        self, person: Person, data: bytes, edit: Edit | None = None, *, is_public: bool = True
    ) -> UUID:
        """An asset that waits for the worker."""
        upload_id = await self.upload(person, data)
        async with self.db.tx() as tx:
            return await self.media.begin(
                tx, person.person_id, upload_id, edit or Edit(), is_public=is_public
            )

    async def playable(
        self, person: Person, data: bytes, edit: Edit | None = None, *, is_public: bool = True
    ) -> msgspec.Raw | Any:
        """What becomes of a file, with all jobs done."""
        asset_id = await self.begin(person, data, edit, is_public=is_public)
        await self.work()
        return await self.look(asset_id)

    async def look(self, asset_id: UUID) -> Any:
        """The row of media.playable, renditions decoded."""
        row = await self.row("SELECT * FROM media.playable WHERE asset_id = $1", asset_id)
        found = dict(row)
        found["renditions"] = msgspec.json.decode(found["renditions"])
        return found

    async def work(self, names: Sequence[str] = OURS) -> int:
        """Does all waiting jobs of ours; gives how many."""
        done = 0
        while waiting := await self.take(names):
            for name, body in waiting:
                await self.queue.run_once(name, body)
                done += 1
        return done

    async def take(self, names: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
        rows = await self.rows(
            "DELETE FROM queue.pgqueuer WHERE entrypoint = ANY($1) "
            "RETURNING id, entrypoint, payload",
            list(names),
        )
        rows.sort(key=lambda row: row["id"])
        return [(row["entrypoint"], msgspec.json.decode(row["payload"])) for row in rows]

    async def news(self, name: str) -> list[dict[str, str]]:
        return [body for _, body in await self.take([name])]

    async def sweep(self, *, after: timedelta = timedelta()) -> None:
        self.clock.advance(after)
        await self.workshop.sweep()

    async def rows(self, query: str, *args: Any) -> list[Any]:
        async with self.db.tx() as tx:
            return list(await tx.fetch(query, *args))

    async def row(self, query: str, *args: Any) -> Any:
        (row,) = await self.rows(query, *args)
        return row

    async def objects(self, *prefixes: str) -> set[str]:
        """The keys of all objects below the prefixes (all of ours by default)."""
        found: set[str] = set()
        for prefix in prefixes or ("uploads/", "p/", "r/"):
            found |= {key async for key in self.blobs.keys(prefix)}
        return found

    async def referred(self) -> set[str]:
        rows = await self.rows(
            "SELECT object_key FROM media.chunk UNION SELECT object_key FROM media.file"
        )
        return {row["object_key"] for row in rows}

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


async def broken_patch(cell: Cell, person: Person, place: str, offset: int, data: bytes) -> None:
    """A PATCH whose connection breaks after `data`."""
    messages: AsyncIterator[dict[str, Any]] = _broken(data)

    async def receive() -> dict[str, Any]:
        return await anext(messages)

    async def send(_message: Any) -> None:
        return

    headers = {**PIECE, "upload-offset": str(offset), "authorization": f"Bearer {person.token}"}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "PATCH",
        "scheme": "http",
        "path": place,
        "raw_path": place.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 50_000),
        "server": ("localhost", 8080),
    }
    await asyncio.wait_for(cast(Any, cell.app)(scope, receive, send), 10)


async def _broken(data: bytes) -> AsyncIterator[dict[str, Any]]:
    yield {"type": "http.request", "body": data, "more_body": True}
    while True:
        yield {"type": "http.disconnect"}


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Asserts a refusal that says what happened and what to do."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    body = answer.json()
    assert body["code"] == code
    assert body["sentence"].endswith(".")
    assert body["next_step"].endswith(".")
