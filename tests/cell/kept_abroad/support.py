"""What the tests of the backup abroad share: a keeper in the test's process, and a shipper."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from tests.cell.house import House

from luciole.abroad import commands, recovery
from luciole.abroad.keeper import Ask, Keeper
from luciole.abroad.server import Tools
from luciole.abroad.shipping import Shipping
from luciole.abroad.spool import PAGE_BYTES, Spool, lsn_of, parse_lsn
from luciole.abroad.state import State
from luciole.ask.alone import Exchange
from luciole.ask.gateway import PeerRefused
from luciole.config import CellSettings, Settings
from luciole.keys import RootKey, private
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.postgres import Server
from luciole.kit.postgres_logins import REPLICATION
from luciole.kit.postgres_programs import wheel_bin_dir
from luciole.trustee.asked import Refused
from luciole.trustee.backups import Backups

MOST_BYTES = 1 << 30
_names = itertools.count(1)


@dataclass
class Peer:
    """`sg`, as far as it keeps backups: its folder, and what came over the wire."""

    folder: Path
    cell_id: UUID
    most_bytes: int = MOST_BYTES
    clock: Clock = field(default_factory=Clock)
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backups = Backups(self.folder, self.most_bytes, self.clock)

    async def ask(self, body: bytes) -> bytes:
        self.asked.append(body)
        try:
            return await self.backups.answer(self.cell_id, body)
        except Refused as refused:
            raise PeerRefused(refused.code) from refused


@dataclass
class Abroad:
    """The backup of the house, sent by hand."""

    house: House
    server: Server
    folder: Path
    ask: Ask
    days: int = 7
    step: Callable[[str], None] = lambda step: None

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.key_file = self.folder / "recovery.key"
        self.own = self.folder / "abroad"
        self.keys_dir = self.folder / "keys-copy"
        self.folder.mkdir(exist_ok=True)
        if not self.key_file.exists():
            recovery.make(self.key_file, self.own, self.house.vault.store.cell_id)
        self.tools = Tools(wheel_bin_dir(), self.server.url(REPLICATION))
        self.spool = Spool(self.own / "wal")
        self.begin()

    def begin(self) -> None:
        """As after a start of the process."""
        self.state = State(self.own)
        self.shipping = Shipping(
            Keeper(self.ask),
            self.state,
            recovery.public_of(self.own),
            self.tools,
            Blobs.open(self.house.settings.blobs_place),
            self.spool,
            self.clock,
            days=self.days,
            keys_dir=self.keys_dir,
            say=lambda step: self.step(step),
        )

    def copy_keys(self) -> None:
        """What the key broker does each hour."""
        self.house.vault.store.backup(self.keys_dir)

    @contextlib.asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """The log is received until the block ends."""
        self.tools.drop_slot()
        self.tools.make_slot()
        task = asyncio.create_task(self.tools.receive(self.spool.folder))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.tools.drop_slot()

    async def send_all(self) -> None:
        """What the house has written until now is abroad, and there is a whole base backup."""
        mark = await self.house.rows("SELECT pg_current_wal_insert_lsn()::text AS lsn")
        self.mark = mark[0]["lsn"]
        if not self.state.bases():
            await self.shipping.send_base()
        for _ in range(200):
            await self.shipping.round()
            if self.shipping.whole_bases() and await self._is_caught_up():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the log does not get through")

    async def _is_caught_up(self) -> bool:
        """Nothing of the log comes any more: here a server flushes a moment after a commit."""
        await asyncio.sleep(0.5)
        position = self.shipping._position
        size = int(self.state.number("segment-bytes"))
        reached = position is not None and lsn_of(position, size) + PAGE_BYTES >= parse_lsn(
            self.mark
        )
        return reached and not self.shipping._new(position)[0]

    def elsewhere(self) -> Settings:
        """A machine that has the root and nothing else."""
        data = self.folder / f"again-{next(_names)}"
        root = self.house.vault.store._root
        assert isinstance(root, RootKey)
        keys = data / "keys"
        keys.mkdir(mode=0o700, parents=True)
        text = base64.b64encode(root.secret()).decode()
        private.write(keys / "root.key", f"luciole-root-key-v1 {root.cell_id} {text}\n".encode())
        return Settings(data_dir=str(data), cell=CellSettings(short_name="us"))

    async def bring_back(
        self,
        settings: Settings,
        until: datetime | None = None,
        key_file: Path | None = None,
        asked: tuple[str, list[Exchange]] = ("", []),
    ) -> list[str]:
        """What the restore said; `asked` went to the cell at that origin without a gateway."""
        said: list[str] = []
        key = key_file or self.key_file
        await commands.bring_back(settings, self.ask, key, until, self.clock, said.append, asked)
        return said

    def close(self) -> None:
        self.state.close()
