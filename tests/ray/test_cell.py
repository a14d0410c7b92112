"""For You through HTTP and a real database, with what ranking knows in actors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from tests.cell import conftest as cell
from tests.cell.feed import walks
from tests.cell.house import House
from tests.cell.vault import Vault
from tests.ray.conftest import REPLICAS, Cluster

from luciole.actors import state as replicas
from luciole.actors.state import Replicas
from luciole.cell.feed.follower import Follower
from luciole.cell.feed.log_source import LogSource
from luciole.cell.feed.ranker import Asked
from luciole.cell.feed.snapshots import Snapshots
from luciole.cell.feed.veil import Veil
from luciole.config import FeedSettings, PeopleSettings, Settings
from luciole.kit.db import Database

pools, vault, db = cell.pools, cell.vault, cell.db
pytestmark = pytest.mark.asyncio(loop_scope="session")
# Clips of a cell for a walk to its end.
CLIPS = 70


@pytest_asyncio.fixture(loop_scope="session")
async def house(
    cluster: Cluster, db: Database, vault: Vault, tmp_path: Path
) -> AsyncIterator[House]:
    """A cell whose ranking is in the cluster's actors, which know of nothing yet."""
    await (await cluster.follow(LogSource(db, Veil(b"any")))).close()
    settings = Settings(
        data_dir=str(tmp_path),
        people=PeopleSettings(sign_up_work=0, sign_ups_per_hour=10_000, sign_ins_per_minute=10_000),
        feed=FeedSettings(ranking="ray", replicas=REPLICAS),
    )
    settings.ranking_socket.parent.mkdir()
    settings.ranking_socket.symlink_to(cluster.place)
    made = House(db, settings, vault)
    yield made
    await made.parts.for_you.follower.now().close()
    await made.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def other(house: House) -> AsyncIterator[Follower]:
    """What another API process follows the log with."""
    settings = house.settings
    opening = replicas.opening(settings.ranking_socket, settings.feed.replicas)
    made = Follower(house.db, house.clock, house.parts.for_you.veil, opening)
    await made.caught_up()
    yield made
    await made.now().close()


async def test_a_session_through_http(house: House, other: Follower) -> None:
    ana, ben = await house.person("ana"), await house.person("ben")
    everything = await walks.shelf(house, ana, CLIPS // 2, ["cats"])
    everything += await walks.shelf(house, ben, CLIPS // 2)
    assert sorted(await walks.walk(house.visitor())) == sorted(everything)
    await walks.learn(ben)
    await ben.follow(ana)
    body = await walks.page(ben)
    assert body["mode"] == "learning"
    told = [walks.signal(body, at, "shown") for at in range(10)]
    told += [walks.signal(body, at, "watched", ms=6_000 + at) for at in range(6)]
    house.clock.advance(timedelta(minutes=5))
    await walks.report(ben, *told)
    await walks.page(ben, body["next"])

    # This process, the other one, and one that keeps its state to itself know the same.
    away = await house.parts.for_you.follower.caught_up()
    alone = await walks.follower_of(house).caught_up()
    assert isinstance(away, Replicas)
    digest = await alone.digest()
    assert await away.digests() == [digest] * REPLICAS
    assert await (await other.caught_up()).digest() == digest
    assert away.events == alone.events == len(told)
    for seed in range(4):
        asked = Asked(house.clock.now().timestamp(), seed, 10)
        expected = await alone.draw(asked, None)
        for state in (away, other.now(), away, other.now()):
            assert await state.draw(asked, None) == expected


async def test_a_snapshot_of_an_actor_serves_everybody(house: House) -> None:
    ana = await house.person("ana")
    await walks.shelf(house, ana, 20)
    body = await walks.page(house.visitor())
    await walks.report(house.visitor(), *(walks.signal(body, at, "shown") for at in range(10)))
    follower = house.parts.for_you.follower
    taken = await Snapshots(house.db, follower, house.clock).take(at_once=True)
    assert taken is not None
    await walks.shelf(house, ana, 3)
    live = await (await follower.caught_up()).digest()
    assert live == await (await walks.follower_of(house).caught_up()).digest()
    assert live != taken.digest
