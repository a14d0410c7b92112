"""Which processes of this cell reach other machines, for the doctor."""

from __future__ import annotations

from collections.abc import Iterator

from luciole import apart, programs
from luciole.config import Settings
from luciole.finding import Finding
from luciole.kit import processes
from luciole.kit.keeper import FolderLock

SUBJECT = "way out"
HOW = "docs/howto/run-on-a-server.md"


def looked(settings: Settings) -> Iterator[Finding]:
    """Whether the gateway is alone in it: by the settings, by what this machine allows, and by what
    runs."""
    if not processes.can_lose_route():
        yield Finding(
            "WARN",
            SUBJECT,
            "all processes have one, since this machine allows no network namespaces",
            f"Allow them to the user who runs Luciole ({HOW}), or have the firewall let nothing "
            "of that user out that the gateway does not need.",
        )
        return
    own = programs.own_logins(settings)
    urls: dict[str, str] = {name: url or settings.database.url for name, url in own.items()}
    kept = {name: why for name, why in apart.processes(settings, urls) if why}
    strays = [name for name in _with_one(settings) if name not in kept]
    if strays:
        yield Finding(
            "WARN",
            SUBJECT,
            f"{', '.join(strays)} should have none and share the gateway's network",
            "Start the cell anew. Where no short enough folder for its socket can be had, "
            "PostgreSQL needs TCP: choose a shorter LUCIOLE_DATA_DIR then.",
        )
    for why in dict.fromkeys(kept.values()):
        names = ", ".join(name for name in kept if kept[name] == why)
        yield Finding(
            "WARN",
            SUBJECT,
            f"{names}: as the gateway, because {why}",
            f"Let the unit or the firewall allow that address and those of peers only ({HOW}).",
        )
    if not strays and not kept:
        yield Finding("OK", SUBJECT, "the gateway's alone; other processes reach this machine only")


def _with_one(settings: Settings) -> Iterator[str]:
    """Processes that run in the gateway's network, without the number that an API process has."""
    note = FolderLock(settings.data / "run").read()
    if note is None or not note.owner.is_alive or apart.GATEWAY not in note.children:
        return
    shared = processes.network_of(note.children[apart.GATEWAY].pid)
    for name, child in note.children.items():
        if name != apart.GATEWAY and shared and processes.network_of(child.pid) == shared:
            yield "api" if name.startswith("api-") else name
