"""The cell's signature over the manifest of an export: a signed note (C2SP signed-note 1.0).

    luciole-export-1
    <SHA-256 of manifest.json, hex>
    <its size in bytes>

    — luciole/<cell id>/export <base64>

The key is in the manifest too. Whoever has it from there only learns that the file is as the
holder of that key made it; who that is, they have to know from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from luciole.ask.client import Custody
from luciole.custody.model import PublicKey
from luciole.ledger.note import KeyKind, VerifierKey, to_base64

FORMAT = "luciole-export-1"
PURPOSE = "export"


def text_of(sha256: str, size_bytes: int) -> str:
    """What is signed."""
    return f"{FORMAT}\n{sha256}\n{size_bytes}\n"


def key_of(cell_id: UUID, public: bytes) -> VerifierKey:
    """The key under the name that it has in notes."""
    return VerifierKey(f"luciole/{cell_id}/{PURPOSE}", KeyKind.ED25519, public)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs manifests of this cell."""

    custody: Custody
    cell_id: UUID
    key: VerifierKey

    @classmethod
    async def of(cls, custody: Custody) -> Signer:
        made: PublicKey = await custody.public_key(PURPOSE)
        return cls(custody, made.cell_id, key_of(made.cell_id, made.key))

    async def sign(self, text: str) -> str:
        """The whole note."""
        signature = await self.custody.sign(PURPOSE, text.encode())
        return f"{text}\n— {self.key.name} {to_base64(self.key.id + signature)}\n"
