"""What runs here, as digests: of this package's files, and of the built web client.

A digest is SHA-256 over lines of `SHA-256 of the file, two blanks, path` in the order of the paths:
what `sha256sum` prints, so that a stranger gets the same with the tools of any system. It says what
lies on the disk of this machine; that the running process was made of it is the operator's word.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from luciole import __version__

HERE = Path(__file__).resolve().parent
# Made by Python as it runs; the web client, which has a digest of its own; the auditor's verifier,
# which lies beside the package in a checkout.
NOT_SOURCE = ("__pycache__", "web_dist", "verifier_dist")
# The page names the digest of the bundle that it is part of. So the digest is taken over the page
# as it was built, with nothing between these quotes.
PLACE = b'<meta name="luciole-bundle" content=""'
PAGE = "index.html"


class Release(msgspec.Struct, frozen=True):
    """A version by its digests, in hex; `web_sha256` is empty where no client is built."""

    version: str
    server_sha256: str
    web_sha256: str


def digest(files: Mapping[str, str]) -> str:
    """One digest over SHA-256 by path, in hex; empty for no files."""
    if not files:
        return ""
    # By bytes, as `LC_ALL=C sort` does.
    lines = sorted(files.items(), key=lambda one: one[0].encode())
    return hashlib.sha256("".join(f"{sha}  {path}\n" for path, sha in lines).encode()).hexdigest()


def server_files(place: Path = HERE) -> dict[str, str]:
    """SHA-256 of every file of the package, by path below it."""
    return {
        path.relative_to(place).as_posix(): _sha256(path)
        for path in place.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and path.relative_to(place).parts[0] not in NOT_SOURCE
        and "__pycache__" not in path.parts
    }


def web_files(dist: Path) -> dict[str, str]:
    """SHA-256 of every file of the built client, by the path under which it is served."""
    if not dist.is_dir():
        return {}
    return {
        path.relative_to(dist).as_posix(): _sha256(path)
        for path in dist.rglob("*")
        if path.is_file()
    }


@functools.cache
def current(dist: Path) -> Release:
    """This process's release: read once, since files may be exchanged below a running process."""
    return Release(__version__, digest(server_files()), digest(web_files(dist)))


def named(page: bytes, web_sha256: str) -> bytes:
    """The page of the client with the digest of its bundle in it."""
    return page.replace(PLACE, PLACE[:-1] + b"sha256-" + web_sha256.encode() + b'"', 1)


def unnamed(page: bytes) -> bytes:
    """The page as it was built, from one that was served: what an auditor hashes."""
    before, found, after = page.partition(PLACE[:-1])
    return page if not found else before + found + b'"' + after.partition(b'"')[2]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
