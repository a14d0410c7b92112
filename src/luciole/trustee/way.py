"""The way from the key broker to its guardian: through the gateway's outward door."""

from __future__ import annotations

from luciole.ask.gateway import Outward, PeerRefused, PeerUnreachable
from luciole.custody.model import GuardianAway, NoGuardian
from luciole.ledger.note import KeyKind, VerifierKey
from luciole.trustee.home import Peer, Refusal

KIND = "share"
ANSWERS_WITHIN_S = 4.0


class OutwardWay:
    """Implements `luciole.trustee.home.Way`."""

    def __init__(self, outward: Outward) -> None:
        self._outward = outward

    async def ask(self, name: str, body: bytes) -> bytes:
        """Raises GuardianAway, Refusal."""
        try:
            return await self._outward.ask(name, KIND, body, ANSWERS_WITHIN_S)
        except PeerUnreachable as error:
            raise GuardianAway from error
        except PeerRefused as refused:
            raise Refusal(refused.said) from refused

    async def peer(self, name: str) -> Peer:
        """Raises NoGuardian, GuardianAway."""
        try:
            peers = await self._outward.peers()
        except (PeerUnreachable, PeerRefused) as error:
            raise GuardianAway from error
        for one in peers:
            if one.name == name:
                keys = map(VerifierKey.parse, one.witness_keys)
                return Peer(
                    name, one.cell_id, [key for key in keys if key.kind is KeyKind.COSIGNATURE]
                )
        raise NoGuardian
