"""Twenty times kill -9 in the middle of uploads and transcodes. `bench/kills.py` does hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drills import films, kills
from tests.drills.cell_process import free_port, none_left

KILLS = 20
LIKES = 5
# Another seed tries other moments; this one is as good as any.
SEED = 6

# With the other drills in one process, because it keeps both cores busy.
pytestmark = [pytest.mark.xdist_group("start"), pytest.mark.long]


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path) -> None:
    scratch = tmp_path / "films"
    scratch.mkdir()
    drill = kills.Drill(tmp_path / "a cell", free_port(), films.make(scratch), scratch)
    try:
        drill.start()
        outcome = drill.round(KILLS, SEED, (0.1, 2.0), LIKES)
        print(kills.describe(outcome))
        assert outcome.wrong == []
        assert drill.stop() == []
    finally:
        drill.give_up()
    assert none_left(tmp_path) == []
    # A drill in which nothing was at stake would prove nothing.
    assert outcome.clips["published"] >= 10
    assert outcome.clips["refused"] >= 1
    assert outcome.likes >= LIKES
    assert outcome.resumed >= 1
    assert len(outcome.kills) >= 4
