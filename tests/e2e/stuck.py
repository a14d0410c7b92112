"""Where a journey stood when its time was over: pytest shows the event loop and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

HERE = "tests/"


def stand(loop: asyncio.AbstractEventLoop) -> str:
    """A line for each of the tests' own frames that wait in `loop`, outermost first."""
    return "\n".join(line for task in asyncio.all_tasks(loop) for line in frames(task.get_coro()))


def frames(waits: Any) -> Iterator[str]:
    """A task's own stack shows the outermost frame only: what that one awaits is followed here."""
    while waits is not None:
        frame = getattr(waits, "cr_frame", None)
        if frame is not None and HERE in frame.f_code.co_filename:
            name = frame.f_code.co_filename.rpartition(HERE)[2]
            yield f"{HERE}{name}:{frame.f_lineno} in {frame.f_code.co_name}"
        waits = getattr(waits, "cr_await", None)
