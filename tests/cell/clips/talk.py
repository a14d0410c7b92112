"""Commenting through the API, for the tests of conversation."""

from __future__ import annotations

from typing import Any

from tests.cell.house import Browser


async def say(
    who: Browser, clip: dict[str, Any], text: str, to: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A comment that was taken, as its writer sees it."""
    body = {"text": text, **({"reply_to": to["id"]} if to else {})}
    answer = await who.post(f"/api/clips/{clip['id']}/comments", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def heard(viewer: Browser, clip: dict[str, Any], **query: str) -> list[str]:
    """The texts at the heads of threads, as the viewer gets them."""
    answer = await viewer.get(f"/api/clips/{clip['id']}/comments", params=query)
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in answer.json()["items"]]


async def thread(viewer: Browser, head: dict[str, Any]) -> list[str]:
    answer = await viewer.get(f"/api/comments/{head['id']}/replies")
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in answer.json()["items"]]


async def count(viewer: Browser, clip: dict[str, Any]) -> int:
    return int((await viewer.get(f"/api/clips/{clip['id']}")).json()["comments"])


async def told(person: Browser) -> list[tuple[str, str]]:
    """What a person's list says, the newest first: what, and by whom, each of a line."""
    items = (await person.get("/api/notifications")).json()["items"]
    return [
        (item["kind"], by["handle"])
        for item in items
        if item["by"]
        for by in (item["by"], *item["others"])
    ]


async def befriend(one: Browser, other: Browser) -> None:
    await one.follow(other)
    await other.follow(one)
