"""Signed notes, keys, checkpoints and cosignatures: the examples of the standards, and every way
to be malformed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ledger.corpus import TESSERA, needs_corpus

from luciole.ledger import note
from luciole.ledger.merkle import EMPTY_ROOT
from luciole.ledger.note import BadNote, Checkpoint, KeyKind, Note, Signer, VerifierKey

# C2SP signed-note 1.0, "Example".
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""  # noqa: E501
TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"

LOG = Signer("luciole/c/access", KeyKind.ED25519, b"l" * 32)
OLD = Signer("witness.example/old", KeyKind.COSIGNATURE, b"o" * 32)
NEW = Signer("witness.example/new", KeyKind.SUBTREE, b"n" * 32)
HEAD = Checkpoint("luciole/c/access", 15, bytes(range(32)))
KEYS = (LOG.verifier, OLD.verifier, NEW.verifier)


def signed() -> str:
    return LOG.sign(str(HEAD)) + OLD.line(str(HEAD), 1000) + NEW.line(str(HEAD), 1001)


def changed(signature: str, at: int, value: int) -> str:
    """The line with one byte behind the key id set."""
    mark, name, encoded = signature.rstrip("\n").split(" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[4 + at] = value
    return f"{mark} {name} {base64.b64encode(raw).decode()}\n"


# What is right


def test_example_of_the_standard_verifies() -> None:
    key = VerifierKey.parse(FOO)
    assert str(key) == FOO
    found = Note.parse(EXAMPLE).verify([key])
    assert [(each.key, each.time) for each in found] == [(key, 0)]
    with pytest.raises(BadNote):
        Note.parse(EXAMPLE.replace("message", "massage")).verify([key])


@needs_corpus
def test_checkpoints_of_tessera_verify() -> None:
    names = [path for path in sorted(TESSERA.iterdir()) if path.name.startswith("checkpoint")]
    assert len(names) == 17
    for path in names:
        parsed = Note.parse(path.read_bytes())
        assert parsed.verify([VerifierKey.parse(TESSERA_KEY)])
        head = Checkpoint.parse(parsed.text)
        assert str(head) == parsed.text
        assert (head.size == 0) == (head.root == EMPTY_ROOT)


def test_each_kind_of_key_signs_a_checkpoint() -> None:
    found = Note.parse(signed()).verify(KEYS)
    assert [(each.key, each.time) for each in found] == list(
        zip(KEYS, (0, 1000, 1001), strict=True)
    )


def test_unknown_signatures_are_ignored() -> None:
    unknown = "— who.example/x AAAAAAAA\n— luciole/c/access AAAAAAAA\n"
    assert len(Note.parse(signed() + unknown).verify(KEYS)) == 3
    assert len(Note.parse(signed()).verify(KEYS[:1])) == 1


def test_key_id_tells_kinds_of_one_key_apart() -> None:
    same = Signer("n", KeyKind.ED25519, bytes(32)), Signer("n", KeyKind.COSIGNATURE, bytes(32))
    assert same[0].verifier.public == same[1].verifier.public
    assert same[0].verifier.id != same[1].verifier.id


def test_two_cosignatures_by_one_key_are_both_given() -> None:
    text = signed() + OLD.line(str(HEAD), 2000)
    assert [each.time for each in Note.parse(text).verify(KEYS)] == [0, 1000, 1001, 2000]


def test_text_may_hold_empty_lines() -> None:
    text = "a\n\nb\n\n\n"
    parsed = Note.parse(LOG.sign(text))
    assert parsed.text == text
    parsed.verify(KEYS)


def test_message_of_the_old_cosignature_is_that_of_the_standard() -> None:
    key = OLD.verifier
    head = Checkpoint("example.com/behind-the-sofa", 20852163, bytes(32))
    assert note._message(key, str(head), 1679315147) == (
        b"cosignature/v1\ntime 1679315147\n" + str(head).encode()
    )


def test_message_of_the_new_cosignature_is_that_of_the_standard() -> None:
    assert note.subtree_message("w", 258, "log", 0, 3, bytes(32)) == (
        b"subtree/v1\n\x00\x01w" + bytes(6) + b"\x01\x02" + b"\x03log"
        + bytes(8) + bytes(7) + b"\x03" + bytes(32)
    )  # fmt: skip
    assert note.subtree_message("w", 0, "log", 4, 8, bytes(32))[-48:-32] == (
        bytes(7) + b"\x04" + bytes(7) + b"\x08"
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_any_text_is_signed_and_read_back(text: str) -> None:
    parsed = Note.parse(LOG.sign(text + "\n").encode())
    assert parsed.text == text + "\n"
    assert parsed.verify(KEYS)


# Notes that are wrong

SIGNATURE = LOG.line(str(HEAD))


def named(part: str) -> str:
    return f"{HEAD}\n{SIGNATURE.replace('/c/', f'/{part}/')}"


MALFORMED = {
    "empty": "",
    "no signature": str(HEAD),
    "no signature behind the empty line": f"{HEAD}\n",
    "no empty line": f"{HEAD}{SIGNATURE}",
    "no last newline": f"{HEAD}\n{SIGNATURE[:-1]}",
    "text after the signatures": f"{HEAD}\n{SIGNATURE}more\n",
    "a hyphen for the dash": f"{HEAD}\n{SIGNATURE.replace('—', '-')}",
    "no space behind the dash": f"{HEAD}\n{SIGNATURE.replace('— ', '—')}",
    "two spaces": f"{HEAD}\n{SIGNATURE.replace('— ', '—  ')}",
    "a space at the end": f"{HEAD}\n{SIGNATURE[:-1]} \n",
    "a carriage return": f"{HEAD}\n{SIGNATURE[:-1]}\r\n",
    "a tab in the text": f"a\tb\n\n{SIGNATURE}",
    "a carriage return in the text": f"a\r\n\n{SIGNATURE}",
    "a zero byte in the text": f"a\0\n\n{SIGNATURE}",
    "a name with a plus": named("+"),
    "a name with an unbreakable space": named("\xa0"),
    "a name with a wide space": named("\u3000"),
    "a name with a line separator": named("\u2028"),
    "no name": f"{HEAD}\n—  AAAAAAAA\n",
    "a signature of the key id only": f"{HEAD}\n— n AAAAAA==\n",
    "no base64": f"{HEAD}\n— n !AAAAAAA\n",
    "base64 for addresses": f"{HEAD}\n— n __--AAAA\n",
    "base64 without padding": f"{HEAD}\n— n AAAAAAA\n",
    "base64 with bits left over": f"{HEAD}\n— n AAAAAAB=\n",
    "base64 in other digits": f"{HEAD}\n— n ÄÄÄÄÄÄÄÄ\n",
    "too many signatures": f"{HEAD}\n" + SIGNATURE * (note.MAX_SIGNATURES + 1),
    "too long": "a" * note.MAX_NOTE_BYTES + f"\n\n{SIGNATURE}",
    "half a character": f"\ud800\n\n{SIGNATURE}",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_note_is_refused(case: str) -> None:
    with pytest.raises(BadNote):
        Note.parse(MALFORMED[case])


def test_note_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadNote):
        Note.parse(b"\xff\n\n" + SIGNATURE.encode())


def test_many_signatures_are_accepted() -> None:
    Note.parse(f"{HEAD}\n" + SIGNATURE * note.MAX_SIGNATURES).verify(KEYS)


def test_note_of_strangers_is_refused() -> None:
    with pytest.raises(BadNote, match="No known key"):
        Note.parse(signed()).verify([VerifierKey.parse(FOO)])
    with pytest.raises(BadNote, match="No known key"):
        Note.parse(signed()).verify([])


@pytest.mark.parametrize("signer", [LOG, OLD, NEW], ids=lambda each: each.verifier.name)
def test_one_wrong_signature_by_a_known_key_spoils_the_note(signer: Signer) -> None:
    """Also where others are right: somebody changed something."""
    line = signer.line(str(HEAD), 0 if signer is LOG else 5)
    Note.parse(signed() + line).verify(KEYS)
    with pytest.raises(BadNote):
        Note.parse(signed() + changed(line, 20, line.encode()[20] ^ 1)).verify(KEYS)


@pytest.mark.parametrize("signer", [OLD, NEW], ids=lambda each: each.verifier.name)
def test_changed_time_spoils_the_cosignature(signer: Signer) -> None:
    line = signer.line(str(HEAD), 5)
    for at, value in ((7, 6), (7, 0), (0, 0x80)):  # later, no time at all, beyond 2^63
        with pytest.raises(BadNote):
            Note.parse(LOG.sign(str(HEAD)) + changed(line, at, value)).verify(KEYS)


def test_cosignature_too_short_for_a_time_is_refused() -> None:
    short = note.to_base64(OLD.verifier.id + b"\1")
    with pytest.raises(BadNote):
        Note.parse(f"{HEAD}\n— {OLD.verifier.name} {short}\n").verify(KEYS)


def test_cosignature_serves_its_checkpoint_only() -> None:
    other = Checkpoint(HEAD.origin, 16, HEAD.root)
    for signer in (OLD, NEW):
        with pytest.raises(BadNote):
            Note.parse(LOG.sign(str(other)) + signer.line(str(HEAD), 5)).verify(KEYS)


def test_cosignature_of_the_new_kind_serves_its_name_only() -> None:
    """An Ed25519 cosignature does not bind the name; the standard says so."""
    for kind, is_bound in ((KeyKind.SUBTREE, True), (KeyKind.COSIGNATURE, False)):
        one, two = Signer("one", kind, bytes(32)), Signer("two", kind, bytes(32))
        raw = base64.b64decode(one.line(str(HEAD), 5).split(" ")[2])
        moved = f"— two {note.to_base64(two.verifier.id + raw[4:])}\n"
        moved_note = Note.parse(LOG.sign(str(HEAD)) + moved)
        if is_bound:
            with pytest.raises(BadNote):
                moved_note.verify([two.verifier])
        else:
            assert moved_note.verify([two.verifier])


def test_cosigner_signs_checkpoints_only() -> None:
    for signer in (OLD, NEW):
        with pytest.raises(BadNote):
            signer.line("any text\n", 5)


def test_time_goes_with_cosignatures_only() -> None:
    with pytest.raises(ValueError, match="time"):
        LOG.line(str(HEAD), 5)
    with pytest.raises(ValueError, match="time"):
        OLD.line(str(HEAD))
    with pytest.raises(ValueError, match="time"):
        OLD.sign(str(HEAD))


def test_names_that_do_not_fit_a_cosignature_are_refused() -> None:
    note.subtree_message("w" * 255, 1, "é" * 127, 0, 1, bytes(32))
    for name, origin in (("w" * 256, "o"), ("w", "é" * 128)):
        with pytest.raises(BadNote):
            note.subtree_message(name, 1, origin, 0, 1, bytes(32))


def test_subtree_from_the_middle_has_no_time() -> None:
    with pytest.raises(BadNote):
        note.subtree_message("w", 1, "o", 4, 8, bytes(32))


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n"])
def test_text_that_is_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        LOG.sign(text)


# Keys that are wrong

PUBLIC = note.to_base64(b"\x01" + LOG.verifier.public)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+",
        f"name+00000000+{PUBLIC}",
        f"{LOG.verifier.name}+{LOG.verifier.id.hex().upper()}+{PUBLIC}",
        str(LOG.verifier)[:-1],
        str(LOG.verifier) + "=",
        str(LOG.verifier).replace("/c/", "/ /"),
        "+" + str(LOG.verifier).partition("+")[2],
        f"{'n' * 256}+00000000+{PUBLIC}",
        "name+530d903a+" + note.to_base64(b"\x01" + bytes(31)),
        "name+530d903a+" + note.to_base64(b"\x02" + bytes(32)),
        "name+530d903a+" + note.to_base64(b"\x06" + bytes(32)),
    ],
)
def test_malformed_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(BadNote):
        VerifierKey.parse(vkey)


# Checkpoints that are wrong

ROOT = note.to_base64(bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n+1\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n1_0\n{ROOT}\n",
        f"origin\n١\n{ROOT}\n",
        f"origin\n{2**63}\n{ROOT}\n",
        f"origin\n{10**19}\n{ROOT}\n",
        f"origin\n1\n{note.to_base64(bytes(31))}\n",
        f"origin\n1\n{ROOT} \n",
        f"origin\n1\n{ROOT}\nextension\n",
        f"origin\n1\n{ROOT}\n\n",
    ],
)
def test_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


def test_largest_checkpoint_is_read() -> None:
    head = Checkpoint("o", 2**63 - 1, bytes(32))
    assert Checkpoint.parse(str(head)) == head
