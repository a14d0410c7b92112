"""Which processes of a cell have a way out: the gateway, and whoever cannot do without.

The supervisor starts every other process in a network namespace of its own, with a loopback and
nothing else (`kit.launch`). They reach PostgreSQL, the key broker, the witness and the gateway by
Unix sockets; what listens for others does so on sockets that the supervisor has opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from luciole.config import Settings

GATEWAY = "gateway"
WITH_BLOBS = ("abroad", "api", "ledger", "witness", "worker")


def needs_route(settings: Settings, process: str, url: str = "") -> str:
    """Why a process keeps the machine's network; empty where it loses it. `url` is its login to
    the database, empty where it has none."""
    if process == GATEWAY:
        return "it speaks for the cell"
    if url and not _is_unix(url):
        return "its PostgreSQL is reached over TCP"
    if process in WITH_BLOBS and "://" in settings.blobs and not _is_file(settings.blobs):
        return "the objects are in a bucket"
    if process == "custody" and not settings.keys.root.startswith("file:"):
        return "the root of the keys is not a file"
    if process == "ranking":
        return "actors speak with one another over TCP"
    return ""


def processes(settings: Settings, urls: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each process that this cell has, and why it keeps the network; empty where it loses it."""
    with_login = [(name, urls.get(name, "")) for name in ("custody", "ledger", "api", "worker")]
    for name, url in (*with_login, ("witness", "")):
        yield name, needs_route(settings, name, url)
    if settings.cell.short_name:
        yield "trustee", ""
    if settings.abroad.peer:
        yield "abroad", needs_route(settings, "abroad", settings.abroad.database_url)
    if settings.feed.ranking:
        yield "ranking", needs_route(settings, "ranking")


def _is_unix(url: str) -> bool:
    parts = urlsplit(url)
    return parse_qs(parts.query).get("host", [parts.hostname or ""])[0].startswith("/")


def _is_file(place: str) -> bool:
    return place.startswith(("file://", "memory://"))
