"""Who a witness is: its name, and its two keys in a file that only it can read."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from luciole.kit import durable
from luciole.kit.errors import Unavailable
from luciole.ledger.merkle import Refused
from luciole.ledger.note import KeyKind, Signer

SEED_BYTES = 32


class KeysUnusable(Unavailable):
    """The file is damaged, or its name cannot be one."""

    code = "witness-keys"
    sentence = "The keys of this witness cannot be used."
    next_step = "Restore its folder from a backup, or begin again with another folder and name."


class _Keys(msgspec.Struct, frozen=True):
    name: str
    ed25519: bytes
    ml_dsa_44: bytes


def of(home: Path, name: str = "") -> list[Signer]:
    """The signers of the witness in a folder: Ed25519, then ML-DSA-44. Made at the first start,
    under `name` or one made up. Raises KeysUnusable, also for another name than the first."""
    path = home / "keys.json"
    try:
        if not path.exists():
            made = _Keys(
                name or f"luciole-witness/{os.urandom(4).hex()}",
                os.urandom(SEED_BYTES),
                os.urandom(SEED_BYTES),
            )
            _signers(made)
            # The witness and the log look here at the same moment of a first start: whoever is
            # faster wins, and both read what stands there.
            with contextlib.suppress(durable.Differs):
                durable.create([(path, msgspec.json.encode(made))])
                durable.flush([home])
        keys = msgspec.json.decode(path.read_bytes(), type=_Keys)
        if name not in ("", keys.name):
            raise KeysUnusable(f"The witness in this folder is {keys.name}, not {name}.")
        return _signers(keys)
    except (OSError, Refused, ValueError, msgspec.MsgspecError) as error:
        raise KeysUnusable(f"The keys of this witness cannot be used: {error}") from error


def _signers(keys: _Keys) -> list[Signer]:
    return [
        Signer(keys.name, KeyKind.COSIGNATURE, keys.ed25519),
        Signer(keys.name, KeyKind.SUBTREE, keys.ml_dsa_44),
    ]


def policy_lines(signers: list[Signer], name: str, url: str = "") -> list[str]:
    """The lines that name a witness in a policy, one for each key, the first for Ed25519."""
    return [
        f"witness {name}{suffix} {signer.verifier} {url}".rstrip()
        for signer, suffix in zip(signers, ("", "-pq"), strict=True)
    ]
