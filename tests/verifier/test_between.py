"""What operators say of each other: a sale, what is left at the seller, what others held, and what
a guardian gave. Each is forged once, beside the same without the forgery."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from comparer import luciole_between
from tests.rules.source import ROOT
from tests.vectors.log_writer import Signer, iso, sha256
from tests.vectors.world import CELL, SEEN
from tests.verifier.between_world import (
    FORGER,
    HOUR,
    NEW,
    OLD,
    SELLER,
    START,
    THIEF,
    World,
    at,
    counts,
    guarding,
    lay,
    receipt_text,
    restore,
    signed,
    world,
)

Change = Callable[[World], None]


def run(capsys: pytest.CaptureFixture[str], words: list[str]) -> tuple[int, set[str], Any]:
    status = luciole_between.main([*words, "--json"])
    claims = json.loads(capsys.readouterr().out)["claims"]
    return status, {one["code"] for one in claims} - {"green"}, claims


# What is forged or missing, and what is said of it.
def other_key(made: World) -> None:
    made.entry("divest")["keys"] = {"decisions": THIEF.vkey()}


def other_contents(made: World) -> None:
    made.entry("adopted")["contents"] = sha256(b"less").hex()


def other_operator(made: World) -> None:
    made.entry("adopted")["operator"] = "Third House"


def adopted_twice(made: World) -> None:
    made.mine.append(made.entry("adopted"))


def not_adopted(made: World) -> None:
    made.mine.remove(made.entry("adopted"))


def receipt_is_noise(made: World) -> None:
    made.receipt = b"luciole-receipt-v1\n\xff\n"


def receipt_by_seller(made: World) -> None:
    made.receipt = signed(receipt_text(), OLD)


def receipt_changed(made: World) -> None:
    made.receipt = made.receipt.replace(b"objects 5", b"objects 6")


def receipt_for_others(made: World) -> None:
    made.receipt = signed(receipt_text(contents=sha256(b"less").hex()), NEW)


def receipt_for_more(made: World) -> None:
    made.receipt = signed(receipt_text(persons=4), NEW)


def removal_is_noise(made: World) -> None:
    made.removal = signed("luciole-removal-v1\n[]\n", SELLER)


def removal_by_forger(made: World) -> None:
    made.by = FORGER


def removal_under_its_name(made: World) -> None:
    made.by = Signer.named(f"luciole/{CELL}/seller", 1, "somebody")


def removal_of_another_sale(made: World) -> None:
    made.contents = sha256(b"less").hex()


def removal_for_another_buyer(made: World) -> None:
    made.buyer = "Third House"


def removal_better_than_its_claims(made: World) -> None:
    made.claims.append(("database", "RED"))


def removal_worse_than_the_log_says(made: World) -> None:
    made.claims.append(("beyond this machine", "CANNOT TELL"))
    made.verdict = "CANNOT TELL"


def removal_not_logged(made: World) -> None:
    made.is_logged = False


def removal_is_red(made: World) -> None:
    removal_better_than_its_claims(made)
    made.verdict, made.is_logged = "RED", False


def removal_is_unsure(made: World) -> None:
    removal_worse_than_the_log_says(made)
    made.removal, made.is_logged = made.statement(), False
    digest = sha256(made.removal).hex()
    made.mine.append(at(31, "removal", sha256=digest, verdict="CANNOT TELL"))


def held_malformed(made: World) -> None:
    made.entry("held-elsewhere")["of"] = "everything"


def held_untold(made: World) -> None:
    made.mine.remove(made.entry("held-elsewhere", "backup"))


def held_alone(made: World) -> None:
    made.is_other_given = False


def held_not_yet(made: World) -> None:
    last = made.entry("held-elsewhere", "backup")
    last["at"] = iso(SEEN - HOUR // 2)
    made.mine.remove(last)
    made.theirs.remove(made.entry("keeping"))
    made.mine.append(last)
    made.is_logged = False


def pieces_kept(made: World) -> None:
    made.entry("keeping")["destroyed"] = 6


def halves_kept(made: World) -> None:
    made.theirs[3] = guarding(20.5, given=13, destroyed=2)


def keeps_of_another(made: World) -> None:
    made.entry("keeping")["cell"] = "00000000-0000-4000-8000-000000000000"


def gave_more(made: World) -> None:
    made.theirs[1] = guarding(8.5, given=13)


def gave_more_than_it_lent(made: World) -> None:
    made.mine.insert(2, counts(15, asked=13, given=13))
    made.theirs.insert(2, guarding(14, given=14))


def told_another_number(made: World) -> None:
    made.mine[1] = counts(9, asked=20, given=14)


def counts_anew(made: World) -> None:
    made.mine.append(counts(25, asked=1, given=0))


def forgot_in_a_restore(made: World) -> None:
    """Asked 12 times, it was put back to a copy of 5 and asked once again: given are 10 and 1."""
    made.mine.insert(2, restore(9.5))
    made.mine.insert(3, counts(11, asked=6, given=11))
    made.theirs.insert(2, guarding(10.5, given=11))


def forgot_also_what_was_lent(made: World) -> None:
    """As it goes with `guardian lend`: all halves are lent, then it is put back."""
    forgot_in_a_restore(made)
    made.mine[2]["at"] = iso(START + int(9.8 * HOUR))
    made.mine[3] = counts(11, asked=6, given=14)
    made.theirs[2:3] = [
        at(9.6, "guarding", act="lent", cell=CELL, halves=3),
        guarding(10.5, given=14),
    ]


def grew_past_what_it_forgot(made: World) -> None:
    """No count is smaller than the one before, and still some are missing."""
    made.mine.insert(2, restore(9.5))
    made.mine.insert(3, counts(15, asked=13, given=17))
    made.theirs.insert(2, guarding(10.5, given=11))
    made.theirs.insert(3, guarding(14, given=17))


def gave_more_than_a_restore_explains(made: World) -> None:
    """Forgotten can be the ten that were given by then, and not what was given since."""
    forgot_in_a_restore(made)
    made.mine.insert(4, counts(15, asked=7, given=19))
    made.theirs.insert(3, guarding(14, given=19))


def gave_more_before_the_restore(made: World) -> None:
    forgot_in_a_restore(made)
    gave_more(made)


def gave_more_and_a_restore_lost_nothing(made: World) -> None:
    gave_more(made)
    made.mine.insert(1, restore(8, until=40))


def gave_more_and_a_restore_came_later(made: World) -> None:
    gave_more(made)
    made.mine.insert(2, restore(9.5))


def fell_before_the_restore(made: World) -> None:
    made.mine.insert(1, counts(5, asked=2, given=3))
    made.mine.insert(2, counts(6, asked=3, given=3))
    made.mine.insert(3, restore(6.5))


def restore_malformed(made: World) -> None:
    made.mine.insert(2, restore(9.5))
    made.mine[2]["from"] = "40"


def nothing_newer(made: World) -> None:
    made.mine[:2] = [counts(0.5, asked=0, given=0)]


FORGED: dict[str, list[Change]] = {
    "sale.keys": [other_key],
    "sale.adopted": [other_contents, other_operator],
    "sale.format": [adopted_twice],
    "sale.open": [not_adopted],
    "receipt.note": [receipt_is_noise],
    "receipt.key": [receipt_by_seller, receipt_changed],
    "receipt.sale": [receipt_for_others],
    "receipt.more": [receipt_for_more],
    "removal.note": [removal_is_noise],
    "removal.key": [removal_by_forger, removal_under_its_name],
    "removal.sale": [removal_of_another_sale, removal_for_another_buyer],
    "removal.verdict": [removal_better_than_its_claims, removal_worse_than_the_log_says],
    "removal.unlogged": [removal_not_logged],
    "removal.left": [removal_is_red],
    "removal.unsure": [removal_is_unsure],
    "held.format": [held_malformed, restore_malformed],
    "held.untold": [held_untold],
    "held.alone": [held_alone],
    "held.waiting": [held_not_yet],
    "held.differs": [pieces_kept, halves_kept, keeps_of_another],
    "guard.alone": [held_alone],
    "guard.more": [
        *(gave_more, gave_more_than_it_lent, gave_more_than_a_restore_explains),
        *(gave_more_before_the_restore, gave_more_and_a_restore_lost_nothing),
        gave_more_and_a_restore_came_later,
    ],
    "guard.restored": [
        *(forgot_in_a_restore, forgot_also_what_was_lent, grew_past_what_it_forgot),
    ],
    "guard.differs": [told_another_number],
    "guard.anew": [counts_anew, fell_before_the_restore],
    "guard.waiting": [nothing_newer],
}


def test_what_all_say_alike_is_green(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found, claims = run(capsys, lay(tmp_path, world()))
    assert (status, found) == (0, set()), claims
    said = {one["claim"]: one["sentence"] for one in claims}
    assert said["sales"] == "The cell was sold 1 times; each buyer has adopted what was sold."
    assert said["receipt of the sale"].endswith("opened 3 persons, 40 rows, 5 objects.")
    assert "signed 2 claims; the log has the digest" in said["removal"]
    assert said["held elsewhere"].startswith("2 things that others held are destroyed")
    assert said["guardian"] == ("1 guardians gave no more than was asked for, 2 times.")


@pytest.mark.parametrize(
    ("code", "change"),
    [(code, change) for code, changes in FORGED.items() for change in changes],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_what_is_forged_or_missing_is_said(
    code: str, change: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world()
    change(made)
    status, found, claims = run(capsys, lay(tmp_path, made))
    assert code in found, claims
    mark = luciole_between.v.TABLE[code][0]
    assert (mark, status) in (("!", 1), ("?", 2)) or found & {
        other for other, rest in luciole_between.v.TABLE.items() if rest[0] == "!"
    }, claims


@pytest.mark.parametrize(
    "change", [forgot_in_a_restore, forgot_also_what_was_lent, grew_past_what_it_forgot]
)
def test_what_a_restore_explains_is_neither_red_nor_green(
    change: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world()
    change(made)
    status, found, claims = run(capsys, lay(tmp_path, made))
    assert (status, found) == (2, {"guard.restored"}), claims
    said = next(one["sentence"] for one in claims if one["code"] == "guard.restored")
    assert "was restored at 2026-" in said
    # The same without the entry that explains it.
    made = world()
    change(made)
    made.mine = [one for one in made.mine if one["kind"] != "restore"]
    status, found, claims = run(capsys, lay(tmp_path / "without", made))
    if change is grew_past_what_it_forgot:
        assert (status, found) == (1, {"guard.more"}), claims
    else:
        assert (status, found) == (2, {"guard.anew"}), claims


def test_a_restore_that_forgot_nothing_is_green(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world()
    made.mine.insert(2, restore(9.5))
    status, found, claims = run(capsys, lay(tmp_path, made))
    assert (status, found) == (0, set()), claims


def test_every_finding_is_brought_about() -> None:
    told = {code for code, *_ in luciole_between.v.ROWS.findall(luciole_between.FINDINGS)}
    assert told == set(FORGED)


def test_cell_that_nobody_bought_or_guards_has_nothing_to_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world()
    made.mine, made.is_logged, made.is_other_given = [at(1, "release", version="0.1")], False, False
    status, found, claims = run(capsys, lay(tmp_path, made))
    assert (status, found) == (0, set()), claims


def test_sale_of_a_log_that_was_handed_over_to_a_thief_is_red(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world()
    made.holder = THIEF
    made.entry("handover")["key"] = THIEF.vkey()
    status, found, claims = run(capsys, lay(tmp_path, made))
    assert status == 1
    assert "sale.keys" in found, claims


@pytest.mark.parametrize("text", [b"", b"\n", b"\n\n", b"{", b"a\n\n\xff\n", b"a\n\nb\n"])
def test_hostile_notes_end_in_a_verdict(
    text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world()
    words = lay(tmp_path, made)
    for name in ("receipt", "removal"):
        (tmp_path / name).write_bytes(text)
    status, found, _ = run(capsys, words)
    assert (status, found) == (2, {"receipt.note", "removal.note"})


def test_ledger_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, world())
    (tmp_path / "us/ledger/decisions/checkpoint").unlink()
    status, found, _ = run(capsys, words)
    assert (status, found) == (2, {"checkpoint.missing"})


def test_it_runs_as_a_file(tmp_path: Path) -> None:
    words = lay(tmp_path, world())
    command = [sys.executable, str(ROOT / "comparer" / "luciole_between.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "GREEN        guardian: 1 guardians gave no more" in done.stdout
