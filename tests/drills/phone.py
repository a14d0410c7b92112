"""One person's phone in a drill: it goes on as a real client does when the cell goes away, and
notes what the cell acknowledged and whatever it says against that later."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.drills.films import Film

PATIENCE_S = 180.0
PIECE = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}
PASSWORD = "seven turquoise herons"
# So many of a person's clips may be unfinished before the next one is made.
AT_ONCE = 3


class Away(Exception):
    """No whole answer came: the connection broke, or the cell asks to come again."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass
class Clip:
    """A clip that the cell acknowledged."""

    id: str
    author: str
    caption: str
    film: Film
    audience: str
    state: str = "processing"


@dataclass
class Ledger:
    """What the cell acknowledged to all phones, and what it said against it."""

    clips: dict[str, Clip] = field(default_factory=dict)
    likes: set[tuple[str, str]] = field(default_factory=set)
    follows: set[tuple[str, str]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    pieces: int = 0
    resumed: int = 0

    def likeable(self) -> list[Clip]:
        return [c for c in list(self.clips.values()) if (c.state, c.audience) == PUBLIC]


PUBLIC = ("published", "everyone")


class Phone:
    """Signs up at once. `run` then uploads, publishes, likes and follows until it is told to stop,
    and finishes what it has begun."""

    def __init__(self, port: int, ledger: Ledger, films: list[Film], seed: int) -> None:
        self._port, self._ledger, self._films = port, ledger, films
        self._dice = random.Random(seed)
        self._connection: http.client.HTTPConnection | None = None
        self._token = ""
        self._pending: list[Clip] = []
        self.error: BaseException | None = None
        self.handle = f"drill_{uuid.uuid4().hex[:12]}"
        self._enter()

    # Asking

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One attempt. Raises Away."""
        sent = dict(headers or {})
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        if body is not None and not isinstance(body, bytes):
            body, sent["content-type"] = json.dumps(body).encode(), "application/json"
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            self._connection.request(method, path, body=body, headers=sent)
            got = self._connection.getresponse()
            answer = Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            raise Away(type(error).__name__) from error
        if answer.status in (429, 502, 503, 504):
            raise Away(str(answer.status))
        if answer.status >= 500:
            self._ledger.wrong.append(f"{answer.status} for {method} {path}: {answer.body[:200]!r}")
            raise Away(str(answer.status))
        return answer

    def insist(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """The answer, after as many attempts as it takes; for acts that may be done twice."""
        until = time.monotonic() + PATIENCE_S
        pause_s = 0.05
        while True:
            try:
                return self.ask(method, path, body, headers)
            except Away:
                assert time.monotonic() < until, f"no answer to {method} {path}"
                time.sleep(pause_s)
                pause_s = min(1.0, pause_s * 2)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _enter(self) -> None:
        whom = {"handle": self.handle, "display_name": "Drill", "age_band": "18+", "locale": "en"}
        answer = self.insist("POST", "/api/sign-up", {**whom, "password": PASSWORD})
        if answer.status == 409:  # The answer to the first attempt was lost.
            entry = {"handle": self.handle, "password": PASSWORD}
            answer = self.insist("POST", "/api/sessions", entry)
        assert answer.status == 201, answer
        self._token = answer.json["token"]

    # Acting

    def run(self, stop: threading.Event, others: list[Phone]) -> None:
        try:
            while not stop.is_set():
                self._look_after()
                if len(self._pending) >= AT_ONCE:
                    time.sleep(0.2)
                    continue
                clip = self.publish(self._dice.choice(self._films))
                if clip is not None:
                    self._pending.append(clip)
                self._be_social(others)
        except BaseException as error:
            self.error = error
        finally:
            self._hang_up()

    def publish(self, film: Film) -> Clip | None:
        """Uploads it in pieces and makes a clip of it."""
        place = self._upload(film)
        if place is None:
            return None
        audience = self._dice.choices(["everyone", "only-me"], [5, 1])[0]
        caption = f"drill {uuid.uuid4().hex} #{film.name}"
        draft = {"upload_id": place.rsplit("/", 1)[1], "caption": caption, "audience": audience}
        draft["made_with_ai"] = False  # type: ignore[assignment]
        answer = self.insist("POST", "/api/clips", draft)
        if answer.status == 201:
            clip_id = str(answer.json["id"])
        else:
            # An earlier attempt may have gone through without our hearing of it.
            found = [one for one in self.own_clips() if one["caption"] == caption]
            if len(found) != 1:
                self._ledger.wrong.append(
                    f"publishing gave {answer.status} {answer.body[:200]!r}, {len(found)} clips"
                )
                return None
            clip_id = str(found[0]["id"])
        clip = Clip(clip_id, self.handle, caption, film, audience)
        self._ledger.clips[clip_id] = clip
        return clip

    def _upload(self, film: Film) -> str | None:
        length = str(len(film.data))
        answer = self.insist(
            "POST", "/api/uploads", headers={"tus-resumable": "1.0.0", "upload-length": length}
        )
        assert answer.status == 201, answer
        place = answer.headers["location"]
        acknowledged = offset = 0
        most = max(2048, len(film.data) // 4)
        while offset < len(film.data):
            piece = film.data[offset : offset + self._dice.randint(1024, most)]
            try:
                if self._dice.random() < 0.1:
                    self._break_off(place, offset, piece)
                    raise Away("we went away ourselves")
                head = {**PIECE, "upload-offset": str(offset)}
                answer = self.ask("PATCH", place, piece, head)
                if answer.status != 204:
                    raise Away(str(answer.status))
                acknowledged = offset = int(answer.headers["upload-offset"])
                self._ledger.pieces += 1
            except Away:
                time.sleep(self._dice.uniform(0.02, 0.3))
                answer = self.insist("HEAD", place, headers={"tus-resumable": "1.0.0"})
                if answer.status != 200:
                    self._ledger.wrong.append(f"an upload at {acknowledged}: {answer.status}")
                    return None
                offset = int(answer.headers["upload-offset"])
                self._ledger.resumed += 1
                if offset < acknowledged:
                    self._ledger.wrong.append(f"an upload at {acknowledged} fell back to {offset}")
                acknowledged = max(offset, acknowledged)
        return place

    def _break_off(self, place: str, offset: int, piece: bytes) -> None:
        """Half a piece, then the connection ends: a tunnel, a lift."""
        head = {**PIECE, "upload-offset": str(offset), "content-length": str(len(piece))}
        head["authorization"] = f"Bearer {self._token}"
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port), timeout=5) as one,
        ):
            one.sendall(f"PATCH {place} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n".encode())
            one.sendall(piece[: len(piece) // 2])

    def _look_after(self) -> None:
        """Sees how the unfinished clips are; a clip that has ended does not begin anew."""
        for clip in list(self._pending):
            answer = self.insist("GET", f"/api/clips/{clip.id}")
            if answer.status != 200:
                self._ledger.wrong.append(f"clip {clip.id} ({clip.film.name}): {answer.status}")
                self._pending.remove(clip)
            elif answer.json["state"] != "processing":
                clip.state = answer.json["state"]
                self._pending.remove(clip)
                if clip.state == "published" and self._dice.random() < 0.15:
                    self._change_audience(clip)

    def _change_audience(self, clip: Clip) -> None:
        audience = "only-me" if clip.audience == "everyone" else "everyone"
        answer = self.insist("PATCH", f"/api/clips/{clip.id}", {"audience": audience})
        if answer.status != 200:
            self._ledger.wrong.append(f"clip {clip.id} keeps its audience: {answer.status}")
        clip.audience = audience

    def _be_social(self, others: list[Phone]) -> None:
        if clips := self._ledger.likeable():
            clip = self._dice.choice(clips)
            answer = self.insist("PUT", f"/api/clips/{clip.id}/like")
            if answer.status == 200:
                self._ledger.likes.add((self.handle, clip.id))
            elif clip.audience == "everyone":
                self._ledger.wrong.append(f"a like gave {answer.status}")
        other = self._dice.choice([one for one in others if one is not self])
        answer = self.insist("PUT", f"/api/people/{other.handle}/follow")
        if answer.status == 200:
            self._ledger.follows.add((self.handle, other.handle))
        else:
            self._ledger.wrong.append(f"a follow gave {answer.status}")

    def own_clips(self) -> list[dict[str, Any]]:
        found, cursor = [], ""
        while True:
            more = f"&cursor={cursor}" if cursor else ""
            answer = self.insist("GET", f"/api/people/{self.handle}/clips?limit=50{more}")
            assert answer.status == 200, answer
            found += answer.json["items"]
            cursor = answer.json["next"]
            if not cursor:
                return found
