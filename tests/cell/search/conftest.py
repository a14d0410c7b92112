"""A cell in which things are found as soon as they are there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.cell.house import Browser, House

Find = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def find(house: House) -> Find:
    """What somebody finds, once the worker has taken in what changed."""

    async def ask(browser: Browser, q: str, what: str = "", **more: Any) -> dict[str, Any]:
        await house.parts.queue.run_periodic("search.index")
        answer = await browser.post(f"/api/search{what}", json={"q": q, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return ask
