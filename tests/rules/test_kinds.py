"""What crosses is what is declared, and what is declared crosses: each kind has who sends it and
who takes it, each reason a kind or a sentence why there is none."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from tests.rules.source import PACKAGE

from luciole.border import wire


class Way(NamedTuple):
    """Where the code sends a kind and where it takes it: (module, what stands there)."""

    sender: tuple[str, str]
    receiver: tuple[str, str]


ARRIVING, LEAVING = "cell/abroad/arriving.py", "cell/abroad/leaving.py"
WAYS = {
    # Services of others take these: what is left of the cell's own code is who hands them over.
    "push": Way(
        ("cell/notify/pushes.py", r"= Push\("), ("border/gateway.py", r"isinstance\(push, Push\)")
    ),
    "code": Way(
        ("cell/contacts/codes.py", r"return Code\("), ("border/door.py", r"type=wire\.Code\)")
    ),
    "notice": Way(
        ("cell/safety/notifying.py", r"send_notice\(NoticeMail\("),
        ("border/door.py", r"type=wire\.NoticeMail\)"),
    ),
    "fediverse": Way(
        ("border/store/fediverse.py", r"VALUES \('fediverse', "),
        ("border/fediverse/telling.py", r"\.post\("),
    ),
    # Offered to another cell.
    "person": Way((LEAVING, r"wire\.Person\("), (ARRIVING, r"case wire\.Person\(")),
    "clip": Way((LEAVING, r"wire\.Clip\("), (ARRIVING, r"case wire\.Clip\(")),
    "gone": Way((LEAVING, r"wire\.Gone\("), (ARRIVING, r"case wire\.Gone\(")),
    "comment": Way((LEAVING, r"wire\.Comment\("), (ARRIVING, r"case wire\.Comment\(")),
    "follow": Way(
        ("cell/abroad/reading.py", r"wire\.Follow\("), (ARRIVING, r"case wire\.Follow\(")
    ),
    "unfollow": Way(
        ("cell/abroad/reading.py", r"wire\.Unfollow\("), (ARRIVING, r"\| wire\.Unfollow\(")
    ),
    "totals": Way(
        ("cell/abroad/reading.py", r"wire\.Totals\("), (ARRIVING, r"case wire\.Totals\(")
    ),
    "move": Way(
        ("cell/abroad/moving/service.py", r"wire\.Move\("), (ARRIVING, r"case wire\.Move\(")
    ),
    # Asked for, or at once.
    "media": Way(
        ("border/media.py", r'known\.name, "media", '), ("border/media.py", r'== \("media", digest')
    ),
    "cosign": Way(
        ("ask/witnesses.py", r'"cosign", body'), ("border/exchanging.py", r'kind == "cosign"')
    ),
    "share": Way(
        ("trustee/way.py", r'KIND = "share"(?s:.*)\.ask\(name, KIND,'),
        ("trustee_process.py", r'register\("share", Guardian\('),
    ),
    "lookup": Way(
        ("cell/contacts/halves.py", r'KIND = "lookup"(?s:.*)\.ask\(self\.peer, KIND,'),
        ("trustee_process.py", r"register\(\s*lookups\.KIND"),
    ),
    "backup": Way(
        ("abroad_process.py", r'KIND = "backup"(?s:.*)\.ask\(settings\.abroad\.peer, KIND,'),
        ("trustee_process.py", r"register\(\s*backups\.KIND"),
    ),
}


def test_each_kind_has_a_sender_and_a_receiver() -> None:
    assert WAYS.keys() == wire.KINDS.keys(), (
        "What is not sent is not a kind. Declare a kind when the code sends and takes it, and say "
        "here where."
    )


@pytest.mark.parametrize("kind", WAYS)
def test_sender_and_receiver_of_a_kind_are_there(kind: str) -> None:
    for module, stands in WAYS[kind]:
        text = (PACKAGE / module).read_text(encoding="utf-8")
        assert re.search(stands, text), f"{module} no longer sends or takes {kind}: is it sent?"


def test_each_shape_that_is_offered_is_of_a_kind() -> None:
    tags = {str(shape.__struct_config__.tag) for shape in wire.CROSSINGS}
    assert tags <= wire.KINDS.keys()
    assert not [tag for tag in tags if wire.KINDS[tag].is_immediate]


def test_each_reason_has_a_kind_or_a_sentence_why_none() -> None:
    used = {kind.reason for kind in wire.KINDS.values()}
    assert wire.REASONS.keys() == wire.LAWS.keys()
    assert used | wire.NO_KIND.keys() == wire.REASONS.keys()
    assert used & wire.NO_KIND.keys() == set(), "It has a kind by now: take the sentence away."
