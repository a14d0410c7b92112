"""Cases about receipts. Most come with a journal in place of a ledger, as a person has them."""

from __future__ import annotations

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import Signer
from tests.vectors.world import DAY, NOW, OAK, SEEN, World, origin


def kept(world: World, index: int = 0, size: int | None = 8) -> None:
    """Ana's receipt of an entry, from the second day, beside her journal of today."""
    world.journal("ana")
    world.receipt("access", index, size)


def text(world: World) -> str:
    return world.files["receipt.tlog-proof"].decode()


def put(world: World, old: str, new: str) -> None:
    assert old in text(world)
    world.files["receipt.tlog-proof"] = text(world).replace(old, new, 1).encode()


@case("receipt-good", GREEN, about="A receipt of the enrolment, kept since the second day.")
def _(world: World) -> None:
    kept(world)


@case("receipt-only-entry", GREEN, about="A receipt from a log of one entry: it has no path.")
def _(world: World) -> None:
    kept(world, 0, 1)


@case("receipt-with-extra", GREEN, about="Extra data is nobody's word; it is passed over.")
def _(world: World) -> None:
    world.journal("ana")
    world.receipt("access", 2, 8, extra="extra AAAA\n")


@case("receipt-old", GREEN, about="Witnesses saw it months ago; a receipt need not be fresh.")
def _(world: World) -> None:
    world.journal("ana")
    world.witnesses = [(one, SEEN - 100 * DAY) for one, _ in world.witnesses]
    world.receipt("access", 2, 8)


@case("receipt-with-ledger", GREEN, about="A receipt of the border, held against the whole ledger.")
def _(world: World) -> None:
    world.ledger()
    world.receipt("border", 1, 2)


@case("receipt-without-entry", UNSURE, "receipt.no-entry", about="The entry itself is not here.")
def _(world: World) -> None:
    world.receipt("access", 2, 8)


@case("receipt-of-border-alone", UNSURE, "receipt.no-entry", about="A journal does not hold it.")
def _(world: World) -> None:
    world.journal("ana")
    world.receipt("border", 1)


@case("receipt-of-border-same-place", UNSURE, "receipt.no-entry", about="A place that both have.")
def _(world: World) -> None:
    world.journal("ana")
    world.receipt("border", 0)


@case(
    "receipt-of-another-entry", RED, "receipt.inclusion", about="Its path is that of another entry."
)
def _(world: World) -> None:
    kept(world, 3)
    put(world, "index 3\n", "index 2\n")


@case("receipt-path-too-short", RED, "receipt.inclusion", about="A hash of the path is missing.")
def _(world: World) -> None:
    kept(world)
    lines = text(world).split("\n")
    world.files["receipt.tlog-proof"] = "\n".join([*lines[:2], *lines[3:]]).encode()


@case("receipt-path-too-long", RED, "receipt.inclusion", about="The path has a hash more.")
def _(world: World) -> None:
    kept(world)
    lines = text(world).split("\n")
    world.files["receipt.tlog-proof"] = "\n".join([*lines[:3], *lines[2:]]).encode()


@case("receipt-beyond-tree", RED, "receipt.inclusion", about="Its index is not in its tree.")
def _(world: World) -> None:
    kept(world, 2, 8)
    mine = max(world.entries["access"].index(leaf) for leaf, _, _ in world.someone("ana").entries)
    put(world, "index 2\n", f"index {mine}\n")


@case("receipt-not-yours", RED, "receipt.not-yours", about="A receipt of somebody else's entry.")
def _(world: World) -> None:
    kept(world, 1)


BAD_PROOFS = {
    "version": ("tlog-proof@v1", "tlog-proof@v2"),
    "no-index": ("index 0\n", ""),
    "index-zeroes": ("index 0\n", "index 00\n"),
    "other-word": ("index 0\n", "place 0\n"),
    "short-hash": ("index 0\n", "index 0\nAAAA\n"),
    "bad-extra": ("index 0\n", "extra\nindex 0\n"),
}
for name, (old, new) in BAD_PROOFS.items():

    @case(f"receipt-{name}", RED, "receipt.format", about=f"A malformed receipt: {name}.")
    def _(world: World, old: str = old, new: str = new) -> None:
        kept(world)
        put(world, old, new)


@case("receipt-empty", RED, "receipt.format", about="The receipt is an empty file.")
def _(world: World) -> None:
    kept(world)
    world.files["receipt.tlog-proof"] = b""


@case("receipt-no-checkpoint", RED, "checkpoint.format", about="The receipt has no checkpoint.")
def _(world: World) -> None:
    kept(world)
    world.files["receipt.tlog-proof"] = text(world).partition("\n\n")[0].encode() + b"\n\n"


@case("receipt-resigned", RED, "checkpoint.unknown-key", about="Another key signs its checkpoint.")
def _(world: World) -> None:
    world.journal("ana")
    world.signers["access"] = [Signer.named(origin("access"), 1, "a thief")]
    world.receipt("access", 0, 8)


@case("receipt-few-witnesses", RED, "witness.quorum", about="One of two witnesses saw it.")
def _(world: World) -> None:
    world.journal("ana")
    world.witnesses = [(OAK, SEEN)]
    world.receipt("access", 0, 8)


@case("receipt-from-the-future", RED, "witness.future", about="Its witnesses are a day ahead.")
def _(world: World) -> None:
    world.journal("ana")
    world.witnesses = [(one, NOW + DAY) for one, _ in world.witnesses]
    world.receipt("access", 0, 8)


@case(
    "receipt-forked", RED, "history.forked", about="The receipt's tree is not part of the ledger."
)
def _(world: World) -> None:
    world.ledger()
    entries = world.entries["access"]
    entries[2], entries[3] = entries[3], entries[2]
    world.receipt("access", 0, 8)


@case(
    "receipt-truncated", RED, "history.truncated", about="The ledger is shorter than the receipt's."
)
def _(world: World) -> None:
    world.receipt("access", 0)
    world.entries["access"] = world.entries["access"][:-1]
    world.ledger()
