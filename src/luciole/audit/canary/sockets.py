"""Connections of processes to other machines, as Linux lists them. Elsewhere nothing is found."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

KINDS = ("tcp", "tcp6", "udp", "udp6")


def outside(pids: Iterable[int]) -> set[str]:
    """`kind address:port` of each connection that leads off this machine."""
    pids = list(pids)
    inodes = {inode for pid in pids for inode in _inodes(pid)}
    found = set()
    for table in _tables(pids):
        for kind in KINDS:
            with contextlib.suppress(OSError):
                for line in (table / kind).read_text().splitlines()[1:]:
                    words = line.split()
                    remote = _address(words[2])
                    if words[9] in inodes and remote is not None:
                        found.add(f"{kind} {remote}")
    return found


def _tables(pids: Iterable[int]) -> Iterable[Path]:
    """Where the connections are listed: those of our network, and of each that a process is in. One
    may have sockets of a network that it has left."""
    places = {"": Path("/proc/net")}
    for pid in pids:
        with contextlib.suppress(OSError):
            places.setdefault(os.readlink(f"/proc/{pid}/ns/net"), Path(f"/proc/{pid}/net"))
    return places.values()


def _inodes(pid: int) -> Iterable[str]:
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    yield target[8:-1]


def _address(text: str) -> str | None:
    """The far end as `address:port`; None where there is none, or it is this machine."""
    number, _, port = text.partition(":")
    # Words of 4 bytes, each in the order of this machine.
    packed = b"".join(bytes.fromhex(number[i : i + 8])[::-1] for i in range(0, len(number), 8))
    address = ipaddress.ip_address(packed)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_unspecified or address.is_loopback:
        return None
    return f"{address}:{int(port, 16)}"
