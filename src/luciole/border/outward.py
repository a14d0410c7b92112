"""What the processes of a cell may ask of the gateway's outward door, as it goes over sockets.

Pure shapes: the asking side is `luciole.ask.gateway`, the answering one `luciole.border.door`.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

Verdict = Literal["GREEN", "RED", "CANNOT TELL"]
# Who asks; each has a socket of its own, `run/gateway/<asker>.sock`.
Asker = Literal["api", "worker", "custody", "copies", "ledger", "witness", "operator"]


class PeerInfo(msgspec.Struct, frozen=True):
    """A cell that this one exchanges with. `log_keys` and `witness_keys` are verifier keys
    (vkeys); `verdict` is what our witness says of its logs."""

    name: str
    cell_id: UUID
    origin: str
    operator: str
    jurisdiction: str
    display_name: str = ""
    log_keys: tuple[str, ...] = ()
    witness_keys: tuple[str, ...] = ()
    verdict: Verdict = "CANNOT TELL"
    verdict_code: str = ""


class Asking(msgspec.Struct, tag_field="ask", frozen=True):
    """One question to the gateway."""


class Peers(Asking, tag="peers", frozen=True):
    """Which cells this one exchanges with: a list of PeerInfo."""


class Exchange(Asking, tag="exchange", frozen=True):
    """One immediate exchange of a kind with a peer: an Answered."""

    peer: str
    kind: str
    body: bytes
    timeout_s: float


class Fetch(Asking, tag="fetch", frozen=True):
    """A public file of a peer, by its path below the origin: an Answered."""

    peer: str
    path: str
    most: int


class Media(Asking, tag="media", frozen=True):
    """The bytes of a public file of a clip, fetched once for the cell and kept in a folder under
    its SHA-256 (hex), which was checked: an Answered with that name."""

    peer: str
    path: str
    sha256: str
    size_bytes: int


class Witnessing(Asking, tag="witnessing", frozen=True):
    """A request to a witness outside, whose URL the cell's file of witnesses names: an Answered."""

    url: str
    method: Literal["GET", "POST"]
    path: str
    body: bytes


class Look(Asking, tag="look", frozen=True):
    """The passport at a stranger's origin, before a peering: an Answered."""

    origin: str


class Tell(Asking, tag="tell", frozen=True):
    """What the cell's witness says of a peer's logs."""

    peer: str
    verdict: Verdict
    code: str


class SendCode(Asking, tag="send-code", frozen=True):
    """A code (`wire.Code` as JSON) for the operator's sender of mail and text messages: an
    Answered."""

    body: bytes


class SendNotice(Asking, tag="send-notice", frozen=True):
    """A mail to who sent a notice (`wire.NoticeMail` as JSON), for the operator's mail server: an
    Answered."""

    body: bytes


Asked = Peers | Exchange | Fetch | Media | Witnessing | Look | Tell | SendCode | SendNotice


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """What the other side said: an HTTP status, its body, and for refusals their stable code.
    Status 0: it did not answer."""

    status: int
    body: bytes
    code: str = ""
