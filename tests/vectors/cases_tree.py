"""Cases about whole ledgers: good ones, trees that do not fit, histories that contradict."""

from __future__ import annotations

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import Signer, b64, sha256, tile_files
from tests.vectors.world import (
    DAY,
    ELM,
    HOUR,
    LOGS,
    MINUTE,
    NOW,
    OAK,
    SEEN,
    STRANGER,
    YEW,
    World,
    many,
    origin,
    policy_of,
)

# Good ones: who refuses these is wrong as well.


@case("good", GREEN, about="A cell that keeps every promise.")
def _(world: World) -> None:
    world.ledger()


@case(
    "good-many", GREEN, about="300 entries: a full bundle, a partial one, and tiles of two levels."
)
def _(world: World) -> None:
    many(world)
    world.ledger()


@case("good-two-tiles", GREEN, about="520 entries: two full tiles below one of level 1.")
def _(world: World) -> None:
    many(world, 520)
    world.ledger()


@case("good-grown", GREEN, about="The partial tiles are gone, because the full ones are there.")
def _(world: World) -> None:
    many(world)
    whole = tile_files(world.entries["access"])
    world.entries["access"] = world.entries["access"][:200]
    world.ledger()
    for level in ("0", "entries"):
        del world.files[f"ledger/access/tile/{level}/000.p/200"]
        world.files[f"ledger/access/tile/{level}/000"] = whole[f"tile/{level}/000"]


@case("good-remembered", GREEN, about="The checkpoint that was seen two days ago is still a part.")
def _(world: World) -> None:
    world.ledger()
    world.files["remember"] = (world.note("access", 7) + world.note("decisions", 2)).encode()


@case("good-ml-dsa", GREEN, about="One of two witnesses signs with ML-DSA-44.")
def _(world: World) -> None:
    world.witnesses = [(OAK, SEEN), (YEW, SEEN)]
    world.policy = policy_of(OAK, YEW)
    world.ledger()


@case("good-groups", GREEN, about="Groups of groups; a third witness is missing and not needed.")
def _(world: World) -> None:
    world.policy = policy_of(
        OAK,
        ELM,
        STRANGER,
        quorum="group some 1 elm stranger\n\t group  most all oak some \n# so\nquorum most",
    )
    world.ledger()


@case("good-strangers", GREEN, about="A signature by an unknown key is ignored.")
def _(world: World) -> None:
    world.witnesses.append((STRANGER, NOW + DAY))
    world.ledger()


@case(
    "good-tomorrow",
    GREEN,
    about="At 00:45 the statement of the day that ended is not due yet.",
    now=NOW + 12 * HOUR + 45 * MINUTE,
)
def _(world: World) -> None:
    world.witnesses = [(OAK, NOW + 12 * HOUR + 40 * MINUTE), (ELM, NOW + 12 * HOUR + 40 * MINUTE)]
    world.ledger()


# Trees


@case("empty", UNSURE, "statement.none", about="Three logs without an entry.")
def _(world: World) -> None:
    world.entries = {log: [] for log in LOGS}
    world.ledger()


@case("empty-wrong-root", RED, "tree.root", about="The root of nothing is not that of nothing.")
def _(world: World) -> None:
    world.ledger()
    body = f"{origin('border')}\n0\n{b64(bytes(32))}\n"
    world.files["ledger/border/checkpoint"] = world.note("border", body=body).encode()


BUNDLE = "ledger/access/tile/entries/000.p/18"
TILE = "ledger/access/tile/0/000.p/18"


@case("truncated-bundle", RED, "tree.bundle", about="The bundle ends before its last entry.")
def _(world: World) -> None:
    world.ledger()
    world.files[BUNDLE] = world.files[BUNDLE][:-73]


@case("torn-bundle", RED, "tree.bundle", about="The bundle ends within its last entry.")
def _(world: World) -> None:
    world.ledger()
    world.files[BUNDLE] = world.files[BUNDLE][:-1]


@case("garbage-bundle", RED, "tree.bundle", about="The bundle is noise.")
def _(world: World) -> None:
    world.ledger()
    world.files[BUNDLE] = b"".join(sha256(bytes([i])) for i in range(40))


@case("long-bundle", RED, "tree.bundle", about="The bundle has an entry more.")
def _(world: World) -> None:
    world.ledger()
    world.files[BUNDLE] += world.files[BUNDLE][-73:]


@case("reordered", RED, "tree.root", about="Two entries have changed places, in bundle and tile.")
def _(world: World) -> None:
    world.ledger()
    swap(world)


def swap(world: World) -> None:
    entries = world.entries["access"]
    entries[2], entries[3] = entries[3], entries[2]
    for name, data in tile_files(entries).items():
        world.files[f"ledger/access/{name}"] = data


@case("changed-entry", RED, "tree.root", about="A staff read has become the person's own.")
def _(world: World) -> None:
    world.ledger()
    entry = world.entries["access"][4]
    world.files[BUNDLE] = world.files[BUNDLE].replace(entry, entry[:2] + b"\x01" + entry[3:])


@case("missing-bundle", UNSURE, "tree.missing", about="The copy lacks a bundle.")
def _(world: World) -> None:
    world.ledger()
    del world.files[BUNDLE]


@case("missing-tile", UNSURE, "tree.missing", about="The copy lacks a tile.")
def _(world: World) -> None:
    world.ledger()
    del world.files[TILE]


@case("tile-disagrees", RED, "tree.tile", about="A tile has another hash than its entry.")
def _(world: World) -> None:
    world.ledger()
    world.files[TILE] = bytes(32) + world.files[TILE][32:]


@case("long-tile", RED, "tree.tile", about="A tile has a hash more than its name says.")
def _(world: World) -> None:
    world.ledger()
    world.files[TILE] += bytes(32)


@case("upper-tile-disagrees", RED, "tree.tile", about="The tile of level 1 is of another tree.")
def _(world: World) -> None:
    many(world)
    world.ledger()
    assert "ledger/access/tile/1/000.p/1" in world.files
    world.files["ledger/access/tile/1/000.p/1"] = bytes(32)


# History


@case("forked", RED, "history.forked", about="Two signed checkpoints of one size and two roots.")
def _(world: World) -> None:
    world.ledger()
    swap(world)
    world.files["remember"] = world.note("access").encode()
    swap(world)


@case("forked-before", RED, "history.forked", about="The beginning is another than was signed.")
def _(world: World) -> None:
    world.ledger()
    swap(world)
    world.files["remember"] = world.note("access", 8).encode()
    swap(world)


@case("truncated", RED, "history.truncated", about="The log has lost its last entries.")
def _(world: World) -> None:
    world.files["remember"] = world.note("access").encode()
    world.entries["access"] = world.entries["access"][:-2]
    world.ledger()


@case("remembered-garbage", UNSURE, "memory.format", about="The remembered file is noise.")
def _(world: World) -> None:
    world.ledger()
    world.files["remember"] = b"{}"


@case("remembered-other-key", RED, "checkpoint.unknown-key", about="The log's key has changed.")
def _(world: World) -> None:
    world.ledger()
    world.signers["access"] = [Signer.named(origin("access"), 1, "last year")]
    world.files["remember"] = world.note("access", 8).encode()


@case("remembered-of-nobody", GREEN, about="Nothing was remembered yet.")
def _(world: World) -> None:
    world.ledger()
    world.files["remember"] = b""
