"""The same in ActivityStreams 2.0 (W3C, 2017) and as CSV, for other networks.

`actor.json` and `outbox.json` lie in the archive as in those of Mastodon, `following.csv` has its
columns. Files are named by their path in the archive, people and clips by where this cell shows
them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from luciole.cell.rights.export.archive import Archive
from luciole.kit.exported import ExportedRow, Stored, Written

CONTEXT = "https://www.w3.org/ns/activitystreams"
EVERYBODY = f"{CONTEXT}#Public"

# The files of each film, by the film's id.
Films = Mapping[str, list[ExportedRow]]


class Addresses:
    """Where this cell shows people and clips."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._host = origin.split("://", 1)[-1]

    def person(self, handle: str) -> str:
        return f"{self._origin}/@{handle}"

    def clip(self, clip_id: object) -> str:
        return f"{self._origin}/c/{clip_id}"

    def account(self, handle: str) -> str:
        """The account as other networks write it."""
        return f"{handle}@{self._host}"


def actor(account: ExportedRow, addresses: Addresses) -> dict[str, Any]:
    """The person as an actor."""
    avatar = account["avatar"]
    found = {
        "@context": CONTEXT,
        "id": addresses.person(account["handle"]),
        "type": "Person",
        "preferredUsername": account["handle"],
        "name": account["display_name"],
        "summary": account["bio"],
        "published": moment(account["created_at"]),
        "manuallyApprovesFollowers": account["is_private"],
        "outbox": "outbox.json",
        "following": "following.csv",
    }
    if isinstance(avatar, Stored):
        found["icon"] = {"type": "Image", "mediaType": "image/webp", "url": avatar.path}
    return found


def create(clip: ExportedRow, files: list[ExportedRow], who: str, addresses: Addresses) -> Any:
    """The act of publishing a clip."""
    address = addresses.clip(clip["id"])
    audience = {"everyone": [EVERYBODY], "friends": [f"{who}/friends"], "only-me": [who]}
    published = moment(clip["published_at"])
    links = [
        {
            "type": "Link",
            "mediaType": file["mime"],
            "href": file["file"].path,
            "width": file["width"],
            "height": file["height"],
            "size": file["size_bytes"],
        }
        for file in files
        if file["kind"] == "rendition"
    ]
    video: dict[str, Any] = {
        "id": address,
        "type": "Video",
        "attributedTo": who,
        "content": clip["caption"],
        "published": published,
        "to": [who] if clip["audience_list"] else audience[clip["audience"]],
        "url": links,
        "tag": [{"type": "Hashtag", "name": f"#{tag}"} for tag in clip["hashtags"]],
    }
    still = next((file for file in files if file["kind"] == "poster"), None)
    if still is not None:
        video["icon"] = {"type": "Image", "mediaType": still["mime"], "url": still["file"].path}
    if isinstance(clip["captions"], Written):
        video["attachment"] = [
            {
                "type": "Document",
                "mediaType": "text/vtt",
                "hreflang": clip["captions_language"],
                "url": clip["captions"].path,
            }
        ]
    return {
        "id": f"{address}#published",
        "type": "Create",
        "actor": who,
        "published": published,
        "to": video["to"],
        "object": video,
    }


async def write_outbox(
    archive: Archive,
    clips: AsyncIterator[ExportedRow],
    films: Films,
    account: ExportedRow,
    addresses: Addresses,
) -> None:
    """What the person has published, the oldest first."""
    who = addresses.person(account["handle"])
    head = {"@context": CONTEXT, "id": f"{who}/outbox", "type": "OrderedCollection"}
    count = 0
    async with archive.file("outbox.json") as entry:
        await entry.write(msgspec.json.encode(head)[:-1] + b',"orderedItems":[')
        async for clip in clips:
            if clip["state"] == "published":
                await entry.write(b",\n" if count else b"\n")
                files = films.get(str(clip["asset_id"]), [])
                await entry.write(msgspec.json.encode(create(clip, files, who, addresses)))
                count += 1
        await entry.write(b'\n],"totalItems":%d}\n' % count)


async def write_following(
    archive: Archive, following: AsyncIterator[ExportedRow], addresses: Addresses
) -> None:
    """Whom the person follows, in the form that Mastodon imports."""
    async with archive.file("following.csv") as entry:
        await entry.write(_line("Account address", "Show boosts", "Notify on new posts", "Since"))
        async for row in following:
            if row["state"] == "accepted" and row["handle"] is not None:
                address = addresses.account(row["handle"])
                await entry.write(_line(address, "true", "false", moment(row["made_at"]) or ""))


def moment(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(*cells: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()
