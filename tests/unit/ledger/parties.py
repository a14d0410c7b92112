"""A log, its witnesses and a policy, for tests."""

from __future__ import annotations

from luciole.ledger.note import Checkpoint, KeyKind, Signer
from luciole.ledger.policy import Policy

ORIGIN = "luciole/c/access"
LOG = Signer(ORIGIN, KeyKind.ED25519, b"l" * 32)
OTHER_LOG = Signer("luciole/c/border", KeyKind.ED25519, b"b" * 32)
WITNESSES = [
    Signer(f"w{n}.example", kind, bytes([n]) * 32)
    for n, kind in enumerate((KeyKind.COSIGNATURE, KeyKind.SUBTREE, KeyKind.SUBTREE), 1)
]
LINES = [
    "# who is trusted",
    f"log {LOG.verifier} https://cell.example/ledger/access",
    f"\tlog\t{OTHER_LOG.verifier} ",
    "",
    *(f"witness W{n} {each.verifier}" for n, each in enumerate(WITNESSES, 1)),
    "group two 2 W1 W2 W3",
    "quorum two",
]


def policy(*lines: str) -> Policy:
    return Policy.parse("".join(f"{line}\n" for line in lines or LINES).encode())


def signed(head: Checkpoint, witnesses: int = 2, log: Signer = LOG) -> str:
    """The checkpoint, signed by the log and by the first witnesses, one second apart."""
    text = str(head)
    cosigned = [each.line(text, 1000 + n) for n, each in enumerate(WITNESSES[:witnesses], 1)]
    return log.sign(text) + "".join(cosigned)
