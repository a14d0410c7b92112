"""The pages of the console, put together of what the slices below say."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from luciole import __version__
from luciole.ask.client import Custody
from luciole.cell.console import model, shapes, store
from luciole.cell.console.desk import Desk
from luciole.cell.console.logs import Counted, Head, Reader, heads
from luciole.cell.console.model import Figure, Shift
from luciole.cell.console.policies import settings_in_force, shown
from luciole.cell.console.shapes import Check, Health
from luciole.cell.media.service import Media
from luciole.cell.people.service import People
from luciole.cell.safety.model import CASES_A_DAY
from luciole.cell.safety.service import Safety
from luciole.config import Settings
from luciole.kit import queue_look
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.queue_look import Waiting
from luciole.mirrors import Mirrored, Mirrors

# For these the cell signs, and others verify.
SIGNING = ("border", "export", "push")
# A case that waits for so long has somebody who wonders.
CASE_WAITS = timedelta(days=1)
MOST_ENTRIES_WAITING = 10_000


class Seen(NamedTuple):
    """The logs as they are published, read outside of any transaction."""

    heads: list[Head]
    cell_id: str
    counted: Mapping[str, Counted]


class Looking:
    """What each page of the console shows."""

    def __init__(
        self,
        settings: Settings,
        people: People,
        media: Media,
        safety: Safety,
        custody: Custody,
        blobs: Blobs,
        desk: Desk,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._people = people
        self._media = media
        self._safety = safety
        self._custody = custody
        self._blobs = blobs
        self._desk = desk
        self._clock = clock
        self._reader = Reader(blobs)
        self._mirrors = Mirrors(settings.mirrors_dir)

    async def seen(self) -> Seen:
        """The logs, read on from where they were read last."""
        found, cell_id = await heads(self._blobs)
        return Seen(found, cell_id, await self._reader.count(found))

    async def public_keys(self) -> list[shapes.PublicKeyBody]:
        """Keys that others verify with, as the key broker has them."""
        keys = [await self._custody.public_key(purpose) for purpose in SIGNING]
        return [
            shapes.PublicKeyBody(purpose, hashlib.sha256(one.key).hexdigest())
            for purpose, one in zip(SIGNING, keys, strict=True)
        ]

    async def overview(self, tx: Tx, seen: Seen) -> shapes.Overview:
        """How all parts are, one line each."""
        now = self._clock.now()
        figures = await store.figures(tx)
        counted = figures[0].counted_at if figures else None
        since_s = int((now - counted).total_seconds()) if counted else None
        jobs = await queue_look.jobs(tx)
        stuck = sum(job.is_stuck for job in jobs)
        late = await self._media.late(tx, timedelta(minutes=model.LATE_MINUTES), model.SHOWN)
        standing = await self._safety.reviewing.standing(tx)
        oldest = min((at for _, at in standing.waiting), default=None)
        oldest_s = int((now - oldest).total_seconds()) if oldest else 0
        waiting = sum((await store.waiting(tx)).values())
        disks = self._disks()
        free = min((one.free_bytes for one in disks), default=None)
        witnesses = min((len(head.witnesses) for head in seen.heads), default=None)
        due = standing.next_due
        mirrors = await self._mirrors.told()
        stopped = sum(one.state != "kept" for one in mirrors)
        within = model.COUNTED_WITHIN_MINUTES * 60
        return shapes.Overview(
            __version__,
            [
                Check("worker", _low(since_s, within), since_s),
                Check("jobs", "look" if stuck else "well", stuck),
                Check("films", "look" if late else "well", len(late)),
                Check("disk", _high(free, self._settings.media.min_free_bytes), free),
                Check("log", _low(waiting, MOST_ENTRIES_WAITING), waiting),
                Check("witnesses", _high(witnesses, 1), witnesses),
                Check("mirrors", "look" if stopped else "well", len(mirrors)),
                Check("cases", _low(oldest_s, int(CASE_WAITS.total_seconds())), oldest_s),
                Check(
                    "appeals",
                    "bad" if due is not None and due < now else "well",
                    standing.appeals,
                ),
            ],
        )

    async def figures(self, tx: Tx, *prefixes: str) -> shapes.Figures:
        """Figures whose names begin so, as they were counted last."""
        found = [one for one in await store.figures(tx) if one.name.startswith(prefixes)]
        return _figures(found)

    async def joining(self, tx: Tx, shift: Shift) -> shapes.Joining:
        """How the cell takes people; how many wait and are invited, and to an operator who."""
        joining, now = self._people.joining, self._clock.now()
        waiting = await joining.waiting(tx)
        good = [
            one for one in await joining.invitations(tx) if one.uses_left and one.expires_at > now
        ]
        is_operator = shift.role == "operator"
        return shapes.Joining(
            await joining.mode(tx),
            joining.mode_as_set,
            len(waiting),
            len(good),
            sum(one.uses_left for one in good),
            [
                shapes.Waits(one.id, one.name, one.words, one.made_at)
                for one in waiting
                if is_operator
            ],
            [
                shapes.Invited(one.id, one.note, one.uses_left, one.expires_at)
                for one in good
                if is_operator
            ],
        )

    async def queue(self, tx: Tx, shift: Shift) -> shapes.QueueBody:
        """What waits for moderators; and, for an operator, what each has taken on."""
        standing = await self._safety.reviewing.standing(tx)
        by_category = defaultdict(list)
        for category, at in standing.waiting:
            by_category[category].append(at)
        is_operator = shift.role == "operator"
        return shapes.QueueBody(
            [
                shapes.CategoryBody(category, len(times), min(times))
                for category, times in sorted(by_category.items())
            ],
            standing.appeals,
            standing.next_due,
            CASES_A_DAY,
            [shapes.LoadBody(*one) for one in standing.loads if is_operator],
        )

    async def jobs(self, tx: Tx) -> shapes.Jobs:
        """What is in the queue of jobs, and what of it is stuck; never whom it is about."""
        found = await queue_look.jobs(tx)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for job in found:
            counts[job.name][job.state] += 1
        late = await self._media.late(tx, timedelta(minutes=model.LATE_MINUTES), model.SHOWN)
        ages_of = defaultdict(list)
        for film in late:
            ages_of[film.waits_for or ""].append(film.age_s)
        return shapes.Jobs(
            [
                shapes.JobCount(name, count["waiting"], count["running"], count["stuck"])
                for name, count in sorted(counts.items())
            ],
            [_job(job) for job in found if job.is_stuck][: model.SHOWN],
            [shapes.LateFilms(why, len(ages_), max(ages_)) for why, ages_ in ages_of.items()],
        )

    async def storage(self, tx: Tx) -> shapes.Storage:
        """Bytes by kind, room on the disks, limits."""
        media, place = self._settings.media, self._settings.blobs_place
        return shapes.Storage(
            await self.figures(tx, "bytes.", "tables.", "films."),
            self._disks(),
            [_mirror(one) for one in await self._mirrors.told()],
            shown("LUCIOLE_BLOBS", place).partition(":")[0] if "://" in place else "",
            shapes.Quotas(
                media.cell_bytes,
                media.person_bytes,
                media.clips_per_day,
                media.max_upload_bytes,
                media.min_free_bytes,
            ),
        )

    async def keys(self, tx: Tx, public: list[shapes.PublicKeyBody]) -> shapes.Keys:
        """Which keys there are and since when; the key broker has them, and gives none."""
        ends = [
            shapes.EpochEnd(str(said["at"]), int(said["epoch"]), int(said["destroyed"]))
            for said in self._reader.epochs[-10:]
        ]
        figures = await store.figures(tx)
        guarding = await store.guarding(tx)
        return shapes.Keys(
            shown("LUCIOLE_KEYS_ROOT", self._settings.keys.root),
            self._settings.keys.epoch_days,
            ends[-1].epoch if ends else None,
            ends[-1].at if ends else "",
            ends[::-1],
            sum(one.value for one in figures if one.name.startswith("people.age."))
            if figures
            else None,
            msgspec.convert(guarding, shapes.GuardianBody, from_attributes=True)
            if guarding
            else None,
            public,
        )

    async def policies(self, tx: Tx) -> shapes.Policies:
        """What the cell goes by at present."""
        joining = self._people.joining
        present = joining.texts.terms_version()
        return shapes.Policies(
            settings_in_force(self._settings),
            await joining.mode(tx),
            [
                shapes.TermsBody(
                    one.version, one.first_shown_at, one.agreed, one.version == present
                )
                for one in await store.terms(tx)
            ],
            joining.texts.has_imprint,
            joining.minimum_age_band,
            *joining.least_ages(),
        )

    async def ledger(self, tx: Tx, seen: Seen) -> shapes.LedgerBody:
        """The logs: heads, witnesses, entries by kind, what cannot be read, what waits."""
        counted, waiting = seen.counted, await store.waiting(tx)
        return shapes.LedgerBody(
            seen.cell_id,
            [
                shapes.LogBody(
                    head.log,
                    head.size,
                    head.root,
                    msgspec.convert(head.witnesses, list[shapes.WitnessBody], from_attributes=True),
                    waiting.get(head.log, 0),
                    counted[head.log].read,
                    dict(sorted(counted[head.log].kinds.items())),
                    [shapes.GapBody(gap.first, gap.end) for gap in sorted(counted[head.log].gaps)],
                )
                for head in seen.heads
            ],
        )

    async def days(self, tx: Tx) -> list[shapes.DayBody]:
        """Days of acts that are over, matched with the log as it was `seen`."""
        shown_days = []
        for was, now in await self._desk.days(tx):
            logged = self._reader.days.get(was.day.isoformat())
            state: Literal["kept", "changed", "waiting"] = "waiting" if logged is None else "kept"
            if now.sha256.hex() != (logged or was.sha256.hex()):
                state = "changed"
            shown_days.append(shapes.DayBody(was.day, now.acts, now.sha256.hex(), state))
        return shown_days

    def _disks(self) -> list[shapes.Disk]:
        objects = self._settings.blobs_place
        found = [self._disk("data", self._settings.data)]
        if "://" not in objects:
            found.append(self._disk("objects", Path(objects).absolute()))
        return found

    def _disk(self, name: Literal["data", "objects"], place: Path) -> shapes.Disk:
        there = next(each for each in (place, *place.parents) if each.is_dir())
        usage = shutil.disk_usage(there)
        return shapes.Disk(name, usage.free, usage.total)


def _mirror(one: Mirrored) -> shapes.MirrorBody:
    entries = sum(log.size for log in one.logs)
    return shapes.MirrorBody(one.cell_id, one.name, one.state, one.bytes, one.most_bytes, entries)


def _figures(found: Sequence[Figure]) -> shapes.Figures:
    return shapes.Figures(
        found[0].counted_at if found else None,
        [shapes.FigureBody(one.name, one.value) for one in found],
    )


def _job(job: Waiting) -> shapes.JobBody:
    since = job.runs_s if job.is_running else job.due_s
    return shapes.JobBody(job.id, job.name, job.is_running, job.attempts, job.age_s, since)


def _low(value: int | None, most: int) -> Health:
    if value is None:
        return "unknown"
    return "well" if value <= most else "look"


def _high(value: int | None, least: int) -> Health:
    if value is None:
        return "unknown"
    return "well" if value >= least else "bad"
