"""Whether the content credentials that a film brought are sound, and who signed them.

A film is never refused for its credentials: what cannot be checked is stated as that.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Annotated

import msgspec

from luciole.cell.media import fence
from luciole.cell.media.fence import Limits
from luciole.cell.media.launchers import Warm
from luciole.cell.media.model import Credentials

CHILD = Path(__file__).with_name("credentials_check_child.py")
# A film of 300 MiB is hashed in a second or two.
LIMITS = Limits(wall_s=30, cpu_s=20, memory_bytes=1536 * fence.MIB, file_bytes=0)
MOST_ANCHORS_BYTES = 4 * fence.MIB
NOT_CHECKED = Credentials("invalid", "general.error", None)


class Checked(msgspec.Struct, frozen=True):
    """What the child says. Read strictly: it has been in touch with the file."""

    state: Annotated[str, msgspec.Meta(pattern="^(trusted|valid|invalid)$")]
    code: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,80}$")]
    signer: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] | None


async def check(source: Path, work_dir: Path, anchors: Path | None) -> Credentials:
    """How sound the credentials in `source` are, by the operator's list of anchors (PEM) where
    there is one. Raises FenceBroke."""
    lists = [anchors] if anchors is not None else []
    outcome = await fence.run(
        [str(source), *map(str, lists)],
        reads=[source, *lists],
        writes=[work_dir],
        limits=LIMITS,
        warm=_warm(),
    )
    if outcome.code != 0 or outcome.killed_by is not None:
        return NOT_CHECKED
    try:
        said = msgspec.json.decode(outcome.stdout, type=Checked)
    except msgspec.DecodeError:
        return NOT_CHECKED
    signer = said.signer if said.signer and said.signer.isprintable() else None
    return Credentials(said.state, said.code, signer)  # type: ignore[arg-type]


@functools.cache
def _warm() -> Warm:
    """The launcher with `c2pa`, which is found without importing it into this process."""
    spec = importlib.util.find_spec("c2pa")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("c2pa")
    return Warm(CHILD, Path(next(iter(spec.submodule_search_locations))).parent)
