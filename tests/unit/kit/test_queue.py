"""A worker lives through a lost probe of its listener, and not through a dead listener."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest

# First, because it names the schema of the library's tables.
from luciole.kit import queue  # isort: skip
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.domain.models import HealthCheckEvent


class Line:
    """In place of the database: loses the first `lost` probes and answers the next."""

    def __init__(self, lost: int) -> None:
        self.lost = lost
        self.manager = queue._Manager(cast(Any, self))

    async def notify_health_check(self, probe: Any) -> None:
        self.lost -= 1
        if self.lost < 0:
            answer = HealthCheckEvent.model_construct(id=probe)
            self.manager.pending_health_check[probe].set_result(answer)


@pytest.mark.parametrize("lost", [0, 1])
async def test_lost_probe_is_asked_again(lost: int) -> None:
    await Line(lost).manager.listener_healthy(timedelta(seconds=0.02))


async def test_dead_listener_ends_the_worker() -> None:
    with pytest.raises(FailingListenerError):
        await Line(2).manager.listener_healthy(timedelta(seconds=0.02))
