"""Where a server listens: a socket in a folder that only its owner may enter, else a port of
loopback. The choice is noted below `home`, so that other commands find the server."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

# The number is part of the socket's name only.
SOCKET_PORT = 5432
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing zero.
SOCKET_PATH_BYTES = 103


class Place:
    """The place of the server in `home`; `socket_dir` or `tcp_port` once it is chosen."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._note = home / "address"
        self.socket_dir: Path | None = None
        self.tcp_port: int | None = None

    def choose(self, uid: int) -> None:
        """Finds a place to listen for a server of the user `uid`. Within one process it stays,
        because clients know it."""
        if self.tcp_port is not None or (self.socket_dir is not None and self.socket_dir.is_dir()):
            return
        self.forget()
        folder = self._make_socket_dir(uid)
        if folder is not None:
            self.socket_dir = folder
            text = "own" if folder.parent == self._home else f"socket {folder}"
        else:
            self.tcp_port = _free_port()
            text = f"tcp {self.tcp_port}"
        new = self._note.with_name("address.new")
        new.write_text(text)
        new.replace(self._note)

    def recall(self) -> None:
        """The noted place, for another process. A copied folder brings the note of its original
        along, whose socket is none of ours: the marker in the socket's folder tells."""
        try:
            kind, _, where = self._note.read_text().partition(" ")
            if kind == "tcp":
                self.tcp_port = int(where)
            elif kind == "own":
                self.socket_dir = self._home / "socket"
            elif (Path(where) / "of").read_text() == str(self._home):
                self.socket_dir = Path(where)
        except (OSError, ValueError):
            return

    def forget(self) -> None:
        """Removes the note, and the socket's folder when it lies outside `home`."""
        self.recall()
        if self.socket_dir is not None and self.socket_dir.parent != self._home:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
        self._note.unlink(missing_ok=True)
        self.socket_dir = self.tcp_port = None

    def settings(self) -> dict[str, str]:
        """What the server has to be told of it."""
        if self.socket_dir is None:
            return {
                "listen_addresses": "127.0.0.1",
                "unix_socket_directories": "",
                "port": str(self.tcp_port),
            }
        # A list of names in quotes, in which a quote is doubled.
        folder = str(self.socket_dir).replace('"', '""')
        return {
            "listen_addresses": "",
            "unix_socket_directories": f'"{folder}"',
            "unix_socket_permissions": "0700",
            "port": str(SOCKET_PORT),
        }

    def _make_socket_dir(self, uid: int) -> Path | None:
        own = self._home / "socket"
        for parent in (self._home, *_short_places()):
            folder = own if parent == self._home else parent / "luciole-XXXXXXXX"
            name = folder / f".s.PGSQL.{SOCKET_PORT}.lock"
            if len(os.fsencode(name)) > SOCKET_PATH_BYTES:
                continue
            try:
                if parent == self._home:
                    shutil.rmtree(own, ignore_errors=True)
                    own.mkdir(mode=0o700)
                else:
                    folder = Path(tempfile.mkdtemp(prefix="luciole-", dir=parent))
                if _takes_sockets(folder):
                    (folder / "of").write_text(str(self._home))
                    if uid != os.geteuid():
                        os.chown(folder, uid, uid)
                    return folder
                shutil.rmtree(folder, ignore_errors=True)
            except OSError:
                continue
        return None


def _short_places() -> Iterator[Path]:
    for name in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108
        if name and os.path.isdir(name):
            yield Path(name)


def _takes_sockets(folder: Path) -> bool:
    """False on file systems without sockets (some shared folders of virtual machines)."""
    probe = folder / "probe"
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(os.fspath(probe))
        probe.unlink()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
