"""Cases about signed checkpoints and their witnesses."""

from __future__ import annotations

import base64

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import Signer, b64, mth, sha256
from tests.vectors.world import (
    DAY,
    ELM,
    MINUTE,
    NOW,
    OAK,
    OTHER_CELL,
    SEEN,
    STRANGER,
    YEW,
    World,
    log_key,
    origin,
    policy_of,
)


@case(
    "checkpoint-missing", UNSURE, "checkpoint.missing", about="The border's checkpoint is missing."
)
def _(world: World) -> None:
    world.ledger("access", "decisions")


def with_note(world: World, old: str, new: str) -> None:
    world.ledger()
    note = world.files["ledger/border/checkpoint"].decode()
    assert old in note
    world.files["ledger/border/checkpoint"] = note.replace(old, new).encode()


BAD_NOTES = {
    "no-blank-line": ("\n\n", "\n"),
    "leading-zero": ("\n3\n", "\n03\n"),
    "no-size": ("\n3\n", "\n\n"),
    "negative-size": ("\n3\n", "\n-3\n"),
    "vast-size": ("\n3\n", f"\n{'9' * 30}\n"),
    "tab": ("\n3\n", "\n3\t\n"),
    "no-dash": ("— witness.example/oak", "- witness.example/oak"),
    "root-too-short": ("=\n\n", "\n\n"),
    "signature-too-short": (
        "— witness.example/oak ",
        "— witness.example/ash AAAAAA==\n— witness.example/oak ",
    ),
    "loose-base64": (
        "— witness.example/oak ",
        "— witness.example/ash AAAAAAB=\n— witness.example/oak ",
    ),
    "name-missing": ("— witness.example/oak ", "—  "),
}
for name, (old, new) in BAD_NOTES.items():

    @case(f"checkpoint-{name}", RED, "checkpoint.format", about=f"A malformed checkpoint: {name}.")
    def _(world: World, old: str = old, new: str = new) -> None:
        with_note(world, old, new)


@case("checkpoint-not-utf-8", RED, "checkpoint.format", about="The checkpoint is no text.")
def _(world: World) -> None:
    world.ledger()
    world.files["ledger/border/checkpoint"] += b"\xff\n"


@case("checkpoint-cut-off", RED, "checkpoint.format", about="The last newline is missing.")
def _(world: World) -> None:
    world.ledger()
    world.files["ledger/border/checkpoint"] = world.files["ledger/border/checkpoint"][:-1]


@case("checkpoint-extension", RED, "checkpoint.format", about="A well-signed extension line.")
def _(world: World) -> None:
    world.ledger()
    body = f"{origin('border')}\n3\n{b64(mth(world.entries['border']))}\nmore\n"
    world.files["ledger/border/checkpoint"] = world.note("border", body=body).encode()


@case("checkpoint-of-other-log", RED, "checkpoint.origin", about="The border shows the decisions.")
def _(world: World) -> None:
    world.ledger()
    world.files["ledger/border/checkpoint"] = world.files["ledger/decisions/checkpoint"]


@case("checkpoint-of-unknown-log", RED, "checkpoint.origin", about="A log that the policy lacks.")
def _(world: World) -> None:
    world.policy = world.policy.replace(f"log {log_key('border').vkey()}\n", "")
    world.ledger()


@case("checkpoint-of-odd-origin", RED, "checkpoint.origin", about="An origin without a cell.")
def _(world: World) -> None:
    odd = Signer.named("luciole/border", 1)
    world.policy = f"log {odd.vkey()}\n{world.policy}"
    world.ledger()
    body = f"{odd.name}\n0\n{b64(sha256(b''))}\n"
    world.files["ledger/border/checkpoint"] = f"{body}\n{odd.signed(body)}".encode()


@case("two-cells", RED, "checkpoint.cell", about="The border is that of another cell.")
def _(world: World) -> None:
    world.policy = policy_of(OAK, ELM, cells=("0" * 36, OTHER_CELL, origin("").split("/")[1]))
    world.ledger()
    world.signers["border"] = [log_key("border", OTHER_CELL)]
    body = f"{origin('border', OTHER_CELL)}\n3\n{b64(mth(world.entries['border']))}\n"
    world.files["ledger/border/checkpoint"] = world.note("border", body=body).encode()


@case("resigned", RED, "checkpoint.unknown-key", about="Another key of the same name signs.")
def _(world: World) -> None:
    world.signers["access"] = [Signer.named(origin("access"), 1, "a thief")]
    world.ledger()


@case("unsigned", RED, "checkpoint.unknown-key", about="Only the witnesses sign.")
def _(world: World) -> None:
    world.signers["access"] = []
    world.ledger()


@case("bad-signature", RED, "checkpoint.signature", about="The log's signature is of another text.")
def _(world: World) -> None:
    world.ledger()
    note, other = world.note("access"), world.note("access", 5)
    line, wrong = (text.split("\n")[4] for text in (note, other))
    world.files["ledger/access/checkpoint"] = note.replace(line, wrong).encode()


@case("second-signature-bad", RED, "checkpoint.signature", about="A right and a wrong signature.")
def _(world: World) -> None:
    world.ledger()
    note, other = world.note("access"), world.note("access", 5)
    line, wrong = (text.split("\n")[4] for text in (note, other))
    world.files["ledger/access/checkpoint"] = note.replace(line, f"{line}\n{wrong}").encode()


@case("rotated-key", GREEN, about="A log has two keys in the policy, and signs with the new one.")
def _(world: World) -> None:
    new = Signer.named(origin("access"), 1, "next year")
    world.policy = f"log {new.vkey()}\n{world.policy}"
    world.signers["access"] = [new]
    world.ledger()


# Witnesses


@case("quorum-none", UNSURE, "witness.none", about="The policy wants no witness.")
def _(world: World) -> None:
    world.policy = policy_of(quorum="quorum none")
    world.ledger()


@case("quorum-local", UNSURE, "witness.none", about="The cell's own witness is enough.")
def _(world: World) -> None:
    local = Signer.named("luciole-witness/0a1b2c3d", 4)
    line = f"witness local {local.vkey()}\ngroup enough 1 oak local\nquorum enough"
    world.policy = policy_of(OAK, quorum=line)
    world.witnesses = [(OAK, SEEN), (local, SEEN)]
    world.ledger()


@case("wrong-witness", RED, "witness.quorum", about="A stranger signs in place of a witness.")
def _(world: World) -> None:
    world.witnesses[1] = (STRANGER, SEEN)
    world.ledger()


@case("same-name-other-key", RED, "witness.quorum", about="A stranger has a witness's name.")
def _(world: World) -> None:
    world.witnesses[1] = (Signer.named(ELM.name, 4, "a stranger"), SEEN)
    world.ledger()


@case("too-few-witnesses", RED, "witness.quorum", about="One of two witnesses signs, and twice.")
def _(world: World) -> None:
    world.witnesses = [(OAK, SEEN), (OAK, SEEN - 1)]
    world.ledger()


@case("group-not-met", RED, "witness.quorum", about="The second group has no signature.")
def _(world: World) -> None:
    world.policy = policy_of(
        OAK, ELM, STRANGER, quorum="group trees 2 oak elm\ngroup all all trees stranger\nquorum all"
    )
    world.ledger()


@case("witness-of-other-tree", RED, "witness.signature", about="It signed a smaller tree.")
def _(world: World) -> None:
    world.ledger()
    other = world.note("access", 5).split("\n")[5]
    note = world.note("access").split("\n")
    note[5] = other
    world.files["ledger/access/checkpoint"] = "\n".join(note).encode()


@case(
    "witness-other-time", RED, "witness.signature", about="The time beside the signature is newer."
)
def _(world: World) -> None:
    world.ledger()
    body, _, _ = world.note("access").partition("\n\n")
    signature = OAK.sign(f"cosignature/v1\ntime {SEEN - DAY}\n{body}\n".encode())
    note = world.note("access").split("\n")
    note[5] = OAK.line(SEEN.to_bytes(8, "big") + signature)[:-1]
    world.files["ledger/access/checkpoint"] = "\n".join(note).encode()


@case("ml-dsa-other-name", RED, "witness.signature", about="ML-DSA-44 signs for another name.")
def _(world: World) -> None:
    world.policy = policy_of(OAK, YEW)
    world.witnesses = [(OAK, SEEN), (YEW, SEEN)]
    world.ledger()
    note = world.note("access")
    other = Signer("witness.example/other", 6, YEW.seed)
    line = other.cosigned(f"{note.partition(chr(10) * 2)[0]}\n", SEEN)
    signature = base64.b64decode(line.split(" ")[2])[4:]
    kept = "\n".join(note.split("\n")[:-2])
    world.files["ledger/access/checkpoint"] = f"{kept}\n{YEW.line(signature)}".encode()


@case("witness-future", RED, "witness.future", about="A witness signs ten minutes ahead.")
def _(world: World) -> None:
    world.witnesses[0] = (OAK, NOW + 10 * MINUTE)
    world.ledger()


@case("witness-far-future", RED, "witness.future", about="A witness's time has no date.")
def _(world: World) -> None:
    world.witnesses[0] = (OAK, 2**64 - 1)
    world.ledger()


@case("witness-without-time", RED, "witness.signature", about="A witness's time is 0.")
def _(world: World) -> None:
    world.policy = policy_of(OAK, YEW)
    world.witnesses = [(OAK, SEEN), (YEW, 0)]
    world.ledger()


@case("witness-clock-ahead", GREEN, about="A witness's clock goes two minutes fast.")
def _(world: World) -> None:
    world.witnesses[0] = (OAK, NOW + 2 * MINUTE)
    world.ledger()


@case(
    "witness-stale",
    UNSURE,
    "witness.stale",
    about="An old copy, or a cell that stands still.",
    now=NOW + 2 * DAY,
)
def _(world: World) -> None:
    world.ledger()


@case("witness-half-stale", UNSURE, "witness.stale", about="One of two signatures is old.")
def _(world: World) -> None:
    world.witnesses = [(OAK, SEEN), (ELM, SEEN - 2 * DAY), (OAK, SEEN - 3 * DAY)]
    world.ledger()
