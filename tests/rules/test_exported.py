"""What is held about a person, the person can take along; what cannot be taken has a reason."""

from __future__ import annotations

from luciole import catalogue
from luciole.kit.catalogue import DataClass

WHOLE = catalogue.WHOLE
OF_PERSONS = {DataClass.PUBLIC, DataClass.SHARED, DataClass.PERSONAL}


def covered() -> set[str]:
    """What is in an export, as a list or in a form of its own."""
    return set(WHOLE.elsewhere) | {
        where for lists in WHOLE.exported.values() for each in lists for where in each.covers()
    }


def test_everything_of_a_person_is_in_an_export_or_has_a_reason() -> None:
    wanted = {held.where for held in WHOLE.held if held.data_class in OF_PERSONS}
    assert wanted - covered() - set(WHOLE.not_exported) == set(), (
        "These are declared and in no export. Add them to EXPORT in the slice's privacy.py, or "
        "say in NOT_EXPORTED why a person who takes their data along goes without."
    )


def test_nothing_is_both_taken_along_and_left_out() -> None:
    assert covered() & set(WHOLE.not_exported) == set()


def test_exports_name_declared_things_only() -> None:
    declared = {held.where for held in WHOLE.held}
    assert covered() - declared == set()
    assert set(WHOLE.not_exported) - declared == set()


def test_secrets_are_in_no_export() -> None:
    secret = {held.where for held in WHOLE.held if held.data_class is DataClass.SECRET}
    assert covered() & secret == set()


def test_lists_explain_themselves() -> None:
    for lists in WHOLE.exported.values():
        assert len({each.name for each in lists}) == len(lists)
        for each in lists:
            assert len(each.says) > 15, each.name
            assert each.anew <= set(each.fields), f"{each.name}: made anew, but not in a row"
            assert not (each.stays and each.anew), f"{each.name} stays behind as a whole"
    for where, why in WHOLE.not_exported.items():
        assert len(why) > 10, where
