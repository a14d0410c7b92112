"""kill -9 at random moments while people upload, publish, like and follow; then whether all that
the cell acknowledged is there, every clip came to its end, and nothing is left lying about.

`test_kills` runs a few, `bench/kills.py` hundreds. The moments and the victims come from a seed;
what the processes are doing at that moment does not, so a seed repeats a drill only roughly.
"""

from __future__ import annotations

import asyncio
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drills import films
from tests.drills.cell_process import Cell, none_left, serve, until_ready
from tests.drills.films import Film
from tests.drills.phone import Ledger, Phone

from luciole.kit import postgres, processes
from luciole.kit.db import LOST, Database
from luciole.kit.keeper import FolderLock
from luciole.kit.processes import Known

READY = r"The cell answers after ([\d.]+) s: (\S+)"
VICTIMS = {
    "worker": 26,
    "api": 24,
    "postgresql": 14,
    "backend": 10,
    "encoder": 12,
    "supervisor": 8,
    "everything": 6,
}
PEOPLE = 3
# A part that cannot be killed just now (no encoder runs) makes room for another.
TRIES = 40
# A job of a killed worker is taken over after ten seconds, what the queue has given up on is found
# by the sweep after two minutes; both come on top of the work itself.
SETTLE_S = 300.0
SETTINGS = {
    "LUCIOLE_PEOPLE_SIGN_UPS_PER_HOUR": "100000",
    # An answer that is lost leaves its upload open for a day.
    "LUCIOLE_MEDIA_MAX_OPEN_UPLOADS": "100000",
    "LUCIOLE_LOG_LEVEL": "warning",
}
UNKNOWN_CLIPS = "SELECT count(*) FROM clips.clip WHERE asset_id NOT IN (SELECT id FROM media.asset)"
UNFINISHED = "SELECT count(*) FROM media.asset WHERE state NOT IN ('complete', 'refused')"
REFERRED = """
SELECT object_key FROM media.file UNION ALL SELECT object_key FROM media.chunk
"""
UNCLAIMED = "SELECT object_key FROM media.unclaimed"


@dataclass
class Outcome:
    """How a round went. `wrong` is empty when every promise was kept."""

    kills: Counter[str] = field(default_factory=Counter)
    back_s: dict[str, list[float]] = field(default_factory=dict)
    clips: Counter[str] = field(default_factory=Counter)
    likes: int = 0
    follows: int = 0
    pieces: int = 0
    resumed: int = 0
    settled_s: float = 0.0
    seconds: float = 0.0
    public: list[str] = field(default_factory=list)
    """Ids of the clips that a stranger may see."""
    wrong: list[str] = field(default_factory=list)


class Drill:
    """A cell in `data` that is being killed. Several rounds may follow each other."""

    def __init__(self, data: Path, port: int, made: list[Film], scratch: Path) -> None:
        self.data, self.port, self._films, self._scratch = data, port, made, scratch
        self._cell: Cell | None = None
        self._earlier: list[str] = []

    def said(self) -> list[str]:
        """The consoles of all its starts."""
        return self._earlier + (self._cell.console if self._cell else [])

    def start(self) -> None:
        """Starts the cell; after a kill of all of it, repairs it by that."""
        self._earlier = self.said()
        command, environment = serve(self.data, self.port, **SETTINGS)
        self._cell = Cell(command, environment)
        self._cell.wait_for(READY, 90)

    def stop(self) -> list[str]:
        """Stops it as Ctrl-C does; what still runs afterwards."""
        assert self._cell is not None
        status = self._cell.stop(seconds=60)
        left = none_left(self.data)
        return left + ([f"the supervisor ended with {status}"] if status else [])

    def give_up(self) -> None:
        """Ends it by force; for a drill that has failed."""
        if self._cell is not None and self._cell.process.poll() is None:
            self._cell.stop(signal.SIGTERM, 60)

    # A round

    def round(self, count: int, seed: int, pause_s: tuple[float, float], likes: int = 0) -> Outcome:
        """`count` kills, then a look at everything that was promised since the round began.

        Where the machine is so busy that fewer than `likes` likes were given between them, the
        kills go on until there are so many, up to three times `count`.
        """
        began = time.monotonic()
        dice, outcome, ledger = random.Random(seed), Outcome(), Ledger()
        # Same colours for all, another order for each.
        phones = [
            Phone(self.port, ledger, self._films, dice.getrandbits(32)) for _ in range(PEOPLE)
        ]
        stop = threading.Event()
        threads = [
            threading.Thread(target=phone.run, args=(stop, phones), daemon=True) for phone in phones
        ]
        for thread in threads:
            thread.start()
        try:
            while (done := outcome.kills.total()) < count or (
                len(ledger.likes) < likes and done < 3 * count
            ):
                time.sleep(dice.uniform(*pause_s))
                self._kill_one(dice, outcome)
        finally:
            stop.set()
        for thread in threads:
            thread.join(SETTLE_S)
        outcome.wrong += [f"{p.handle} stopped: {p.error!r}" for p in phones if p.error]
        outcome.wrong += [f"{t.name} hangs" for t in threads if t.is_alive()]
        self._look(phones, ledger, outcome)
        outcome.wrong += ledger.wrong
        outcome.likes, outcome.follows = len(ledger.likes), len(ledger.follows)
        outcome.pieces, outcome.resumed = ledger.pieces, ledger.resumed
        outcome.seconds = time.monotonic() - began
        return outcome

    # Killing

    def _kill_one(self, dice: random.Random, outcome: Outcome) -> None:
        for _ in range(TRIES):
            name = dice.choices(list(VICTIMS), list(VICTIMS.values()))[0]
            began = time.monotonic()
            if self._kill(name, dice):
                outcome.kills[name] += 1
                if name in ("supervisor", "everything"):
                    self.start()
                # Sometimes the next blow falls before the last one is mended.
                if name != "worker" and dice.random() < 0.85:
                    until_ready(self.port, 90)
                    outcome.back_s.setdefault(name, []).append(time.monotonic() - began)
                return
            time.sleep(0.05)
        raise AssertionError("nothing to kill: the cell is not there")

    def _kill(self, name: str, dice: random.Random) -> bool:
        assert self._cell is not None
        note = FolderLock(self.data / "run").read()
        parts = note.children if note else {}
        if name in parts:
            return parts[name].send(signal.SIGKILL)
        if name == "backend" and "postgresql" in parts:
            family = processes.descendants(parts["postgresql"].pid)
            return bool(family) and dice.choice(family).send(signal.SIGKILL)
        if name == "encoder" and "worker" in parts:
            # Wait a moment for one, since each lives for a second or less.
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                family = processes.descendants(parts["worker"].pid)
                if at_work := [one for one in family if b"ffmpeg" in _words(one)]:
                    return dice.choice(at_work).send(signal.SIGKILL)
                time.sleep(0.01)
            return False
        if name in ("supervisor", "everything"):
            me = Known.find(self._cell.process.pid)
            victims = [me, *parts.values()] if name == "everything" else [me]
            for known in victims:
                if known is not None:
                    known.send(signal.SIGKILL)
            self._cell.process.wait(10)
            return True
        return False

    # Looking

    def _look(self, phones: list[Phone], ledger: Ledger, outcome: Outcome) -> None:
        until_ready(self.port, 90)
        began = time.monotonic()
        by_handle = {phone.handle: phone for phone in phones}
        for phone in phones:
            self._settle(phone, ledger, began + SETTLE_S)
        for phone in phones:
            self._check_clips(phone, ledger, outcome)
        for handle, clip_id in ledger.likes:
            clip = ledger.clips[clip_id]
            got = by_handle[handle].insist("GET", f"/api/clips/{clip_id}")
            if clip.audience == "everyone" and not (got.json or {}).get("viewer", {}).get("liked"):
                ledger.wrong.append(f"a like of clip {clip_id} is lost")
        for handle, other in ledger.follows:
            got = by_handle[handle].insist("GET", f"/api/people/{other}")
            if got.json["viewer"]["follows"] != "yes":
                ledger.wrong.append("a follow is lost")
        ledger.wrong += asyncio.run(self._check_stores(began + SETTLE_S))
        ledger.wrong += self._check_folders(began + SETTLE_S)
        outcome.settled_s = time.monotonic() - began
        outcome.clips = Counter(clip.state for clip in ledger.clips.values())
        outcome.public = [clip.id for clip in ledger.likeable()]

    def _settle(self, phone: Phone, ledger: Ledger, until: float) -> None:
        """Waits until each of the phone's clips has ended."""
        mine = [clip for clip in ledger.clips.values() if clip.author == phone.handle]
        while True:
            states = {one["id"]: one["state"] for one in phone.own_clips()}
            if "processing" not in states.values() or time.monotonic() > until:
                break
            time.sleep(0.3)
        for clip in mine:
            clip.state = states.pop(clip.id, "gone")
        ledger.wrong += [f"clip {one} was never acknowledged or asked for" for one in states]

    def _check_clips(self, phone: Phone, ledger: Ledger, outcome: Outcome) -> None:
        for clip in [one for one in ledger.clips.values() if one.author == phone.handle]:
            what = f"clip {clip.id} ({clip.film.name}, {clip.audience})"
            if clip.state != clip.film.end:
                ledger.wrong.append(f"{what} is {clip.state}")
                continue
            got = phone.insist("GET", f"/api/clips/{clip.id}").json
            if got["audience"] != clip.audience:
                ledger.wrong.append(f"{what} is for {got['audience']}")
            if clip.state == "refused":
                if not (got["refusal"]["sentence"] and got["refusal"]["next_step"]):
                    ledger.wrong.append(f"{what} is refused without a sentence")
                continue
            ledger.wrong += [f"{what}: {wrong}" for wrong in self._check_media(phone, clip, got)]

    def _check_media(self, phone: Phone, clip: Any, got: dict[str, Any]) -> list[str]:
        wrong = []
        if not got["renditions"] or not got["poster_url"]:
            return ["published without a rendition or a poster"]
        length = clip.film.duration_ms
        if length and abs(got["duration_ms"] - length) > 150:
            wrong.append(f"lasts {got['duration_ms']} ms instead of {length}")
        if phone.insist("GET", got["poster_url"]).status != 200:
            wrong.append("its poster cannot be fetched")
        for one in got["renditions"]:
            answer = phone.insist("GET", one["url"])
            if answer.status != 200 or len(answer.body) != one["size_bytes"]:
                wrong.append(f"rendition {one['name']}: {answer.status}, {len(answer.body)} bytes")
                continue
            path = self._scratch / "watched.mp4"
            path.write_bytes(answer.body)
            if said := films.watch(path, clip.film.colour):
                wrong.append(f"rendition {one['name']} {said}")
        return wrong

    async def _check_stores(self, until: float) -> list[str]:
        """The database and the folder of objects against each other, once all work is done."""
        server = postgres.Server(self.data / "postgres", self.data / "log" / "postgresql.log")
        database = await Database.open(server.url(), size=1)
        try:
            async with database.read() as tx:
                while (left := await tx.fetchval(UNFINISHED)) and time.monotonic() < until:  # noqa: ASYNC110 - another process, no event
                    await asyncio.sleep(0.5)
                wrong = [f"{left} assets are unfinished"] if left else []
                if half := await tx.fetchval(UNKNOWN_CLIPS):
                    wrong.append(f"{half} clips have no asset")
                # Deletion goes from the rows to the files, so the files are listed in between.
                kept = {row["object_key"] for row in await tx.fetch(REFERRED)}
                listed = {row["object_key"] for row in await tx.fetch(UNCLAIMED)}
        except LOST as error:
            return [f"the database went away by itself: {error!r}"]
        finally:
            await database.close()
        blobs = self.data / "blobs"
        found = {str(path.relative_to(blobs)) for path in blobs.rglob("*") if path.is_file()}
        wrong += [f"object {key} is lost" for key in sorted(kept - found)]
        # `#` marks a draft that the object store had not finished when it was killed.
        # The log's own objects belong to the log.
        stray = {
            key for key in found - kept - listed if "#" not in key and not key.startswith("ledger/")
        }
        return wrong + [f"object {key} belongs to nothing" for key in sorted(stray)]

    def _check_folders(self, until: float) -> list[str]:
        """The sweep runs each minute and removes what killed attempts have left."""
        while (left := self._folders()) and time.monotonic() < until:
            time.sleep(0.5)
        return [f"the sweep has left {folder.name}" for folder in left]

    def _folders(self) -> list[Path]:
        """Without those that were cut off before or after their lock: they have ten minutes."""
        media = self.data / "work" / "media"
        return [one for one in media.glob("*") if (one / "lock").exists()]


def _words(known: Known) -> bytes:
    try:
        return Path(f"/proc/{known.pid}/cmdline").read_bytes()
    except OSError:
        return b""


def describe(outcome: Outcome) -> str:
    """One line for a console."""
    kills = ", ".join(f"{name} {count}" for name, count in outcome.kills.most_common())
    back = {name: max(seconds) for name, seconds in outcome.back_s.items()}
    longest = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(back.items()))
    return (
        f"{outcome.kills.total()} kills ({kills}) in {outcome.seconds:.0f} s; "
        f"clips {dict(outcome.clips)}, likes {outcome.likes}, follows {outcome.follows}, "
        f"pieces {outcome.pieces}, resumed {outcome.resumed}; longest way back: {longest}; "
        f"settled after {outcome.settled_s:.0f} s; wrong: {len(outcome.wrong)}"
    )
