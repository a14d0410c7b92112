"""The buyer's key: made by who will run the cell, before the sale, for this cell alone.

`buyer.key` holds 32 random bytes, from which follow the key to which the bundle is sealed and the
secret of the cell from then on. `buyer.pub` is a signed note that names the keys: each of the three
log keys has signed it, so nobody gives a cell away to a key that nobody has.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from luciole.keys import CellSecret, Receiver, Sealer, private, seal
from luciole.kit.errors import Conflict, Invalid
from luciole.ledger.merkle import Refused
from luciole.ledger.note import KeyKind, Note, Signer, VerifierKey, from_base64, to_base64

LOGS = ("access", "decisions", "border")
KEY_FORMAT = "luciole-buyer-key-v1"
FORMAT = "luciole-buyer-v1"
MAX_OPERATOR_CHARS = 200
_JURISDICTION = re.compile("[A-Z]{2}(-[A-Z0-9]{1,3})?")


class BadBuyer(Invalid):
    code = "sale-buyer"
    sentence = "This is not the public file of a buyer of this cell."
    next_step = "Ask the buyer for the file that ./luciole sale key has written for this cell."


class BuyerKeyExists(Conflict):
    code = "sale-key-exists"
    sentence = "There is a key in this place already."
    next_step = "Name another file; a key is for one sale only."


@dataclass(frozen=True)
class Buyer:
    """Who gets a cell: legal name and jurisdiction, the key to seal to, and the keys of the logs.
    `text` is the file itself."""

    cell_id: UUID
    operator: str
    jurisdiction: str
    hpke: bytes
    logs: dict[str, VerifierKey]
    text: str

    @property
    def fingerprint(self) -> str:
        """To compare over another channel: SHA-256 of the file, in groups of 4 hex digits."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:32]
        return " ".join(digest[at : at + 4] for at in range(0, 32, 4))

    @classmethod
    def parse(cls, text: str) -> Buyer:
        """Raises BadBuyer."""
        try:
            note = Note.parse(text)
            form, *lines = note.text.splitlines()
            words = dict(line.split(" ", 1) for line in lines if not line.startswith("log "))
            keys = [VerifierKey.parse(line[4:]) for line in lines if line.startswith("log ")]
            cell_id, hpke = UUID(words["cell"]), from_base64(words["hpke"])
            Sealer(hpke)
            for key in keys:
                note.verify([key])
        except (Refused, ValueError, LookupError) as error:
            raise BadBuyer from error
        names = [f"luciole/{cell_id}/{log}" for log in LOGS]
        if (
            form != FORMAT
            or [key.name for key in keys] != names
            or any(key.kind is not KeyKind.ED25519 for key in keys)
            or not 0 < len(words["operator"]) <= MAX_OPERATOR_CHARS
            or not _JURISDICTION.fullmatch(words["jurisdiction"])
        ):
            raise BadBuyer
        logs = dict(zip(LOGS, keys, strict=True))
        return cls(cell_id, words["operator"], words["jurisdiction"], hpke, logs, text)


class BuyerKey:
    """The private half."""

    def __init__(self, cell_id: UUID, seed: bytes) -> None:
        self.cell_id = cell_id
        self.receiver = Receiver(seal.derive(cell_id, seed, "luciole/buyer/v1\0hpke"))
        self._secret = seal.derive(cell_id, seed, "luciole/buyer/v1\0secret")

    def __repr__(self) -> str:
        return f"BuyerKey(cell_id={self.cell_id}, key=hidden)"

    @property
    def secret(self) -> bytes:
        """What the cell's own keys are derived from after the sale."""
        return self._secret

    def signers(self) -> dict[str, Signer]:
        """The keys of the logs after the sale."""
        secret = CellSecret(self.cell_id, self._secret)
        return {
            log: Signer(
                f"luciole/{self.cell_id}/{log}", KeyKind.ED25519, secret.derived(f"ledger/{log}")
            )
            for log in LOGS
        }

    def public(self, operator: str, jurisdiction: str) -> Buyer:
        """The public file. Raises BadBuyer for names that cannot be in it."""
        signers = self.signers()
        words = [
            FORMAT,
            f"cell {self.cell_id}",
            f"operator {operator}",
            f"jurisdiction {jurisdiction}",
            f"hpke {to_base64(self.receiver.public)}",
            *(f"log {signer.verifier}" for signer in signers.values()),
        ]
        text = "".join(f"{line}\n" for line in words)
        return Buyer.parse(f"{text}\n" + "".join(one.line(text) for one in signers.values()))

    @classmethod
    def make(cls, path: Path, cell_id: UUID) -> BuyerKey:
        """A new key in a new file that only its owner may read. Raises BuyerKeyExists."""
        if path.exists():
            raise BuyerKeyExists
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"{KEY_FORMAT} {cell_id} {base64.b64encode(seal.new_key()).decode()}\n"
        private.write(path, text.encode())
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> BuyerKey:
        """Raises FileNotFoundError, KeyFileRefused, BadBuyer."""
        with contextlib.suppress(ValueError):
            kind, cell_id, seed = private.read(path, "buyer's key").decode().split()
            if kind == KEY_FORMAT:
                return cls(UUID(cell_id), base64.b64decode(seed, validate=True))
        raise BadBuyer(
            "This file is no key of a buyer.",
            next_step="Name the .key file that ./luciole sale key has written.",
        )
