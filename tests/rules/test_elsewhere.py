"""People of other cells are people here where that is meant, and nowhere else; and what may cross
has no field for what stays home."""

from __future__ import annotations

import re

import msgspec
from tests.rules import source

from luciole.border import wire

OF_PEOPLE = re.compile(r"people\.(card|person)\b")
# Queries that read people and ask nothing about their home, with the reason. One that counts,
# greets, exports, erases, copies or appoints people of this cell says `home` instead.
ANYBODY = {
    "shows who somebody is, wherever they live": """
        graph.FOLLOWERS graph.FOLLOWING graph.FRIENDS graph.FRIENDS_AMONG graph.REQUESTS
        clips.ADD graph.BLOCKED graph.MUTED graph.RESTRICTED media.FIND_FILE media.RENDITIONS
        messages.LISTED notify.EVENT notify.EVENTS_SINCE notify.HAS_UNREAD
        notify.PAGE notify.PAGE_OF_DIGEST people.CARD_BY_HANDLE
        people.CARDS_BY_HANDLE people.CARDS_BY_ID people.AVATAR_SHOWN search.PEOPLE
        search.BY_HANDLE safety.PERSON""",
    "finds films that everybody may see here, whoever made them": """
        clips.FILMS_FOR_ALL""",
    "of one of ours, with the handles of whom they met": """
        clips.EXPORT_MEMBERS clips.EXPORT_CIRCLES graph.EXPORT_FOLLOWING graph.EXPORT_FOLLOWERS
        graph.EXPORT_BLOCKED graph.EXPORT_MUTED graph.EXPORT_RESTRICTED messages.CONVERSATIONS
        messages.REPORTS messages.OF_REPORTER messages.WAITING notify.EXPORT_NOTIFICATIONS""",
    "of one account, by a session, a password or an address, which only ours have": """
        contacts.ENTRIES
        notify.WISHES people.ACCOUNT people.HASH_BY_HANDLE people.USE_RECOVERY_CODE people.LIVE
        people.LIVE_COUNTED
        people.SET_HANDLE people.SET_PROFILE people.SET_AGE_BAND people.SET_LEAVING""",
    "of a pairing, which only two of ours make: `people.BAND` asks for it": """
        people.OF_PERSON people.ONE people.ONE_LOCKED people.BETWEEN people.IN_FORCE
        people.EXPORT_PAIRINGS people.LOCK_BOTH""",
    "locks or changes one row, whoever it is": """
        people.ADD_PERSON people.HANDLE_OF_ANOTHER people.LOCK people.HOLD
        people.HOLD_BY_HANDLE people.SET_AVATAR
        people.AVATAR_IN_USE people.LOCK_OUT_ALL people.AVATAR people.DROP_PERSON""",
}
# Words of what no cell learns of another's people.
STAYS = (
    "view", "watch", "seen", "impression", "contact", "email", "phone", "block", "mute", "search",
    "query", "taste", "learn", "setting", "preference", "device", "session", "token", "age", "band",
    "locale", "friend", "account", "address", "ip",
)  # fmt: skip
FIELDS = {
    "push": "endpoint authorization topic ttl_s",
    "gone": "uri recalls",
    "person": "uri handle name bio avatar",
    "clip": "uri by caption films still duration_ms made_with_ai comments published_at captions",
    "comment": "uri by on text said_at to",
    "follow": "uri on",
    "unfollow": "uri on",
    "totals": "uri on likes shares followers",
    "move": "uri to on who is_shown",
}


def test_who_reads_people_says_which() -> None:
    known = {name for names in ANYBODY.values() for name in names.split()}
    asked = {
        f"{query.module.slice_name}.{query.name}"
        for query in source.queries()
        if OF_PEOPLE.search(query.sql) and "home" not in query.sql
    }
    assert asked - known == set(), (
        "Does this count, tell, write to, export, erase or appoint people of this cell? Then ask "
        "for `home IS NULL`. Else say here why people of other cells are meant too."
    )
    assert known - asked == set(), "These are gone, or say it themselves by now."


def test_nobody_of_elsewhere_writes_or_is_staff() -> None:
    made = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((source.PACKAGE / "migrations").glob("*.sql"))
    )
    for view in ("people.writer", "people.passkey_claim"):
        (*_, last) = re.findall(rf"VIEW {re.escape(view)} AS(.*?);", made, re.S)
        assert "home IS NULL" in last, view


def fields_of(shape: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(shape)]


def test_what_crosses_between_cells_is_this_and_no_more() -> None:
    found = {str(one.__struct_config__.tag): fields_of(one) for one in wire.CROSSINGS}
    for kind, names in FIELDS.items():
        assert found[kind] == names.split(), (
            f"{kind}: a field more crosses the border. Say in this list that it is meant, in "
            "docs/explanation/across-the-border.md what it tells, and in abroad/sheets.py that it "
            "leaves (with a higher VERSION)."
        )


def test_no_shape_has_a_word_for_what_stays_home() -> None:
    for shape in (*wire.CROSSINGS, wire.File, wire.Film, wire.Captions):
        for name in fields_of(shape):
            assert not set(name.split("_")) & set(STAYS), f"{shape.__name__}.{name}"
    for kind in wire.KINDS:
        assert not set(kind.split("-")) & {"like", "view", "watch", "block", "mute", "search"}
