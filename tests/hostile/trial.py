"""Puts hostile cases through the real fence, and looks at what is left afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import stat
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.cases import Case, Place, case
from tests.unit.media import films

from luciole.cell.media import encode, fence, launchers, probe
from luciole.cell.media.encode import EncodingFailed
from luciole.cell.media.fence import Limits
from luciole.cell.media.probe import Unreadable
from luciole.cell.media.rungs import Cut

AT_ONCE = 4
# Of the files that a probe accepts, one in so many is encoded too: that takes most of the time.
ENCODED = 10
ENCODED_MS = 300
PROGRAM = Limits(
    wall_s=3, cpu_s=1, memory_bytes=256 * fence.MIB, file_bytes=4 * fence.MIB,
    total_bytes=8 * fence.MIB, total_files=200,
)  # fmt: skip
# Longer than any budget of a step, with room for a busy machine. Who is not back then hangs.
BACK_WITHIN_S = 300
LARGEST_SOURCE_BYTES = 2_000_000


@dataclass
class Tally:
    """What became of the cases."""

    verdicts: Counter[str] = field(default_factory=Counter)
    """By kind and verdict, with a tab between."""
    wrong: list[str] = field(default_factory=list)
    slowest_ms: int = 0
    slowest: str = ""

    @property
    def cases(self) -> int:
        return sum(self.verdicts.values())


class Ground:
    """A folder with something to protect, somebody who listens, and sources to spoil."""

    def __init__(self, folder: Path, corpus: Path | None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.secret = folder / "secret"
        self.secret.write_text("a private matter")
        self.secret.chmod(0o600)
        made = drawn(folder / "drawn")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port = self.listener.getsockname()[1]
        self.asked.bind(("127.0.0.1", port))
        self.asked.setblocking(False)
        self.place = Place(self.secret, made[0], port, os.getpid())
        paths = [*made, *(sorted(corpus.rglob("*")) if corpus else [])]
        self.sources = [
            path.read_bytes() for path in paths
            if path.is_file() and path.stat().st_size <= LARGEST_SOURCE_BYTES
            and path.name != "README.md"
        ]  # fmt: skip
        self.kept = self._outside()

    async def run(self, seed: int, numbers: Sequence[int], tally: Tally) -> None:
        """Tries these cases, a few at once, and looks around after them."""
        await asyncio.gather(*(self._one(seed, number, tally) for number in numbers))
        tally.wrong += self.look(f"{numbers[0]}–{numbers[-1]}")

    def look(self, which: str) -> list[str]:
        """What is not as it was: an escape, or something left behind."""
        wrong = []
        for launcher in launchers.running():
            tasks = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
            with contextlib.suppress(OSError):
                if left := tasks.read_text().split():
                    wrong.append(f"{which}: processes are left: {len(left)}")
        if (now := self._outside()) != self.kept:
            wrong.append(f"{which}: something outside has changed: {now ^ self.kept}")
            self.kept = now
        with contextlib.suppress(BlockingIOError):
            self.listener.accept()[0].close()
            wrong.append(f"{which}: somebody connected")
        with contextlib.suppress(BlockingIOError):
            self.asked.recv(10)
            wrong.append(f"{which}: somebody sent a datagram")
        return wrong

    def close(self) -> None:
        self.listener.close()
        self.asked.close()

    def _outside(self) -> set[tuple[str, int, int, int]]:
        found = set()
        for path in (self.folder, *self.folder.rglob("*")):
            seen = path.lstat()
            size = seen.st_size if stat.S_ISREG(seen.st_mode) else 0
            found.add((str(path), seen.st_mode, size, seen.st_uid))
        return found

    async def _one(self, seed: int, number: int, tally: Tally) -> None:
        folder = self.folder.parent / f"case-{number}"
        out = folder / "out"
        out.mkdir(parents=True)
        began = time.monotonic()
        name = f"{seed}/{number}"
        try:
            this = case(seed, number, self.sources, self.place)
            name = f"{name} ({this.kind})"
            verdict = await asyncio.wait_for(self.verdict(this, number, folder), BACK_WITHIN_S)
            tally.verdicts[f"{this.kind}\t{verdict}"] += 1
            if verdict == "harm" or (this.kind.endswith("reference") and verdict != "refused"
                                     and not verdict.startswith("refused: ")):  # fmt: skip
                tally.wrong.append(f"{name}: escaped, {verdict}")
        except TimeoutError:
            tally.wrong.append(f"{name}: hangs")
        except Exception as error:
            tally.wrong.append(f"{name}: no verdict, {type(error).__name__}: {error}")
        finally:
            for path in out.iterdir():
                if not stat.S_ISREG(path.lstat().st_mode):
                    tally.wrong.append(f"{name}: left {path.name}, which is not a plain file")
            await asyncio.to_thread(shutil.rmtree, folder)
        took_ms = int((time.monotonic() - began) * 1000)
        if took_ms > tally.slowest_ms:
            tally.slowest_ms, tally.slowest = took_ms, name

    async def verdict(self, this: Case, number: int, folder: Path) -> str:
        out = folder / "out"
        if this.program:
            argv = [sys.executable, "-I", "-S", "-c", this.program]
            outcome = await fence.run(argv, reads=[], writes=[out], limits=PROGRAM)
            if b"harm" in outcome.stdout:
                return "harm"
            return f"stopped: {outcome.killed_by}" if outcome.killed_by else "failed by itself"
        source = folder / "source"
        source.write_bytes(this.data)
        try:
            film = await probe.probe(source, out)
            if number % ENCODED:
                return "accepted"
            cut = Cut(0, min(ENCODED_MS, film.duration_ms), 0)
            await encode.first_playable(source, film, cut, out)
        except Unreadable as reason:
            return f"refused: {reason.code}"
        except EncodingFailed:
            return "refused: by the encoder"
        return "encoded"


def drawn(folder: Path) -> list[Path]:
    """Small films in the codecs and containers that phones and browsers make; the first is an MP4
    with its head at the end."""
    folder.mkdir(exist_ok=True)
    small = {"size": "96x160", "seconds": 0.5, "rate": 12}
    wanted: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("h264.mp4", ()),
        ("fragments.mp4", ("-movflags", "frag_keyframe+empty_moov")),
        ("hevc.mov", ("-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1")),
        ("vp9.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus")),
        ("mpeg4.avi", ("-c:v", "mpeg4", "-c:a", "mp3")),
        ("stream.ts", ()),
        ("vp8.mkv", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis")),
    )
    made = []
    for name, options in wanted:
        path = folder / name
        if not path.exists():
            films.make(path, *options, **small)  # type: ignore[arg-type]
        made.append(path)
    return made
