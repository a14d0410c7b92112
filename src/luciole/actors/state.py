"""What ranking knows, kept in replicas outside of this process."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import TypeVar

import msgspec

from luciole.actors.line import Line, Lost
from luciole.actors.replica import Apply, Begin, Draw, Told
from luciole.cell.feed.fold import START, TIDY_EVERY_S
from luciole.cell.feed.model import Mark
from luciole.cell.feed.ranker import Asked, Drawn, Viewer, Weights, published
from luciole.cell.feed.ranking.budget import Budget
from luciole.cell.feed.ranking_state import Grown, Opening, Saved, Source
from luciole.cell.feed.ranking_state import State as RankingState
from luciole.cell.feed.rows import Loaded
from luciole.kit.errors import Unavailable
from luciole.kit.logs import log

# A page is drawn inside a transaction: whoever does not answer by then is passed over.
DRAWN_WITHIN_S = 2.0
APPLIED_WITHIN_S = 30.0
SAVED_WITHIN_S = 60.0
BEGUN_WITHIN_S = 120.0
# So long a request waits for the first replica that knows enough.
READY_WITHIN_S = 5.0
RETRY_S = 0.5
NOTHING = msgspec.msgpack.encode(None)
T = TypeVar("T")


class RankingAway(Unavailable):
    code = "ranking-away"
    sentence = "For You cannot be put together right now; the other feeds can."
    next_step = (
        "Try again in a minute. If it goes on, the operator finds the cause at the end of "
        "log/ranking.log in the cell's data folder."
    )


class Replicas:
    """A state in several replicas. Each has read the whole log, so each answers alike: they share
    what is asked. One that died begins anew beside the others, from the newest snapshot."""

    def __init__(self, line: Line, count: int, source: Source, *, anew: bool = False) -> None:
        self._line, self._source = line, source
        self._weights = published()
        # Up to which row each has read, as far as is known; None: asked for nothing meanwhile.
        self._marks: list[Mark | None] = [None] * count
        self._told = Told(None, 0, 0)
        # As this process has read, and as replicas said that were brought up.
        self._gone = 0
        # Every replica that is asked to draw has read so far at least.
        self._reached = START
        self._turn = 0
        self._tidied_at = 0.0
        self._changed = asyncio.Event()
        self._bringing: dict[int, asyncio.Task[None]] = {}
        for number in range(count):
            self._bring(number, anew)

    @property
    def weights(self) -> Weights:
        return self._weights

    @property
    def clips(self) -> int:
        return self._told.clips

    @property
    def events(self) -> int:
        return self._told.events

    @property
    def gone(self) -> int:
        return self._gone

    @property
    def loaded(self) -> Loaded | None:
        """Replicas began at different times, so all of them are told everything."""
        return None

    async def mark(self) -> Mark:
        """The row after which to read on: what the slowest replica lacks. Raises RankingAway."""
        return min(mark for _, mark in await self._ready())

    async def apply(self, since: Mark, grown: Grown) -> None:
        """Gives rows to all replicas. Raises RankingAway."""
        rows = grown.rows
        if len(rows):
            body = msgspec.msgpack.encode(Apply(since, grown))
            ready = await self._ready()
            await asyncio.gather(*(self._grow(number, body) for number, _ in ready))
            self._reached = max(self._reached, rows.last)
            self._gone += len(grown.deleted)
            await self._ready()

    async def tidy(self, now: float) -> None:
        """Forgets sessions whose day is over."""
        if now - self._tidied_at >= TIDY_EVERY_S:
            self._tidied_at = now
            body = msgspec.msgpack.encode(now)
            for number, _ in await self._ready():
                await self._try(number, "tidy", body, APPLIED_WITHIN_S)

    async def save(self) -> Saved:
        """The state of one replica. Raises RankingAway."""
        return await self._asked("save", b"", SAVED_WITHIN_S, Saved)

    async def digest(self) -> str:
        """Of one replica. Raises RankingAway."""
        return await self._asked("digest", b"", SAVED_WITHIN_S, str)

    async def budget(self, now: float) -> Budget:
        """Raises RankingAway."""
        return await self._asked("budget", msgspec.msgpack.encode(now), DRAWN_WITHIN_S, Budget)

    async def draw(self, asked: Asked, viewer: Viewer | None) -> Drawn:
        """Drawn by the replica whose turn it is. Raises RankingAway."""
        packed = b"" if viewer is None else pickle.dumps(viewer, pickle.HIGHEST_PROTOCOL)
        body = msgspec.msgpack.encode(Draw(self._reached, asked, packed))
        return await self._asked("draw", body, DRAWN_WITHIN_S, Drawn)

    async def digests(self) -> list[str]:
        """Of all replicas that are ready."""
        found = [
            await self._try(number, "digest", b"", SAVED_WITHIN_S)
            for number, _ in await self._ready()
        ]
        return [msgspec.msgpack.decode(one, type=str) for one in found if one is not None]

    async def close(self) -> None:
        for task in self._bringing.values():
            task.cancel()
        await asyncio.gather(*self._bringing.values(), return_exceptions=True)
        await self._line.close()

    async def _ready(self) -> list[tuple[int, Mark]]:
        """Replicas that can be asked, with what they have read; one at least. Raises
        RankingAway."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while True:
                    self._changed.clear()
                    found = [(n, mark) for n, mark in enumerate(self._marks) if mark is not None]
                    if found:
                        return found
                    await self._changed.wait()
        except TimeoutError as error:
            raise RankingAway(retry_after_s=5) from error

    async def _asked(self, question: str, body: bytes, within_s: float, kind: type[T]) -> T:
        """The answer of a replica that has read as far as was promised."""
        ready = [n for n, mark in await self._ready() if mark >= self._reached]
        self._turn += 1
        for at in range(len(ready)):
            number = ready[(self._turn + at) % len(ready)]
            answer = await self._try(number, question, body, within_s)
            if answer is not None and answer != NOTHING:
                return msgspec.msgpack.decode(answer, type=kind)
            self._lose(number)
        raise RankingAway(retry_after_s=1)

    async def _try(self, number: int, question: str, body: bytes, within_s: float) -> bytes | None:
        try:
            return await self._line.ask(number, question, body, within_s)
        except Lost as lost:
            log.warning("ranking replica lost", error=str(lost))
            self._lose(number)
            return None

    async def _grow(self, number: int, body: bytes) -> None:
        answer = await self._try(number, "apply", body, APPLIED_WITHIN_S)
        if answer is not None:
            told = msgspec.msgpack.decode(answer, type=Told)
            if told.mark is None:
                self._lose(number)
            else:
                # Where it is behind, because it has begun anew, the log is read again from there.
                self._marks[number], self._told = told.mark, told

    def _lose(self, number: int) -> None:
        if number not in self._bringing:
            self._bring(number)

    def _bring(self, number: int, anew: bool = False) -> None:
        self._marks[number] = None
        task = asyncio.create_task(self._brought(number, anew))
        self._bringing[number] = task
        task.add_done_callback(lambda _: self._bringing.pop(number, None))

    async def _brought(self, number: int, anew: bool) -> None:
        """Brings a replica to the end of the log, however long it takes."""
        while True:
            try:
                told = await self._begun(number, anew)
                anew = False
                while told.mark is not None:
                    grown = await self._source.grown(told.mark)
                    body = msgspec.msgpack.encode(Apply(told.mark, grown))
                    told = await self._tell(number, "apply", body, APPLIED_WITHIN_S)
                    if grown.is_all and told.mark is not None:
                        self._marks[number], self._told = told.mark, told
                        self._gone += told.gone
                        self._changed.set()
                        return
            except Lost:
                pass  # Whoever lost it has said so; it is awaited.
            except Exception as error:
                log.error("ranking replica cannot begin", exc_info=error)
            await asyncio.sleep(RETRY_S)

    async def _begun(self, number: int, anew: bool) -> Told:
        """What a replica knows, after it was given the newest snapshot if it knew nothing. Raises
        Lost."""
        told = await self._tell(number, "tell", b"", APPLIED_WITHIN_S)
        if told.mark is not None and not anew:
            return told
        found = await self._source.snapshot()
        if found is not None:
            begin = Begin(self._weights, found.mark, found.data, None, anew)
            told = await self._begin(number, begin)
            if not told.refused:
                return told
            # Made by another version. Totals begin again with what the log still has.
            log.warning("feed snapshot cannot be used", error=told.refused)
        clips, _ = await self._source.clips()
        return await self._begin(number, Begin(self._weights, START, None, clips, anew))

    async def _begin(self, number: int, begin: Begin) -> Told:
        return await self._tell(number, "begin", msgspec.msgpack.encode(begin), BEGUN_WITHIN_S)

    async def _tell(self, number: int, question: str, body: bytes, within_s: float) -> Told:
        answer = await self._line.ask(number, question, body, within_s)
        return msgspec.msgpack.decode(answer, type=Told)


def opening(place: Path, count: int) -> Opening:
    """Opens a state in replicas behind a Unix socket. Opened again, it begins anew: the database
    has become another."""
    openings = 0

    async def opened(source: Source) -> RankingState:
        nonlocal openings
        openings += 1
        return Replicas(Line(place), count, source, anew=openings > 1)

    return opened
