"""What a cell sends to the one that keeps its backup, in rounds, and base backups beside.

A round: 1. How far the write-ahead log is, is noted. 2. New objects are sent, among them the full
tiles of the logs. 3. The log up to what was noted in step 1. 4. The head: how far all of it is, and
what changes of the archive of the cell's logs, as it is now. A restore goes as far as the newest
head. So whatever row it brings back, its object was sent before, and the archive is never behind
the database: what a database says was stored, was stored before it said so. 5. What is not needed
any more is dropped.

If we stop anywhere, the former head counts; the next round drops what was cut off and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from luciole.abroad import spool
from luciole.abroad.keeper import Keeper
from luciole.abroad.parcels import Names
from luciole.abroad.recovery import RecoveryPublic
from luciole.abroad.sending import Head, Sender, WalPart, once, tarred
from luciole.abroad.server import Tools
from luciole.abroad.spool import Position, Range, Spool
from luciole.abroad.state import Base, Parcel, State
from luciole.border.kept import LARGE_BYTES, SMALL_BYTES
from luciole.keys import backup as key_backup
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.ledger.archive import CHECKPOINT, PENDING
from luciole.ledger.merkle import Refused
from luciole.ledger.tiles import WIDTH, Tile

LEDGER = "ledger/"
# Objects whose rows do not come back with a restore.
NOT_SENT = ("exports/", "imports/", "attachments/")
LARGE_FROM_BYTES = 512 * 1024
HEADS_KEPT = 3
# Without news, a head says as often that all of it is there.
QUIET = timedelta(minutes=10)
TRIES = 5
PARCELS_AT_ONCE = 500


class Shipping:
    """One cell's backup abroad. `keys_dir` is the folder of short copies of the key store, where
    there is one; `say` gets a word about each step, for tests that stop there."""

    def __init__(
        self,
        keeper: Keeper,
        state: State,
        public: RecoveryPublic,
        tools: Tools,
        blobs: Blobs,
        spool: Spool,
        clock: Clock,
        *,
        days: int,
        keys_dir: Path | None = None,
        say: Callable[[str], None] = lambda step: None,
    ) -> None:
        self._keeper, self._state, self._public = keeper, state, public
        self._tools, self._blobs, self._spool = tools, blobs, spool
        self._clock, self._days, self._keys_dir, self._say = clock, days, keys_dir, say
        self._names = Names(public.names, state.era)
        self._senders: list[Sender] = []

    @contextlib.contextmanager
    def _sender(self) -> Iterator[Sender]:
        """What has not arrived when the block ends counts as cut off."""
        made = Sender(self._keeper, self._state, self._names, self._public)
        self._senders.append(made)
        try:
            yield made
        finally:
            self._senders.remove(made)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    # A round

    async def round(self) -> bool:
        """Sends what is new; whether there was anything. Raises PeerUnreachable, PeerRefused,
        spool.Gap."""
        await self._tidy()
        with self._sender() as sender:
            return await self._round(sender)

    async def _round(self, sender: Sender) -> bool:
        began = self._now()
        # 1.
        ranges, position = await asyncio.to_thread(self._new, self._position)
        self._say("noted")
        # 2.
        is_new = await self._send_objects(sender)
        await sender.flush()
        self._say("objects")
        # 3.
        for one in ranges:
            await self._send_range(sender, one)
        await sender.flush()
        if position is not None:
            self._enter(position)
            self._state.commit()
            self._spool.drop_before(position)
        self._say("log")
        is_new |= await self._send_keys(sender) or bool(ranges)
        # 4. What changes of the archive, then the tiles that have become full meanwhile.
        ledger = await self._changing()
        is_new |= await self._send_objects(sender, LEDGER)
        await sender.flush()
        head = self._head(began, ledger)
        told = msgspec.msgpack.encode([head.bases, sorted(ledger.items())])
        digest = hashlib.sha256(told).hexdigest()
        is_quiet = self._now() - self._state.number("head") < QUIET.total_seconds()
        if is_new or not is_quiet or digest != self._state.get("told"):
            await self._send_head(sender, head)
            is_new = True
        self._state.set("told", digest)
        self._state.set("covered", began)
        self._state.commit()
        self._say("head")
        # 5.
        if is_new:
            await self._drop_old()
        return is_new

    def _new(self, position: Position | None) -> tuple[list[Range], Position | None]:
        for _ in range(TRIES):
            with contextlib.suppress(FileNotFoundError):
                return self._spool.new(position)
        return [], position

    @property
    def _position(self) -> Position | None:
        text = self._state.get("position")
        return None if not text else Position.parse(text)

    async def _send_range(self, sender: Sender, one: Range) -> None:
        segment_bytes = _size_of(self._spool.folder, one.segment)
        about = msgspec.msgpack.encode(WalPart(self.chain, one.segment, one.start, segment_bytes))
        large = len(one.data) > 4 * LARGE_FROM_BYTES

        def begun(number: int) -> None:
            if one.start == 0:
                self._state.set("segment-from", number)

        def arrived() -> None:
            self._enter(one.after)

        await sender.send(
            "wal",
            once(one.data),
            about,
            self._now(),
            size_bytes=LARGE_BYTES if large else SMALL_BYTES,
            begun=begun,
            arrived=arrived,
        )
        self._state.set("segment-bytes", segment_bytes)

    def _enter(self, position: Position) -> None:
        self._state.set("position", position)
        if position.offset == 0 and not position.digest:
            # The next parcel begins a segment.
            self._state.set("segment-from", self._state.next_number("wal"))

    @property
    def chain(self) -> str:
        return self._state.get("chain") or "0"

    def begin_chain(self) -> None:
        """After a gap: the log begins anew, and a base backup has to follow. The spool is empty
        and the slot new by then."""
        whole = {one.number for one in self.whole_bases()}
        for one in self._state.bases():
            if one.number not in whole:
                self._state.forget_base(one.number)
        self._state.set("chain", int(self.chain) + 1)
        self._state.set("position", "")
        self._state.set("segment-from", self._state.next_number("wal"))
        self._state.commit()

    async def _send_objects(self, sender: Sender, below: str = "") -> bool:
        """Whether there were new ones."""
        known = self._state.objects()
        there, is_new = set[str](), False
        async for key in self._blobs.keys(below):
            if key.startswith(NOT_SENT) or (key.startswith(LEDGER) and not _is_full_tile(key)):
                continue
            there.add(key)
            if key not in known:
                is_new |= await self._send_object(sender, key)
        for key in known.keys() - there if not below else ():
            self._state.object_gone(key, self._now())
        return is_new

    async def _send_object(self, sender: Sender, key: str) -> bool:
        try:
            size_bytes = (await self._blobs.stat(key)).size_bytes
        except Missing:
            return False
        number = -1

        def begun(drawn: int) -> None:
            nonlocal number
            number = drawn

        def arrived() -> None:
            self._state.keep_object(key, number)

        try:
            await sender.send(
                "object",
                self._blobs.stream(key, 0, size_bytes),
                key.encode(),
                self._now(),
                size_bytes=LARGE_BYTES if size_bytes > LARGE_FROM_BYTES else SMALL_BYTES,
                is_compressed=key.startswith(LEDGER),
                begun=begun,
                arrived=arrived,
            )
        except Missing:
            # Deleted meanwhile: the next round drops what was sent of it.
            sender.under_way.discard(("object", number))
            return False
        return True

    async def _send_keys(self, sender: Sender) -> bool:
        """The newest short copy of the key store, which is wrapped by the root; the former ones
        are destroyed at once."""
        found = key_backup.generations(self._keys_dir) if self._keys_dir else []
        if not found or found[-1][2].name == self._state.get("keys"):
            return False
        former, newest = self._state.parcels("keys"), found[-1]
        try:
            content = await asyncio.to_thread(tarred, newest[2])
        except OSError:
            return False
        # A copy is overwritten once a newer one is there: what was read then may be zeros.
        if not self._keys_dir or key_backup.generations(self._keys_dir)[-1] != newest:
            return False
        await sender.send(
            "keys",
            once(content),
            newest[2].name.encode(),
            self._now(),
            size_bytes=SMALL_BYTES,
            arrived=lambda: self._state.set("keys", newest[2].name),
        )
        await sender.flush()
        await self._drop(former, at_once=True)
        return True

    async def _changing(self) -> dict[str, bytes]:
        """The heads of the logs, their partial tiles and the policy, in a state that fits
        together: heads first, and again where a tile has become full meanwhile."""
        found: dict[str, bytes] = {}
        for _ in range(TRIES):
            found.clear()
            keys = [key async for key in self._blobs.keys(LEDGER) if not _is_full_tile(key)]
            keys.sort(key=lambda key: not key.endswith((PENDING, CHECKPOINT)))
            try:
                for key in keys:
                    found[key] = await self._blobs.get(key)
            except Missing:
                continue
            break
        return found

    def _head(self, began: float, ledger: dict[str, bytes]) -> Head:
        keys = self._state.parcels("keys")
        return Head(
            self._state.era,
            began,
            self.chain,
            self._state.next_number("wal"),
            self._state.next_number("object"),
            self.whole_bases(),
            keys[-1].number if keys else None,
            ledger,
        )

    async def _send_head(self, sender: Sender, head: Head) -> None:
        # A head is found by its second, and no piece is written twice.
        second = max(int(self._now()), int(self._state.number("head")) + 1)
        content = once(msgspec.msgpack.encode(head))
        await sender.send("head", content, b"", self._now(), number=second)
        self._state.set("head", second)
        await sender.flush()

    # Base backups

    def whole_bases(self) -> list[Base]:
        """Base backups that have arrived together with the log up to their end."""
        position, size = self._position, int(self._state.number("segment-bytes"))
        if position is None or not size:
            return []
        reached = spool.lsn_of(position, size)
        return [
            one for one in self._state.bases() if one.chain != self.chain or reached >= one.end_lsn
        ]

    async def send_base(self) -> None:
        """Sends a base backup. Raises ToolFailed, PeerUnreachable, PeerRefused."""
        major = await asyncio.to_thread(lambda: self._tools.major)
        number = -1
        wal_from = int(self._state.number("segment-from"))
        chain = self.chain

        def begun(drawn: int) -> None:
            nonlocal number
            number = drawn
            self._state.begin_base(drawn, chain, wal_from, self._now(), major)

        async with self._tools.base() as stream:
            with self._sender() as sender:
                await sender.send(
                    "base",
                    stream.bytes(),
                    b"",
                    self._now(),
                    size_bytes=LARGE_BYTES,
                    begun=begun,
                    arrived=lambda: self._state.end_base(number, self._now(), stream.end_lsn),
                )
                await sender.flush()
        self._say("base")

    # What may go

    async def _tidy(self) -> None:
        """What was cut off goes."""
        under_way = {one for sender in self._senders for one in sender.under_way}
        cut_off = [one for one in self._state.unsent() if (one.kind, one.number) not in under_way]
        await self._drop(cut_off, at_once=True)

    async def _drop_old(self) -> None:
        heads = self._state.parcels("head")
        await self._drop(heads[:-HEADS_KEPT], at_once=True)
        bases = self.whole_bases()
        # The newest from which the whole window can be reached stays, and all after it.
        begins = self._now() - timedelta(days=self._days).total_seconds()
        needed = max((one for one in bases if one.ended_at <= begins), default=None)
        if bases and needed is None:
            needed = bases[0]
        if needed is None:
            return
        old = [one for one in self._state.parcels("base") if one.number < needed.number]
        old += [one for one in self._state.parcels("wal") if one.number < needed.wal_from]
        await self._drop(old)
        await self._drop(self._state.gone_before(needed.ended_at))
        if self._state.get("swept") != self._state.era:
            await self._sweep()

    async def _sweep(self) -> None:
        """Once an era has its first base backup: what is there of former ones goes."""
        ours = {name for one in self._state.every() for name in self._names_of(one)}
        async for names in self._keeper.names():
            await self._keeper.drop(name for name in names if name not in ours)
        self._state.set("swept", self._state.era)
        self._state.commit()

    async def _drop(self, old: Iterable[Parcel], *, at_once: bool = False) -> None:
        old = list(old)
        for start in range(0, len(old), PARCELS_AT_ONCE):
            some = old[start : start + PARCELS_AT_ONCE]
            names = [name for one in some for name in self._names_of(one)]
            # If we stop in between, they are dropped once more.
            await self._keeper.drop(names, at_once=at_once)
            self._state.forget(some)
            self._state.commit()

    def _names_of(self, one: Parcel) -> Iterator[bytes]:
        return (self._names.of(one.kind, one.number, at) for at in range(one.pieces))


def _is_full_tile(key: str) -> bool:
    _, _, name = key.removeprefix(LEDGER).partition("/")
    try:
        return Tile.of_path(name).width == WIDTH
    except Refused:
        return False


def _size_of(folder: Path, segment: str) -> int:
    for name in (segment, f"{segment}{spool.PARTIAL}"):
        if (folder / name).exists():
            return (folder / name).stat().st_size
    raise spool.Gap
