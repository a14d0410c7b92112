"""What keeps work on a film from going on that is no fault of the film."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from luciole.cell.media.encode import NO_ROOM, EncodingFailed
from luciole.kit.blobs import AWAY, Missing, is_full

Cause = Literal["disk", "store"]

# The source, what is made of it, and once more while its head is brought to the front.
TIMES_ITS_SIZE = 3
LEAST_FREE_BYTES = 64 * 1024 * 1024


class Held(Exception):
    """Work cannot go on before somebody mends something."""

    def __init__(self, cause: Cause) -> None:
        self.cause: Cause = cause
        super().__init__(cause)


def require_room(folder: Path, source_bytes: int) -> None:
    """Raises Held where a film of that size could not be made in the folder."""
    wanted = source_bytes * TIMES_ITS_SIZE + LEAST_FREE_BYTES
    if shutil.disk_usage(folder).free < wanted:
        raise Held("disk")


@contextlib.contextmanager
def holding() -> Iterator[None]:
    """Raises Held where what happens inside failed for want of room, or of an object store."""
    try:
        yield
    except (Missing, Held):
        raise
    except EncodingFailed as error:
        if NO_ROOM in str(error):
            raise Held("disk") from error
        raise
    except OSError as error:
        if is_full(error):
            raise Held("disk") from error
        raise


@contextlib.contextmanager
def storing() -> Iterator[None]:
    """The same around the use of the object store, where every failure is the store's."""
    try:
        yield
    except Missing:
        raise
    except AWAY as error:
        raise Held("disk" if is_full(error) else "store") from error
