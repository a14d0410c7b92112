"""The Ray cluster: begun on this machine's loopback, or joined, and the actors in it.

The only module that imports Ray, and only where a setting asks for it. Ray ends a process that has
lost its cluster for a minute, so it is kept out of the processes that answer people.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from luciole.actors.replica import Replica
from luciole.kit.errors import Unavailable
from luciole.kit.logs import log

OBJECT_STORE_BYTES = 256 * 1024 * 1024
# What Ray appends for its sockets; a socket's address may have 107 bytes.
LONGEST_FOLDER_BYTES = 107 - len("/session_2026-11-26_17-32-34_740774_4194304/sockets/plasma_store")
ALIVE_WITHIN_S = 10.0
REACHED_WITHIN_S = 5.0


class RayMissing(Unavailable):
    code = "ray-missing"
    sentence = "LUCIOLE_FEED_RANKING asks for Ray, and Ray is not installed."
    next_step = "Install it (pip install 'luciole[ray]'), or leave LUCIOLE_FEED_RANKING empty."


class ClusterAway(Unavailable):
    code = "ray-away"
    sentence = "The Ray cluster of LUCIOLE_FEED_RANKING cannot be joined from this machine."
    next_step = (
        "Look whether it runs there (ray status), start a node of it here (ray start --address=…), "
        "and give this process its RAY_AUTH_TOKEN_PATH."
    )


def check() -> None:
    """Raises RayMissing."""
    if importlib.util.find_spec("ray") is None:
        raise RayMissing


class Actors:
    """Replicas in actors. They live as long as this object's process. `folder` is that of a
    cluster of our own."""

    def __init__(self, ray: Any, handles: list[Any], folder: Path | None) -> None:
        self._ray, self._handles, self._folder = ray, handles, folder

    async def answer(
        self, replica: int, question: str, body: bytes, within_s: float
    ) -> bytes | None:
        """The answer of a replica; None where there is none in time."""
        try:
            async with asyncio.timeout(within_s):
                return bytes(await self._handles[replica].answer.remote(question, body))
        except (TimeoutError, IndexError, self._ray.exceptions.RayError) as error:
            log.warning("ranking replica gave no answer", error=type(error).__name__)
            return None

    def close(self) -> None:
        """Ends the actors, and the cluster where it is our own."""
        self._ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def is_alive(self) -> bool:
        """Whether the head of the cluster answers."""
        try:
            async with asyncio.timeout(ALIVE_WITHIN_S):
                return bool(await asyncio.to_thread(self._ray.nodes))
        except (TimeoutError, ConnectionError, self._ray.exceptions.RayError):
            return False


def begin(ranking: str, folder: Path, replicas: int, replica_bytes: int) -> Actors:
    """Actors in a cluster of our own (`ranking` is "ray") or in a running one (ray:HOST:PORT). Must
    be called in the main thread, so that an end by SIGTERM takes the cluster along. Raises
    RayMissing and ClusterAway."""
    check()
    address = ranking.partition(":")[2]
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
    words: dict[str, Any] = {"address": address}
    own = None
    if address:
        _reach(address)
    else:
        own = _cleared(folder)
        words = _own(own, replicas, replica_bytes)
    import ray

    try:
        ray.init(
            namespace=f"luciole-{secrets.token_hex(8)}",
            log_to_driver=False,
            logging_level="warning",
            **words,
        )
    except (ConnectionError, RuntimeError) as error:
        raise ClusterAway from error
    remote = ray.remote(Replica)
    limits = {"num_cpus": 1, "memory": replica_bytes, "max_restarts": -1, "max_task_retries": 0}
    return Actors(ray, [remote.options(**limits).remote() for _ in range(replicas)], own)


def _reach(address: str) -> None:
    """Raises ClusterAway where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), REACHED_WITHIN_S).close()
    except OSError as error:
        raise ClusterAway from error


def _own(folder: Path, replicas: int, replica_bytes: int) -> dict[str, Any]:
    """A cluster of this machine alone: on loopback, with a token, without pages of its own."""
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        # Off, all of its processes listen on 127.0.0.1 only.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    return {
        "address": "local",
        "include_dashboard": False,
        "num_cpus": replicas,
        "num_gpus": 0,
        "_memory": replicas * replica_bytes,
        "object_store_memory": OBJECT_STORE_BYTES,
        "_temp_dir": str(folder),
    }


def _cleared(folder: Path) -> Path:
    """An empty folder for Ray's files, elsewhere if the path is too long for its sockets."""
    shutil.rmtree(folder, ignore_errors=True)
    if len(os.fsencode(folder)) > LONGEST_FOLDER_BYTES:
        # Ray opens its folder to everybody; the one around it stays ours.
        folder = Path(tempfile.mkdtemp(prefix="luciole-")) / folder.name
    folder.mkdir(mode=0o700, parents=True)
    return folder
