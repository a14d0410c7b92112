"""What clients report, checked against what was really served, on its way into the log."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.feed.learning import Clips, Learning
from luciole.cell.feed.model import (
    KINDS,
    LONGEST_MS,
    MAX_HIDDEN_CHARS,
    MOST_HIDDEN,
    MOST_LOOPS,
    OWN_ONLY,
    SESSION_LIFE,
    SLACK_MS,
    Hidden,
    ImpossibleWatch,
    NewEvent,
    NotOfThisClip,
    NotServed,
    Served,
    TooMuchHidden,
)
from luciole.cell.feed.pages import Asker, Pages
from luciole.cell.feed.ranking.model import Clip, Event, Signal, Slot
from luciole.cell.feed.store import choices, log
from luciole.cell.feed.store import pages as store
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.errors import Problem
from luciole.kit.metrics import Counter

ONCE_BYTES = 16

taken_signals = Counter("luciole_feed_signals", "Signals of For You, by outcome.", ["outcome"])


class Reported(msgspec.Struct, frozen=True):
    """One signal as a client sends it."""

    page: UUID
    slot: int
    kind: str
    ms: int | None
    loops: int
    hashtag: str | None


class Refused(msgspec.Struct, frozen=True):
    """A signal that was not taken: its place among those sent, and why."""

    at: int
    code: str


class Taken(msgspec.Struct, frozen=True):
    """How many signals were taken, those known before among them, and which were not."""

    taken: int
    refused: list[Refused]


class _Checked(msgspec.Struct, frozen=True):
    served: Served
    new: NewEvent
    hides: Hidden | None


class Signals:
    """Takes signals in."""

    def __init__(
        self, learning: Learning, pages: Pages, clips: Clips, once_key: bytes, clock: Clock
    ) -> None:
        self._learning = learning
        self._pages = pages
        self._clips = clips
        self._once_key = once_key
        self._clock = clock

    async def take(self, tx: Tx, asker: Asker, reported: Sequence[Reported]) -> Taken:
        """Notes what can be true, each once however often it is sent. Raises TooMuchHidden."""
        now = self._clock.now()
        pages = {one.page for one in reported}
        served = await store.served(tx, list(pages), now - SESSION_LIFE)
        slots = await self._slots(asker, served)
        names = {page: await self._name(tx, asker, served[page]) for page in slots}
        wanted = {slot.clip for page in slots.values() for slot in page}
        clips = await self._clips(tx, list(wanted)) if wanted else {}
        checked: list[_Checked] = []
        refused: list[Refused] = []
        for at, one in enumerate(reported):
            try:
                if one.page not in slots or not 0 <= one.slot < len(slots[one.page]):
                    raise NotServed
                slot = slots[one.page][one.slot]
                clip = clips.get(slot.clip)
                checked.append(
                    self._checked(served[one.page], names[one.page], slot, clip, one, now)
                )
            except Problem as problem:
                refused.append(Refused(at, problem.code))
        await self._note(tx, asker, checked, now)
        taken_signals.labels("taken").inc(len(checked))
        taken_signals.labels("refused").inc(len(refused))
        return Taken(len(checked), refused)

    async def _slots(self, asker: Asker, served: dict[UUID, Served]) -> dict[UUID, list[Slot]]:
        """The slots of the pages that this asker may speak of."""
        found = {}
        for page_id, page in served.items():
            is_theirs = page.person_id is None or (
                asker.grant is not None and page.person_id == asker.person_id
            )
            if is_theirs:
                found[page_id] = await self._pages.slots(asker.grant, page.session, page.slots)
        return found

    async def _name(self, tx: Tx, asker: Asker, served: Served) -> UUID:
        """The name of the page's session in the log."""
        if served.session.mode == "public":
            return served.session.id
        assert asker.grant is not None
        return await self._learning.name(tx, asker.grant, served.session.id)

    def _checked(
        self,
        served: Served,
        name: UUID,
        slot: Slot,
        clip: Clip | None,
        one: Reported,
        now: datetime,
    ) -> _Checked:
        """Raises NotOfThisClip, ImpossibleWatch."""
        signal = KINDS[one.kind]
        hides = _hidden_by(signal, slot, clip, one)
        value = loops = 0
        if signal == Signal.WATCHED:
            value = _possible_ms(one.ms, served, now)
            loops = min(one.loops, MOST_LOOPS)
            if clip is not None and clip.duration_ms > 0:
                loops = min(loops, value // clip.duration_ms)
        event = Event(
            at=now.timestamp(),
            session=name,
            clip=slot.clip,
            signal=signal,
            value=value,
            loops=loops,
            source=slot.source,
            features=slot.features,
            trust=served.session.trust,
        )
        detail = one.hashtag.casefold() if signal == Signal.HID_HASHTAG and one.hashtag else ""
        said = b"once %b%d %d %b" % (one.page.bytes, one.slot, signal, detail.encode())
        once = hmac.digest(self._once_key, said, hashlib.sha256)[:ONCE_BYTES]
        return _Checked(served, NewEvent(once, event, slot.propensity), hides)

    async def _note(self, tx: Tx, asker: Asker, checked: Sequence[_Checked], now: datetime) -> None:
        hides = list(dict.fromkeys(
            (one.served.session.id, one.hides) for one in checked if one.hides is not None
        ))  # fmt: skip
        hidden = set[Hidden]()
        if hides and asker.person_id is not None:
            known = await choices.hidden(tx, asker.person_id)
            wanted = dict.fromkeys(thing for _, thing in hides)
            if len(set(known) | set(wanted)) > MOST_HIDDEN:
                raise TooMuchHidden
            hidden = await choices.hide(tx, asker.person_id, list(wanted), now.date())
        elif hides:
            for session_id, thing in hides:
                if thing.kind == "author":
                    await store.hide_author(tx, session_id, UUID(thing.value))
                elif thing.kind == "hashtag":
                    await store.hide_hashtag(tx, session_id, thing.value)
        new = {one.new.once: one for one in checked}
        logged = [one.new for one in new.values() if one.new.event.signal not in OWN_ONLY]
        added = await log.add(tx, logged) if logged else set[bytes | None]()
        if added:
            await log.announce(tx)
        learnt = [
            one.new.event
            for once, one in new.items()
            if one.served.session.mode == "learning"
            and (once in added or (one.new.event.signal in OWN_ONLY and one.hides in hidden))
        ]
        if learnt:
            assert asker.grant is not None
            await self._learning.keep(tx, asker.grant, learnt, now)


def _hidden_by(signal: Signal, slot: Slot, clip: Clip | None, one: Reported) -> Hidden | None:
    """What is not to be shown again after a signal. Raises NotOfThisClip."""
    match signal:
        case Signal.NOT_INTERESTED | Signal.REPORTED:
            return Hidden("clip", str(slot.clip))
        case Signal.HID_AUTHOR:
            if clip is None:
                return Hidden("clip", str(slot.clip))
            return Hidden("author", str(clip.author_id))
        case Signal.HID_HASHTAG:
            hashtag = (one.hashtag or "").casefold()
            if clip is None or hashtag not in clip.hashtags or len(hashtag) > MAX_HIDDEN_CHARS:
                raise NotOfThisClip
            return Hidden("hashtag", hashtag)
        case Signal.HID_SOUND:
            if clip is None or clip.sound_id is None:
                raise NotOfThisClip
            return Hidden("sound", str(clip.sound_id))
        case _:
            return None


def _possible_ms(ms: int | None, served: Served, now: datetime) -> int:
    """The time in view, no longer than the page has been there. Raises ImpossibleWatch."""
    if ms is None or ms > LONGEST_MS:
        raise ImpossibleWatch
    there_ms = int((now - served.made_at).total_seconds() * 1000) + SLACK_MS
    return min(ms, there_ms)
