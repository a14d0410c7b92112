"""A witness and one cell: learns its logs, and cosigns what it shows.

The keys of the logs come from the cell's policy the first time and are kept; a cell that shows
others later is another cell. Where a log was handed over to another operator, its policy names the
keys in their order, and the mirror finds the handovers in the log itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from luciole.kit import durable
from luciole.kit.blobs import Missing
from luciole.ledger.archive import PENDING, Tiles
from luciole.ledger.merkle import Refused
from luciole.ledger.note import VerifierKey
from luciole.ledger.policy import Policy
from luciole.witness.cosigner import Witness
from luciole.witness.mirror import Refusal

LOGS = ("access", "decisions", "border")
# A head that stays the newest is cosigned anew this often, lest it count as stale.
RENEW_S = 6 * 3600

# Finds what a cell shows, by its path below /ledger/. Raises Missing.
Get = Callable[[str], Awaitable[bytes]]
# Hands a cell its signed head with our cosignatures.
Post = Callable[[str, bytes], Awaitable[None]]


class Follower:
    """Keeps a witness at one cell."""

    def __init__(self, witness: Witness, get: Get) -> None:
        self._witness, self._get = witness, get
        self._cosigned: dict[str, tuple[bytes, float]] = {}
        self.keys: dict[str, VerifierKey] = {}

    async def learn(self) -> None:
        """Finds the logs of the cell. Raises Refusal where they are not those of the first time,
        Missing."""
        try:
            policy = Policy.parse(await self._get("policy"))
        except Refused as error:
            raise Refusal(503, "no-policy", f"The cell shows no policy: {error}") from error
        first: dict[str, VerifierKey] = {}
        for party in policy.logs:
            log = party.key.name.rpartition("/")[2]
            # Of several keys of one log, the first is the one with which it began.
            if log in LOGS and log not in first:
                first[log] = party.key
        for log, key in first.items():
            self._follow(log, key)

    def follow(self, keys: Sequence[VerifierKey]) -> None:
        """Follows logs whose keys were compared by people. Raises Refusal where they are not those
        of the first time."""
        for key in keys:
            self._follow(key.name.rpartition("/")[2], key)

    def _follow(self, log: str, key: VerifierKey) -> None:
        known = self._witness.home / f"{log}.key"
        if not known.exists():
            durable.replace(known, f"{key}\n".encode())
        if known.read_text(encoding="utf-8").strip() != str(key):
            raise Refusal(
                403,
                "other-key",
                f"OTHER KEY: the cell shows another key for {key.name} than the first time. It is "
                "another cell, or its keys were replaced; a witness for it needs a new folder.",
            )

        async def get(path: str) -> bytes:
            return await self._get(f"{log}/{path}")

        self.keys[log] = key
        self._witness.follow(key, Tiles(get), has_seals=log == "access")

    async def cosign(self, log: str, post: Post) -> int:
        """Looks at a log once and hands over our cosignatures if there is something new, or our
        last ones grow old; the size of its head. Raises Refusal, Missing, and what the cell's
        server makes of it."""
        head = await self._get(f"{log}/{PENDING}")
        last, at = self._cosigned.get(log, (b"", 0.0))
        now = self._witness.time()
        if last != head or now - at > RENEW_S:
            lines = await self._witness.see(head)
            text = head.partition(b"\n\n")[0] + b"\n\n"
            await post(log, text + lines.encode())
            self._cosigned[log] = head, now
        return int(head.split(b"\n", 2)[1])

    async def add_checkpoint(self, body: bytes) -> str:
        """As `Witness.add_checkpoint`, for a cell that may have begun after us."""
        try:
            return await self._witness.add_checkpoint(body)
        except Refusal as refusal:
            if refusal.code != "unknown-log" or self.keys:
                raise
        try:
            await self.learn()
        except Missing:
            raise Refusal(503, "no-policy", "The cell shows no policy yet.") from None
        return await self._witness.add_checkpoint(body)
