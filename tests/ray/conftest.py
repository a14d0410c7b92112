"""A process of ranking with its own Ray cluster, on this machine's loopback."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from luciole.actors.line import Line
from luciole.actors.state import RankingAway, Replicas
from luciole.cell.feed.ranking_state import Source, read_on
from luciole.kit.processes import Known, descendants

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = ROOT / ".cache" / "ray"
HAS_RAY = (PACKAGED / "ray").is_dir() or importlib.util.find_spec("ray") is not None
MISSING = (
    "RAY IS NOT INSTALLED: nothing was tested of ranking in actors. .ci/run installs it "
    "(requirements/ray.lock)."
)
REPLICAS = 2
# Ray's own processes start slowly where the machine is busy.
READY_WITHIN_S = 120.0
ENDED_WITHIN_S = 30.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it takes minutes, and shares one cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "cluster" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(pytest.mark.long)
            item.add_marker(pytest.mark.timeout(400))
            item.add_marker(pytest.mark.xdist_group("ray"))


@dataclass
class Cluster:
    """The process of ranking of a cell in `folder`; `start` it again after its end."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def place(self) -> Path:
        return self.folder / "run" / "ranking.sock"

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(PACKAGED)]),
            "LUCIOLE_DATA_DIR": str(self.folder),
            "LUCIOLE_FEED_RANKING": "ray",
            "LUCIOLE_FEED_REPLICAS": str(REPLICAS),
            "LUCIOLE_FEED_REPLICA_BYTES": str(1 << 28),
        }
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "luciole", "ranking-process"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + READY_WITHIN_S
        while not self.place.exists():
            said = (self.folder / "log").read_text(errors="replace")[-3000:]
            assert self.process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.1)

    def children(self) -> list[Known]:
        assert self.process is not None
        return descendants(self.process.pid)

    def named(self, name: str) -> list[Known]:
        """Processes of the cluster whose command line begins with a name."""
        found = []
        for child in self.children():
            words = Path(f"/proc/{child.pid}/cmdline").read_bytes().split(b"\0")
            if Path(words[0].decode()).name.startswith(name):
                found.append(child)
        return found

    def stop(self) -> None:
        """Ends it as the supervisor does; nothing of it may be left."""
        assert self.process is not None
        children = self.children()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(ENDED_WITHIN_S)
        assert status == 0, (self.folder / "log").read_text(errors="replace")[-3000:]
        until = time.monotonic() + ENDED_WITHIN_S
        while left := [child for child in children if child.is_alive]:
            assert time.monotonic() < until, left
            time.sleep(0.1)

    async def follow(self, source: Source, *, anew: bool = True) -> Replicas:
        """A state as an API process opens one, with all replicas at the end of the log; `anew`:
        what another test has left in them is forgotten."""
        state = Replicas(Line(self.place), REPLICAS, source, anew=anew)
        await all_ready(state)
        await read_on(state, source)
        return state


async def all_ready(state: Replicas) -> None:
    """Waits until every replica knows enough to be asked."""
    async with asyncio.timeout(READY_WITHIN_S):
        while True:
            with contextlib.suppress(RankingAway):
                if len(await state.digests()) == REPLICAS:
                    return
            await asyncio.sleep(0.1)


@pytest.fixture(scope="session")
def running() -> Iterator[Cluster]:
    if not HAS_RAY:
        pytest.skip(MISSING)
    # Sockets of Ray take no long paths.
    with tempfile.TemporaryDirectory(prefix="luciole-") as folder:
        cluster = Cluster(Path(folder))
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def cluster(running: Cluster) -> Cluster:
    """A cluster that is up, whatever a test before has done to it."""
    assert running.process is not None
    if running.process.poll() is not None:
        running.start()
    return running
