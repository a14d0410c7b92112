"""Bringing an export along, as a browser does it."""

from __future__ import annotations

from typing import Any

from tests.cell.house import PIECE, TUS, Browser, House


async def send(person: Browser, raw: bytes) -> str:
    """Uploads a file as an import; gives where it can be asked for."""
    answer = await person.post("/api/me/imports", headers={**TUS, "upload-length": str(len(raw))})
    assert answer.status_code == 201, answer.text
    place = answer.headers["location"]
    answer = await person.patch(place, content=raw, headers={**PIECE, "upload-offset": "0"})
    assert answer.status_code == 204, answer.text
    assert answer.headers["upload-offset"] == str(len(raw))
    return str(place.removesuffix("/file"))


async def bring(house: House, person: Browser, raw: bytes) -> Any:
    """The import of a file with all jobs done, as the person sees it then."""
    place = await send(person, raw)
    await house.work()
    return (await person.get(place)).json()
