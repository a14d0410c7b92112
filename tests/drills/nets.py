"""Network namespaces with a cable between them, for drills that need to know every way there is."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4


@dataclass
class Net:
    """A namespace with one end of a cable."""

    name: str
    address: str
    cable: str

    @property
    def inside(self) -> list[str]:
        """What a command begins with that is run in it."""
        return ["ip", "netns", "exec", self.name]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def connected(network: str) -> Iterator[tuple[Net, Net]]:
    """Two namespaces, NETWORK.1 and NETWORK.2, and a cable between them; no other way leads out of
    either."""
    mark = uuid4().hex[:6]
    ends = (
        Net(f"a-{mark}", f"{network}.1", f"a{mark}"),
        Net(f"b-{mark}", f"{network}.2", f"b{mark}"),
    )
    try:
        ip("link", "add", ends[0].cable, "type", "veth", "peer", "name", ends[1].cable)
        for end in ends:
            ip("netns", "add", end.name)
            ip("link", "set", end.cable, "netns", end.name)
            ip("-n", end.name, "addr", "add", f"{end.address}/24", "dev", end.cable)
            ip("-n", end.name, "link", "set", "lo", "up")
            ip("-n", end.name, "link", "set", end.cable, "up")
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", end.name)
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "del", ends[0].cable)
