"""Cases about entries: their form and their time."""

from __future__ import annotations

from collections.abc import Callable

from tests.vectors.case import GREEN, RED, case
from tests.vectors.world import DAY, FIRST_DAY, HOUR, LAST, MINUTE, NOW, World, text


def access(name: str, about: str, change: Callable[[list[bytes]], None]) -> None:
    """A case whose access log differs in one place."""

    @case(name, RED, "entry.format", about=about)
    def _(world: World) -> None:
        change(world.entries["access"])
        world.ledger()


def changed(index: int, start: int, data: bytes) -> Callable[[list[bytes]], None]:
    def change(entries: list[bytes]) -> None:
        old = entries[index]
        entries[index] = old[:start] + data + old[start + len(data) :]

    return change


access("entry-too-long", "An entry has a byte more.", lambda all: all.append(all[-1] + b"\0"))
access("entry-empty", "An entry has no byte.", lambda all: all.append(b""))
access("entry-version", "An entry of a version that nobody knows.", changed(2, 0, b"\x02"))
access("entry-kind-zero", "An entry of kind 0.", changed(2, 1, b"\x00"))
access("entry-kind-unknown", "An entry of kind 10.", changed(2, 1, b"\x0a"))
access("entry-class-zero", "An entry of class 0.", changed(2, 2, b"\x00"))
access("entry-class-unknown", "An entry of class 6.", changed(2, 2, b"\x06"))
access("seal-version", "A seal of a version that nobody knows.", changed(5, 0, b"\x02"))
access("seal-too-short", "A seal without its last byte.", lambda all: all.append(all[5][:-1]))


BAD_TEXTS = {
    "not-json": b"\x01\x02",
    "not-canonical": b'{"v":1, "at":"2026-11-26T10:00:00Z","kind":"out"}',
    "not-sorted": b'{"v":1,"kind":"out","at":"2026-11-26T10:00:00Z"}',
    "double-name": b'{"at":"2026-11-26T10:00:00Z","kind":"out","kind":"out","v":1}',
    "not-a-number": b'{"at":"2026-11-26T10:00:00Z","kind":"out","rate":NaN,"v":1}',
    "fraction": b'{"at":"2026-11-26T10:00:00Z","kind":"out","rate":0.5,"v":1}',
    "vast-number": b'{"at":"2026-11-26T10:00:00Z","bytes":9007199254740992,"kind":"out","v":1}',
    "version-true": b'{"at":"2026-11-26T10:00:00Z","kind":"out","v":true}',
    "list": b"[1]",
    "version": b'{"at":"2026-11-26T10:00:00Z","kind":"out","v":2}',
    "no-kind": b'{"at":"2026-11-26T10:00:00Z","v":1}',
    "odd-kind": b'{"at":"2026-11-26T10:00:00Z","kind":"Out!","v":1}',
    "no-time": b'{"kind":"out","v":1}',
    "odd-time": b'{"at":"2026-11-26T10:00:00+00:00","kind":"out","v":1}',
    "no-such-day": b'{"at":"2026-11-31T10:00:00Z","kind":"out","v":1}',
    "too-deep": b"[" * 5_000 + b"]" * 5_000,
}
for name, entry in BAD_TEXTS.items():

    @case(f"text-{name}", RED, "entry.format", about=f"A malformed entry of the border: {name}.")
    def _(world: World, entry: bytes = entry) -> None:
        world.entries["border"].append(entry)
        world.ledger()


@case("text-utf-8", GREEN, about="Letters beyond ASCII, a kind that nobody knows yet.")
def _(world: World) -> None:
    world.entries["border"].append(
        text(LAST, "new-kind", note="Île — 🌿", bytes=2**53 - 1, below=-7)
    )
    world.ledger()


@case("label-twice", RED, "entry.label-twice", about="Two entries carry one label.")
def _(world: World) -> None:
    entries, again = world.entries["access"], world.someone("ben")
    again.entries.pop()
    entries.append(again.entry("read", "staff", LAST + 5 * MINUTE, actor="desk 5"))
    world.ledger()


@case("back-dated", RED, "entry.back-dated", about="The newest entry is dated three hours before.")
def _(world: World) -> None:
    world.entries["access"].append(world.someone("cleo").entry("read", "staff", LAST - 3 * HOUR))
    world.ledger()


@case(
    "back-dated-text", RED, "entry.back-dated", about="The border's newest entry is of yesterday."
)
def _(world: World) -> None:
    world.entries["border"].append(text(FIRST_DAY + DAY, "out"))
    world.ledger()


@case("overtaken", GREEN, about="An entry was overtaken by others for half an hour.")
def _(world: World) -> None:
    world.entries["access"].append(world.someone("cleo").entry("grant", "self", LAST - HOUR // 2))
    world.ledger()


@case("dated-ahead", RED, "entry.future", about="The newest entry is dated an hour after now.")
def _(world: World) -> None:
    world.entries["access"].append(world.someone("cleo").entry("grant", "self", NOW + HOUR))
    world.ledger()
