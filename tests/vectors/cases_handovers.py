"""Cases about logs that went from one operator to another."""

from __future__ import annotations

import json

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import Signer, text_of_handover
from tests.vectors.world import (
    LAST,
    LOGS,
    MINUTE,
    OTHER_CELL,
    World,
    log_key,
    origin,
    text,
)

NEXT = {log: Signer.named(origin(log), 1, f"the buyer of {log}") for log in LOGS}
LATER = {log: Signer.named(origin(log), 1, f"the second buyer of {log}") for log in LOGS}


def hand_over(world: World, to: dict[str, Signer], at: int = LAST + MINUTE) -> None:
    """Each log gets its last entry, the list of it, and from then on the new key signs."""
    for log in LOGS:
        world.entries[log].append(text_of_handover(log, to[log], at))
        (old,) = world.signers[log]
        path = f"ledger/{log}/handover"
        before = json.loads(world.files.get(path, b"[]"))
        made = {"from": old.vkey(), "to": to[log].vkey(), "head": world.note(log)}
        world.files[path] = json.dumps([*before, made], indent=1, ensure_ascii=False).encode()
        world.signers[log] = [to[log]]


def go_on(world: World, at: int = LAST + 2 * MINUTE) -> None:
    """An entry more in each log."""
    world.entries["access"].append(world.someone("ana").entry("grant", "self", at))
    for log in ("decisions", "border"):
        world.entries[log].append(text(at, "note", said="we go on"))


@case("good-handed-over", GREEN, about="The policy knows the first operator only; another signs.")
def _(world: World) -> None:
    hand_over(world, NEXT)
    go_on(world)
    world.ledger()


@case("good-handed-over-twice", GREEN, about="Two sales; the policy knows the first operator.")
def _(world: World) -> None:
    hand_over(world, NEXT)
    go_on(world)
    hand_over(world, LATER, LAST + 3 * MINUTE)
    go_on(world, LAST + 4 * MINUTE)
    world.ledger()


@case("good-handed-over-known", GREEN, about="The policy knows the operator of today only.")
def _(world: World) -> None:
    hand_over(world, NEXT)
    go_on(world)
    for log in LOGS:
        world.policy = world.policy.replace(log_key(log).vkey(), NEXT[log].vkey())
    world.ledger()


@case("good-handed-over-now", GREEN, about="The last head of the old operator, nothing after it.")
def _(world: World) -> None:
    hand_over(world, NEXT)
    world.signers = {log: [log_key(log)] for log in LOGS}
    world.ledger()


@case("good-handed-over-remembered", GREEN, about="A head of the new operator was seen before.")
def _(world: World) -> None:
    hand_over(world, NEXT)
    world.files["remember"] = world.note("access").encode()
    go_on(world)
    world.ledger()


@case("handover-old-key", RED, "handover.key", about="The old operator signs on in one log.")
def _(world: World) -> None:
    hand_over(world, NEXT)
    go_on(world)
    world.signers["access"] = [log_key("access")]
    world.ledger()


@case(
    "handover-before-it",
    RED,
    "handover.key",
    about="After two sales the operator in between signs on.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    hand_over(world, LATER, LAST + 3 * MINUTE)
    go_on(world, LAST + 4 * MINUTE)
    world.signers["border"] = [NEXT["border"]]
    world.ledger()


@case(
    "handover-last-head-of-another",
    RED,
    "handover.key",
    about="The last head is signed by the operator before the old one.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    hand_over(world, LATER, LAST + 3 * MINUTE)
    world.signers["border"] = [log_key("border")]
    world.ledger()


@case(
    "handover-without-list",
    UNSURE,
    "handover.missing",
    about="The policy has both keys; the copy lacks the lists of handovers.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    go_on(world)
    for log in LOGS:
        del world.files[f"ledger/{log}/handover"]
        world.policy = f"log {NEXT[log].vkey()}\n{world.policy}"
    world.ledger()


@case(
    "handover-nobody-knows",
    RED,
    "checkpoint.unknown-key",
    about="The lists lead from a stranger's key to that of the policy's logs' new signers.",
)
def _(world: World) -> None:
    world.signers = {log: [LATER[log]] for log in LOGS}
    hand_over(world, NEXT)
    go_on(world)
    world.ledger()


def changed(world: World, log: str, key: str, value: str) -> None:
    path = f"ledger/{log}/handover"
    (made,) = json.loads(world.files[path])
    world.files[path] = json.dumps([made | {key: value}]).encode()


@case(
    "handover-head-of-another-size",
    RED,
    "handover.unsigned",
    about="The list of one log has a head that ends before its handover.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    go_on(world)
    world.signers["border"] = [log_key("border")]
    changed(world, "border", "head", world.note("border", 2))
    world.signers["border"] = [NEXT["border"]]
    world.ledger()


@case(
    "handover-head-of-another-tree",
    RED,
    "handover.unsigned",
    about="The list has a head of the right size over other entries.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    world.signers["border"] = [log_key("border")]
    kept = world.entries["border"][0]
    world.entries["border"][0] = text(LAST, "out", bytes=1)
    changed(world, "border", "head", world.note("border"))
    world.entries["border"][0] = kept
    world.signers["border"] = [NEXT["border"]]
    world.ledger()


@case(
    "handover-head-of-another-log",
    RED,
    "handover.unsigned",
    about="The list of one log has the head of another.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    (made,) = json.loads(world.files["ledger/decisions/handover"])
    changed(world, "border", "head", made["head"])
    world.ledger()


@case(
    "handover-head-not-signed",
    RED,
    "handover.unsigned",
    about="The head in the list is signed by the new operator, not by the old one.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    changed(world, "border", "head", world.note("border"))
    world.ledger()


@case(
    "handover-head-wrongly-signed",
    RED,
    "handover.unsigned",
    about="The signature of the old operator in the list is not right.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    world.signers["border"] = [log_key("border")]
    body = world.note("border").partition("\n\n")[0] + "\n"
    false = log_key("border").line(bytes(64))
    changed(world, "border", "head", f"{body}\n{false}")
    world.signers["border"] = [NEXT["border"]]
    world.ledger()


@case(
    "handover-to-another",
    RED,
    "handover.unsigned",
    about="The log names another key than the list.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    changed(world, "border", "to", LATER["border"].vkey())
    world.signers["border"] = [LATER["border"]]
    world.ledger()


@case(
    "handover-not-in-log",
    RED,
    "handover.unsigned",
    about="There is a list, and the log has no entry that hands it over.",
)
def _(world: World) -> None:
    kept = list(world.entries["border"])
    hand_over(world, NEXT)
    world.entries["border"] = kept
    world.signers["border"] = [log_key("border")]
    changed(world, "border", "head", world.note("border"))
    world.ledger()


@case(
    "handover-more-in-log",
    RED,
    "handover.unsigned",
    about="The log was handed over twice, and the list tells of the first only.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    world.entries["border"].append(text_of_handover("border", LATER["border"], LAST + 2 * MINUTE))
    world.ledger()


@case(
    "handover-broken-chain",
    RED,
    "handover.unsigned",
    about="Two handovers, the second by somebody else than the first one's receiver.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    world.signers["border"] = [log_key("border")]
    hand_over(world, LATER, LAST + 3 * MINUTE)
    world.ledger()


@case(
    "handover-key-of-other-name",
    RED,
    "handover.unsigned",
    about="The entry names a key of another cell's log.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    strange = Signer.named(origin("border", OTHER_CELL), 1, "the buyer of border")
    world.entries["border"][-1] = text_of_handover("border", strange, LAST + MINUTE)
    world.ledger()


@case(
    "handover-list-malformed",
    RED,
    "handover.format",
    "handover.missing",
    about="One list is no list.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    world.files["ledger/border/handover"] = b"{}"
    for log in LOGS:
        world.policy = f"log {NEXT[log].vkey()}\n{world.policy}"
    world.ledger()


@case(
    "handover-kind-of-key",
    RED,
    "entry.format",
    about="The entry in the access log is for a kind of key that no log has.",
)
def _(world: World) -> None:
    hand_over(world, NEXT)
    entry = world.entries["access"][-1]
    world.entries["access"][-1] = entry[:2] + b"\x04" + entry[3:]
    world.ledger()
