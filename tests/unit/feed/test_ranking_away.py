"""What is said, and how soon, where ranking should be in actors and is not there."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from luciole import config, programs
from luciole.actors import cluster, state
from luciole.actors.cluster import ClusterAway, RayMissing
from luciole.actors.replica import Replica
from luciole.actors.state import RankingAway
from luciole.cell.feed.model import Mark, Snapshot
from luciole.cell.feed.ranker import Asked
from luciole.cell.feed.ranking.packed import Clips
from luciole.cell.feed.ranking.shelf import Shelf
from luciole.cell.feed.ranking_state import Grown, read_on
from luciole.cell.feed.rows import Loaded


class Nothing:
    """A log in which nothing ever happened."""

    async def snapshot(self) -> Snapshot | None:
        return None

    async def clips(self) -> tuple[Clips, int]:
        return Shelf().packed(), 0

    async def grown(self, since: Mark, loaded: Loaded | None = None) -> Grown:
        return Grown(b"", {}, set())


async def test_without_its_process_a_page_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "READY_WITHIN_S", 0.2)
    opened = await state.opening(tmp_path / "ranking.sock", 2)(Nothing())
    began = time.monotonic()
    with pytest.raises(RankingAway) as refused:
        await opened.draw(Asked(1.8e9, 1, 10), None)
    with pytest.raises(RankingAway):
        await read_on(opened, Nothing())
    assert time.monotonic() - began < 2
    assert refused.value.retry_after_s
    await opened.close()


async def test_a_process_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(deaf, tmp_path / "ranking.sock")
    monkeypatch.setattr(state, "READY_WITHIN_S", 0.2)
    opened = await state.opening(tmp_path / "ranking.sock", 1)(Nothing())
    with pytest.raises(RankingAway):
        await opened.budget(1.8e9)
    await opened.close()
    server.close()


def test_ray_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RayMissing) as refused:
        cluster.check()
    assert "luciole[ray]" in refused.value.next_step
    settings = config.load({"LUCIOLE_FEED_RANKING": "ray"})
    with pytest.raises(RayMissing):
        programs.Programs(settings, {}, "", {}).ranking()
    assert programs.Programs(config.load({}), {}, "", {}).ranking() == []


@pytest.mark.parametrize("where", ["ray:", "ray:host", "raylet", "ray://host:1", "ray:a b:1"])
def test_odd_places_are_refused(where: str) -> None:
    with pytest.raises(config.SettingError, match="LUCIOLE_FEED_RANKING"):
        config.load({"LUCIOLE_FEED_RANKING": where})
    assert config.load({"LUCIOLE_FEED_RANKING": "ray:10.0.0.7:6379"}).feed.replicas == 2


def test_cluster_where_nobody_listens_is_away_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        began = time.monotonic()
        with pytest.raises(ClusterAway):
            cluster._reach(f"127.0.0.1:{free.getsockname()[1]}")
    assert time.monotonic() - began < 2


def test_nobody_imports_ray_unasked() -> None:
    asked = "import sys, luciole.app, luciole.worker, luciole.serve; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_a_replica_that_knows_nothing_answers_nothing() -> None:
    replica = Replica()
    for question in ("save", "digest"):
        assert replica.answer(question, b"") == state.NOTHING
