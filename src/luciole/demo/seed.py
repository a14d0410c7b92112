"""Fill a running cell with people and clips, through its public HTTP API and nothing else.

What has been done is kept in a small file, so that a run that was cut short goes on where it
stopped, and a run on a full cell does nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from luciole.demo import avatar
from luciole.demo.api import Api, Refused
from luciole.demo.cast import ACCEPTED, BY_HANDLE, GUEST, PEOPLE, Person
from luciole.demo.reel import CLIPS, OPENING, Clip
from luciole.demo.studio import Studio
from luciole.demo.talk import TALK, Line
from luciole.kit.errors import Conflict

Report = Callable[[int, int, str], None]
"""How many clips play, of how many, and a sentence about what has just happened."""

POLL_S = 0.4
# Whose clips cross, where cells exchange.
SHARERS = ("marcus_b", "dolores", "solene", "kofi_paper")


class Account(NamedTuple):
    """The person whom a newcomer may be."""

    handle: str
    password: str


class Known(msgspec.Struct):
    """What the demo knows about one of its people."""

    password: str
    token: str = ""
    has_profile: bool = False


class State(msgspec.Struct):
    """What has been done so far."""

    people: dict[str, Known] = {}
    clips: dict[str, str] = {}
    """Clip ids by key."""
    ended: dict[str, str] = {}
    """`published` or `refused` by key."""
    liked: list[str] = []
    talked: list[str] = []
    shared: list[str] = []
    """Clips whose author has been asked whether they may cross."""
    has_relations: bool = False


class OtherCell(Conflict):
    code = "demo-other-cell"
    sentence = "A person of the demo exists in this cell, but not with the password we know."
    next_step = "Start with an empty cell: `./luciole demo --fresh`."


def account(state_path: Path) -> Account | None:
    """The newcomer's account, once it exists."""
    known = _load(state_path).people.get(GUEST)
    return Account(GUEST, known.password) if known and known.token else None


async def seed(address: str, folder: Path, say: Callable[[str], None]) -> Account:
    """Fill the cell at `address`; the state and the films live in `folder`."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    state_path, is_told = folder / "state.json", False

    def report(done: int, total: int, sentence: str) -> None:
        nonlocal is_told
        say(f"[{done}/{total}] {sentence}")
        guest = account(state_path)
        if done >= OPENING and guest and not is_told:
            is_told = True
            say(f"Open {address} and look. To take part, sign in as {guest.handle}")
            say(f"with the password {guest.password}")

    return await fill(address, state_path, report)


async def fill(
    address: str,
    state_path: Path,
    report: Report,
    *,
    processes: int = 2,
    shares: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Account:
    """Make everything that is missing. Films are drawn in `processes` processes at a time. With
    `shares`, the clips of some cross to other cells."""
    work = _Work(state_path, report, shares)
    if not work.is_complete:
        async with (
            httpx.AsyncClient(
                base_url=address, timeout=60, trust_env=False, transport=transport
            ) as http,
            Studio(state_path.parent / "films", processes) as studio,
        ):
            await work.run(http, studio)
    work.say("The demo is complete.")
    return Account(GUEST, work.state.people[GUEST].password)


def _load(path: Path) -> State:
    with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
        return msgspec.json.decode(path.read_bytes(), type=State)
    return State()


class _Work:
    def __init__(self, state_path: Path, report: Report, shares: bool) -> None:
        self.shares = shares
        self.path, self.tell = state_path, report
        self.state = _load(state_path)
        self.api: dict[str, Api] = {}

    @property
    def is_complete(self) -> bool:
        state = self.state
        is_told = len(state.talked) == len(state.liked) == len(CLIPS) == len(state.ended)
        return state.has_relations and is_told

    def save(self) -> None:
        """Replace the file in one step; nobody but its owner may read the passwords in it."""
        draft = self.path.with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(self.state))
        os.replace(draft, self.path)

    def say(self, sentence: str) -> None:
        self.tell(
            sum(end == "published" for end in self.state.ended.values()), len(CLIPS), sentence
        )

    async def run(self, http: httpx.AsyncClient, studio: Studio) -> None:
        opening = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            # The first films are drawn while the people sign up.
            films = [group.create_task(self._film(studio, clip)) for clip in CLIPS[:OPENING]]
            await self._sign_up(http, group)
            for clip, film in zip(CLIPS, films, strict=False):
                group.create_task(self._publish(clip, film, opening))
            group.create_task(self._relate())
            await opening.wait()
            # Then two at a time: the encoder of the cell is the narrow place, and whoever looks
            # at the demo by now wants the processor too.
            places = asyncio.Semaphore(2)
            for clip in CLIPS[OPENING:]:
                group.create_task(self._add(clip, studio, places, opening))

    async def _add(
        self, clip: Clip, studio: Studio, places: asyncio.Semaphore, opening: asyncio.Event
    ) -> None:
        async with places:
            await self._publish(clip, self._film(studio, clip), opening)

    async def _film(self, studio: Studio, clip: Clip) -> Path | None:
        return None if clip.key in self.state.clips else await studio.film(clip)

    # People

    async def _sign_up(self, http: httpx.AsyncClient, group: asyncio.TaskGroup) -> None:
        async with asyncio.TaskGroup() as entries:
            for person in PEOPLE:
                entries.create_task(self._enter(http, person))
        self.say(f"{len(PEOPLE)} people have signed up.")
        for person in PEOPLE:
            group.create_task(self._introduce(person))

    async def _enter(self, http: httpx.AsyncClient, person: Person) -> None:
        # The password is written down before it is used: if we stop in between, the next run
        # can still sign in.
        known = self.state.people.setdefault(person.handle, Known(secrets.token_urlsafe(12)))
        self.save()
        api = self.api[person.handle] = Api(http, known.token or None)
        if known.token:
            with contextlib.suppress(Refused):
                await api.get("/api/me")
                return
        api.token = None
        entered = await self._new_session(api, person, known)
        api.token = known.token = entered["token"]
        self.save()

    async def _new_session(self, api: Api, person: Person, known: Known) -> Any:
        body = {
            "handle": person.handle,
            "display_name": person.display_name,
            "age_band": person.age_band,
            "locale": person.locale,
            "password": known.password,
        }
        try:
            return await api.post("/api/sign-up", body)
        except Refused as refused:
            if refused.code != "handle-taken":
                raise
        try:
            entry = {"handle": person.handle, "password": known.password}
            return await api.post("/api/sessions", entry)
        except Refused as refused:
            raise OtherCell from refused

    async def _introduce(self, person: Person) -> None:
        known, api = self.state.people[person.handle], self.api[person.handle]
        if known.has_profile:
            return
        about = {"bio": person.bio, "is_private": person.is_private}
        await api.call("PATCH", "/api/me", json=about)
        picture = await asyncio.to_thread(avatar.draw, person)
        head = {"content-type": "image/png"}
        await api.call("PUT", "/api/me/avatar", content=picture, headers=head)
        known.has_profile = True
        self.save()

    async def _relate(self) -> None:
        if self.state.has_relations:
            return
        for person in PEOPLE:
            # A private account has to be private before the first request to follow it.
            if person.is_private:
                await self.api[person.handle].call("PATCH", "/api/me", json={"is_private": True})
        for person in PEOPLE:
            for other in person.follows:
                await self.api[person.handle].put(f"/api/people/{other}/follow")
        for handle, accepted in ACCEPTED.items():
            for other in accepted:
                if handle in BY_HANDLE[other].follows:
                    with contextlib.suppress(Refused):  # Accepted in an earlier run.
                        await self.api[handle].put(f"/api/me/follow-requests/{other}")
        self.state.has_relations = True
        self.save()
        self.say("They have found each other.")

    # Clips

    async def _publish(
        self, clip: Clip, film: Awaitable[Path | None], opening: asyncio.Event
    ) -> None:
        api = self.api[clip.author]
        path = await film
        if path is not None:
            known_id = await self._find(api, clip)
            self.state.clips[clip.key] = known_id or await self._send(api, clip, path)
            self.save()
            await asyncio.to_thread(path.unlink, missing_ok=True)  # The cell has it now.
        if clip.key not in self.state.ended:
            self.state.ended[clip.key] = await self._await_end(api, self.state.clips[clip.key])
            self.save()
            self.say(f"{BY_HANDLE[clip.author].display_name}: {clip.caption.partition(' #')[0]}")
        if sum(c.key in self.state.ended for c in CLIPS[:OPENING]) == OPENING:
            opening.set()
        if self.shares and clip.key not in self.state.shared:
            if self.state.ended[clip.key] == "published" and clip.author in SHARERS:
                await self._share(clip)
            self.state.shared.append(clip.key)
            self.save()
        if clip.key not in self.state.liked:
            if self.state.ended[clip.key] == "published":
                await self._like(clip)
            self.state.liked.append(clip.key)
            self.save()
        if clip.key not in self.state.talked:
            if self.state.ended[clip.key] == "published":
                await self._talk(clip)
            self.state.talked.append(clip.key)
            self.save()

    async def _find(self, api: Api, clip: Clip) -> str | None:
        """The clip, if an earlier run was stopped between publishing it and writing that down."""
        page = await api.get(f"/api/people/{clip.author}/clips?limit=50")
        return next((str(c["id"]) for c in page["items"] if c["caption"] == clip.caption), None)

    async def _send(self, api: Api, clip: Clip, path: Path) -> str:
        upload_id = await api.upload(await asyncio.to_thread(path.read_bytes), "video/mp4")
        body: dict[str, object] = {
            "upload_id": upload_id,
            "caption": clip.caption,
            "audience": clip.audience,
            "made_with_ai": False,
            "cover_ms": int(clip.cover_part * clip.seconds * 1000),
        }
        if clip.captions_vtt:
            body |= {"captions_vtt": clip.captions_vtt, "captions_language": clip.language}
        made = await api.post("/api/clips", body)
        return str(made["id"])

    async def _await_end(self, api: Api, clip_id: str) -> str:
        while True:
            clip = await api.get(f"/api/clips/{clip_id}")
            if clip["state"] in ("published", "refused"):
                return str(clip["state"])
            await asyncio.sleep(POLL_S)

    async def _share(self, clip: Clip) -> None:
        """Lets a clip cross to other cells, after its author has read what then leaves."""
        if clip.audience != "everyone":
            return
        api, locale = self.api[clip.author], BY_HANDLE[clip.author].locale
        sheet = await api.get(f"/api/me/abroad/sheets/clip?locale={locale}")
        yes = {"sha256": sheet["sha256"], "locale": locale}
        await api.put("/api/me/abroad/consents/clip", yes)
        path = f"/api/clips/{self.state.clips[clip.key]}/reach"
        await api.put(path, {"reach": "cells"})

    async def _like(self, clip: Clip) -> None:
        path = f"/api/clips/{self.state.clips[clip.key]}/like"
        for handle in clip.likers():
            with contextlib.suppress(Refused):  # Not a friend yet, where a follow came late.
                await self.api[handle].put(path)

    async def _talk(self, clip: Clip) -> None:
        """What is said under a clip. What an earlier run has said already is not said again."""
        lines = TALK.get(clip.key, ())
        place = f"/api/clips/{self.state.clips[clip.key]}/comments"
        said: dict[int, str] = {}
        for number, line in enumerate(lines):
            if line.to is not None and line.to not in said:
                continue
            with contextlib.suppress(Refused):  # Not a friend yet, where a follow came late.
                known = await self._said(place, line, said)
                if known is None:
                    to = said[line.to] if line.to is not None else None
                    body = {"text": line.text, "reply_to": to}
                    known = str((await self.api[line.who].post(place, body))["id"])
                said[number] = known
                for fan in line.likes:
                    await self.api[fan].put(f"/api/comments/{known}/like")
                if line.is_pinned:
                    await self.api[clip.author].put(f"/api/comments/{known}/pin")

    async def _said(self, place: str, line: Line, said: dict[int, str]) -> str | None:
        """The comment, if an earlier run was stopped after it."""
        where = place if line.to is None else f"/api/comments/{said[line.to]}/replies"
        page = await self.api[line.who].get(f"{where}?limit=50")
        return next((str(one["id"]) for one in page["items"] if one["text"] == line.text), None)
