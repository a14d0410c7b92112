"""Twenty times kill -9 and restores under writers. `bench/ledger_kills.py` does a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drills import ledger_kills
from tests.drills.cell_process import free_port, none_left

KILLS = 20
# Another seed tries other moments; this one has restores among them.
SEED = 4

# With the other drills in one process, because it keeps both cores busy.
pytestmark = [pytest.mark.xdist_group("start"), pytest.mark.long]


@pytest.mark.timeout(600)
async def test_log_is_never_forked_and_loses_nothing_published(tmp_path: Path) -> None:
    drill = ledger_kills.Drill(tmp_path / "a log", free_port())
    try:
        await drill.start()
        outcome = await drill.round(KILLS, SEED, (0.2, 2.5))
        print(ledger_kills.describe(outcome))
        assert outcome.wrong == []
    finally:
        left = drill.stop()
    assert left == []
    assert none_left(tmp_path) == []
    # A drill in which nothing was at stake would prove nothing.
    assert outcome.acknowledged > 500
    assert outcome.aborted > 20
    assert outcome.heads > 20
    assert outcome.kills["restore"] >= 1
    assert len(outcome.kills) >= 4
