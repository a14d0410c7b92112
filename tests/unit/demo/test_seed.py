"""The demo fills a cell through its API, goes on after a cut, and waits when it is asked to."""

from __future__ import annotations

import json
import re
import stat
from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.conftest import later

from luciole.demo import api, seed
from luciole.demo.api import Api, Refused
from luciole.demo.cast import ACCEPTED, PEOPLE
from luciole.demo.reel import CLIPS, OPENING, Clip
from luciole.demo.seed import OtherCell
from luciole.demo.studio import Studio
from luciole.demo.talk import TALK

ADDRESS = "http://cell.test"


class Cell:
    """As much of a cell as the demo talks to, in memory."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.avatars: set[str] = set()
        self.uploads: dict[str, bytearray] = {}
        self.clips: dict[str, dict[str, object]] = {}
        self.likes: set[tuple[str, str]] = set()
        self.said: list[dict[str, str]] = []
        self.pins: set[str] = set()
        self.follows: set[tuple[str, str]] = set()
        self.accepted: set[tuple[str, str]] = set()
        self.seen: Counter[str] = Counter()
        self.busy = 0
        self.cut_after_clips = -1

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        self.seen[f"{method} {path}"] += 1
        if self.busy:
            self.busy -= 1
            return httpx.Response(429, headers={"retry-after": "0"}, json={})
        me = request.headers.get("authorization", "").removeprefix("Bearer t-")
        if path in ("/api/sign-up", "/api/sessions"):
            return self.enter(path, json.loads(request.content))
        if path.startswith("/api/uploads"):
            return self.upload(request)
        if path == "/api/clips":
            return self.publish(me, json.loads(request.content))
        if found := re.fullmatch(r"/api/people/(.+)/clips", path):
            mine = [c for c in self.clips.values() if c["author"] == found[1]]
            return httpx.Response(200, json={"items": mine, "next": None})
        if found := re.fullmatch(r"/api/people/(.+)/follow", path):
            self.follows.add((me, found[1]))
            return httpx.Response(200, json={"follows": "yes"})
        if found := re.fullmatch(r"/api/me/follow-requests/(.+)", path):
            self.accepted.add((me, found[1]))
            return httpx.Response(204)
        if found := re.fullmatch(r"/api/(clips/.+/comments|comments/.+/replies)", path):
            return self.talk(me, found[1], request)
        if found := re.fullmatch(r"/api/comments/(.+)/(like|pin)", path):
            self.pins.update([found[1]] if found[2] == "pin" else [])
            return httpx.Response(200, json={})
        if found := re.fullmatch(r"/api/clips/(.+)/like", path):
            self.likes.add((me, found[1]))
            return httpx.Response(200, json={"liked": True, "likes": 1})
        if found := re.fullmatch(r"/api/clips/(.+)", path):
            return httpx.Response(200, json=self.clips[found[1]])
        if path == "/api/me/avatar":
            assert request.content.startswith(b"\x89PNG")
            self.avatars.add(me)
        return httpx.Response(200, json={})

    def enter(self, path: str, body: dict[str, str]) -> httpx.Response:
        handle, password = body["handle"], body["password"]
        known = self.passwords.get(handle)
        if path == "/api/sign-up":
            if known:
                return refusal(409, "handle-taken")
            assert body["age_band"] == "18+"
            self.passwords[handle] = password
        elif known != password:
            return refusal(401, "wrong-password")
        return httpx.Response(201, json={"token": f"t-{handle}"})

    def upload(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["tus-resumable"] == "1.0.0"
        if request.method == "POST":
            name = f"u{len(self.uploads)}"
            self.uploads[name] = bytearray()
            return httpx.Response(201, headers={"location": f"/api/uploads/{name}"})
        held = self.uploads[request.url.path.rsplit("/", 1)[1]]
        if request.method == "PATCH":
            assert int(request.headers["upload-offset"]) == len(held)
            held += request.content
        return httpx.Response(204, headers={"upload-offset": str(len(held))})

    def talk(self, me: str, place: str, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            here = [one for one in self.said if one["place"] == place]
            return httpx.Response(200, json={"items": here, "next": None})
        body = json.loads(request.content)
        to = body["reply_to"]
        name = f"s{len(self.said)}"
        where = f"comments/{to}/replies" if to else place
        self.said.append({"id": name, "place": where, "who": me, "text": body["text"]})
        return httpx.Response(201, json=self.said[-1])

    def publish(self, me: str, body: dict[str, object]) -> httpx.Response:
        assert self.uploads[str(body["upload_id"])] == b"film"
        assert body["made_with_ai"] is False
        name = f"c{len(self.clips)}"
        self.clips[name] = {**body, "id": name, "author": me, "state": "published"}
        if self.cut_after_clips == len(self.clips):
            raise Cut  # After the cell has it, before the demo knows.
        return httpx.Response(201, json=self.clips[name])


class Cut(BaseException):
    """What no `except Exception` holds up, as Ctrl-C; a real one would end the test run too."""


def refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "sentence": "No.", "next_step": "-"})


class QuickStudio(Studio):
    """Hands out the same four bytes instead of drawing."""

    async def film(self, clip: Clip) -> Path:
        path = self.folder / f"{clip.key}.mp4"
        path.write_bytes(b"film")
        return path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "Studio", QuickStudio)


async def fill(cell: Cell, state: Path) -> tuple[seed.Account, list[tuple[int, int, str]]]:
    told: list[tuple[int, int, str]] = []
    account = await seed.fill(
        ADDRESS,
        state,
        lambda *news: told.append(news),
        processes=0,
        transport=cell.transport(),
    )
    return account, told


async def test_full_cell(tmp_path: Path) -> None:
    cell = Cell()
    account, told = await fill(cell, tmp_path / "state.json")
    assert len(cell.passwords) == len(cell.avatars) == len(PEOPLE)
    assert len(cell.clips) == len(CLIPS)
    assert account == ("mina", cell.passwords["mina"])
    assert len(set(cell.passwords.values())) == len(PEOPLE)
    assert cell.follows == {(p.handle, other) for p in PEOPLE for other in p.follows}
    assert ("anneliese", "mina") in cell.accepted
    assert not any(who == "marcus_b" for _, who in cell.accepted)
    assert len(cell.likes) == sum(len(clip.likers()) for clip in CLIPS)
    lines = [line for lines in TALK.values() for line in lines]
    assert Counter(one["text"] for one in cell.said) == Counter(line.text for line in lines)
    assert len(cell.pins) == sum(line.is_pinned for line in lines)
    assert told[-1] == (len(CLIPS), len(CLIPS), "The demo is complete.")
    opening = [c["caption"] for c in list(cell.clips.values())[:OPENING]]
    assert set(opening) == {clip.caption for clip in CLIPS[:OPENING]}
    assert list((tmp_path / "films").iterdir()) == []


async def test_state_is_for_its_owner_only(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert seed.account(state) is None
    account, _ = await fill(Cell(), state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert seed.account(state) == account


async def test_second_run_does_nothing(tmp_path: Path) -> None:
    cell = Cell()
    first, _ = await fill(cell, tmp_path / "state.json")
    cell.seen.clear()
    second, _ = await fill(cell, tmp_path / "state.json")
    assert second == first
    assert not cell.seen


@pytest.mark.parametrize("cut", [1, later(5), later(9), 20])
async def test_cut_run_goes_on_without_doubles(tmp_path: Path, cut: int) -> None:
    cell, state = Cell(), tmp_path / "state.json"
    cell.cut_after_clips = cut
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - a group, or the cut itself
        await fill(cell, state)
    assert isinstance(caught.value, Cut) or caught.value.subgroup(Cut) is not None
    cell.cut_after_clips = -1
    await fill(cell, state)
    captions = Counter(str(c["caption"]) for c in cell.clips.values())
    assert set(captions) == {clip.caption for clip in CLIPS}
    assert max(captions.values()) == 1
    assert max(Counter(one["text"] for one in cell.said).values()) == 1
    assert all(cell.accepted >= {(who, other)} for who in ACCEPTED for other in ("mina", "theo"))


async def test_other_password_is_refused_with_a_next_step(tmp_path: Path) -> None:
    cell = Cell()
    cell.passwords["theo"] = "somebody else's"
    with pytest.raises(BaseExceptionGroup) as caught:
        await fill(cell, tmp_path / "state.json")
    found = caught.value.subgroup(OtherCell)
    assert found is not None


async def test_busy_cell_is_asked_again() -> None:
    cell = Cell()
    cell.busy = 2
    async with httpx.AsyncClient(base_url=ADDRESS, transport=cell.transport()) as http:
        assert await Api(http).get("/api/me") == {}
    assert cell.seen["GET /api/me"] == 3


async def test_refusal_is_not_asked_again() -> None:
    cell = Cell()
    cell.passwords["theo"] = "known"
    async with httpx.AsyncClient(base_url=ADDRESS, transport=cell.transport()) as http:
        body = {"handle": "theo", "password": "x", "age_band": "18+"}
        with pytest.raises(Refused, match="handle-taken"):
            await Api(http).post("/api/sign-up", body)
    assert cell.seen["POST /api/sign-up"] == 1


async def test_large_file_goes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PIECE_BYTES", 3)
    cell = Cell()
    async with httpx.AsyncClient(base_url=ADDRESS, transport=cell.transport()) as http:
        name = await Api(http).upload(b"film", "video/mp4")
    assert cell.uploads[name] == b"film"
    assert cell.seen[f"PATCH /api/uploads/{name}"] == 2
