"""Cases about policies. The malformed ones are judged alone, without a ledger."""

from __future__ import annotations

from tests.vectors.case import UNSURE, case
from tests.vectors.log_writer import Signer
from tests.vectors.world import ELM, OAK, World, log_key


@case("policy-from-cell", UNSURE, "policy.from-cell", about="The only policy is the cell's own.")
def _(world: World) -> None:
    world.ledger()
    world.files["ledger/policy"] = world.files.pop("policy")


@case("policy-missing", UNSURE, "policy.format", about="There is no policy at all.")
def _(world: World) -> None:
    world.ledger()
    del world.files["policy"]


BAD_POLICIES = {
    "no-quorum": ("quorum both\n", ""),
    "two-quorums": ("quorum both\n", "quorum both\nquorum both\n"),
    "unknown-quorum": ("quorum both\n", "quorum all\n"),
    "unknown-member": ("all oak elm", "all oak ash"),
    "member-none": ("all oak elm", "all oak none"),
    "member-in-two-groups": ("quorum both", "group too any oak\nquorum both"),
    "name-twice": ("witness elm", "witness oak"),
    "name-none": ("witness elm", "witness none"),
    "group-named-as-witness": (
        "group both all oak elm\nquorum both",
        "group oak all oak elm\nquorum oak",
    ),
    "too-high-threshold": ("both all", "both 3"),
    "zero-threshold": ("both all", "both 0"),
    "leading-zero": ("both all", "both 02"),
    "empty-group": ("both all oak elm", "both all"),
    "unknown-word": ("quorum both", "quota both"),
    "no-last-newline": ("quorum both\n", "quorum both"),
    "carriage-return": ("quorum both\n", "quorum both\r\n"),
    "key-id": (f"+{OAK.key_id().hex()}+", "+00000000+"),
    "key-kind": (OAK.vkey(), Signer(OAK.name, 1, OAK.seed).vkey()),
    "key-length": (OAK.vkey(), OAK.vkey()[:-4]),
    "key-name-with-space": (OAK.vkey(), Signer("witness\u00a0oak", 4, OAK.seed).vkey()),
    "key-name-too-long": (OAK.vkey(), Signer("w" * 256, 4, OAK.seed).vkey()),
    "key-twice": (ELM.vkey(), Signer("witness.example/other", 4, OAK.seed).vkey()),
    "log-key-twice": ("witness oak", f"log {log_key('access').vkey()}\nwitness oak"),
    "too-many-words": ("https://witness.example/oak", "https://witness.example/oak really"),
}
for name, (old, new) in BAD_POLICIES.items():

    @case(f"policy-{name}", UNSURE, "policy.format", about=f"A malformed policy: {name}.")
    def _(world: World, old: str = old, new: str = new) -> None:
        assert old in world.policy
        world.policy = world.policy.replace(old, new)
        world.files["policy"] = world.policy.encode()
