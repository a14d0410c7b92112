"""Argon2id in a small pool of its own, so that sign-ins cannot starve everything else."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import Type

from luciole.cell.people.refusals import Busy

T = TypeVar("T")

THREADS = 2
RETRY_AFTER_S = 2
# OWASP's password storage cheat sheet gives 46 MiB and one pass for Argon2id as a minimum. Two
# passes take about 60 ms of one core here; the pool then needs 92 MiB at most.
MEMORY_KIB = 47_104
PASSES = 2


class Passwords:
    """Makes and checks password hashes. At most `queue_length` callers wait for the two threads;
    the next one is told that the cell is busy (Busy), and nothing was started."""

    def __init__(
        self, queue_length: int, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._room = queue_length + THREADS
        self._inside = 0
        # Checked where there is no hash, so that an unknown handle takes as long as a known one.
        # Random bytes in the form of a hash: no password makes it.
        salt, digest = (_unpadded(secrets.token_bytes(size)) for size in (16, 32))
        self._nobody = f"$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${digest}"

    async def hash(self, password: str) -> str:
        """A salted hash in the PHC text form. Raises Busy."""
        return await self._do(lambda: self._hasher.hash(_bytes(password)))

    async def check(self, hashed: str | None, password: str) -> bool:
        """Whether the password made this hash; takes the same time, and says no, for None.
        Raises Busy."""

        def check() -> bool:
            try:
                self._hasher.verify(hashed or self._nobody, _bytes(password))
            except (VerifyMismatchError, VerificationError, InvalidHashError):
                return False
            return hashed is not None

        return await self._do(check)

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    async def _do(self, work: Callable[[], T]) -> T:
        # Counted here and not in the pool: its queue has no bound.
        if self._inside >= self._room:
            raise Busy(retry_after_s=RETRY_AFTER_S)
        self._inside += 1
        future = self._pool.submit(work)
        # A caller who goes away does not free the thread: the work leaves when it is done, or
        # at once where it had not begun.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._leave(loop))
        return await asyncio.wrap_future(future)

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        def leave() -> None:
            self._inside -= 1

        if not loop.is_closed():
            loop.call_soon_threadsafe(leave)


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(password: str) -> bytes:
    # A lone surrogate from a client is part of its password, not a reason to fail.
    return password.encode("utf-8", "surrogatepass")
