"""Whoever is about to leave is still signed in, on every page of the settings."""

from __future__ import annotations

import pytest
from tests.cell.house import Browser, House
from tests.cell.rights.support import leave

PATHS = (
    "/api/me",
    "/api/sessions",
    "/api/feeds/for-you/settings",
    "/api/notifications/settings",
    "/api/messages/settings",
    "/api/me/friends",
    "/api/me/collections",
    "/api/me/conversation",
    "/api/me/past-clips",
    "/api/me/circles",
    "/api/me/push",
    "/api/notifications/unread",
)


@pytest.mark.parametrize("path", PATHS)
async def test_who_is_leaving_still_sees_their_settings(
    house: House, ana: Browser, path: str
) -> None:
    await leave(ana)
    answer = await ana.get(path)
    assert answer.status_code in (200, 404), (path, answer.text)
