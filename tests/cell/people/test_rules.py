"""The rules of fields, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.cell.people import model
from luciole.cell.people.guessable import is_guessable
from luciole.cell.people.limits import Limits
from luciole.cell.people.refusals import BadBio, BadDisplayName, BadHandle, HandleTaken
from luciole.config import PeopleSettings
from luciole.kit.errors import TooMany

handles = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.", min_size=3, max_size=24)


@given(typed=st.text(max_size=30) | handles | handles.map(str.upper) | handles.map("@{}".format))
def test_a_handle_has_one_form_in_a_small_alphabet(typed: str) -> None:
    try:
        handle = model.handle_of(typed)
    except (BadHandle, HandleTaken):
        return
    assert 3 <= len(handle) <= 24
    assert set(handle) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.")
    assert any(c.isalpha() for c in handle)
    # Every spelling leads to the same handle, and looking for it finds it.
    for spelling in (handle, handle.upper(), f"@{handle}", f" {handle} ", typed):
        assert model.handle_of(spelling) == handle == model.handle_sought(spelling)


@given(handle=handles, place=st.integers(0, 30), mark=st.sampled_from("._"))
def test_separators_and_digits_that_look_like_letters_do_not_make_another(
    handle: str, place: int, mark: str
) -> None:
    dressed = handle[:place] + mark + handle[place:]
    assert model.likeness(dressed) == model.likeness(handle)
    assert model.likeness(handle.replace("o", "0").replace("l", "1")) == model.likeness(handle)


@given(text=st.text(max_size=60))
def test_a_name_is_stable_visible_and_on_one_line(text: str) -> None:
    try:
        name = model.display_name_of(text)
    except BadDisplayName:
        return
    assert model.display_name_of(name) == name
    assert 1 <= len(name) <= 50
    assert "\0" not in name
    assert not set(name) & set("\n\r\t\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028")
    name.encode()


@given(text=st.text(max_size=320))
def test_a_bio_is_stable(text: str) -> None:
    try:
        bio = model.bio_of(text)
    except BadBio:
        return
    assert model.bio_of(bio) == bio
    assert len(bio) <= 300
    assert "\0" not in bio


@pytest.mark.parametrize(
    "name",
    ["Ana", "Łukasz", "李小龙", "محمد", "می‌خواهم", "👩‍🚀 Zoë", "Nguyễn Văn Ệ", "Q", "7", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"],
)
def test_names_of_the_world_are_fine(name: str) -> None:
    assert model.display_name_of(name)


@pytest.mark.parametrize(
    "email", ["a@b.co", "ana+luz@example.org", "josé@exemple.fr", "a@xn--bcher-kva.example"]
)
def test_addresses_of_the_world_are_fine(email: str) -> None:
    assert model.contact_of("email", f" {email} ") == email


@pytest.mark.parametrize(
    "password",
    [
        "123456789",
        "1234567890",
        "0987654321",
        "password12",
        "Password123!",
        "p@ssw0rd2024",
        "qwertyuiop",
        "azertyuiop1",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "iloveyou123",
        "letmeinnow1",
        "abcabcabcabc",
        "abc123abc123",
        "summer2026!!",
        "monkeydragon",
        "luciole2026",
        "motdepasse1",
        "zzzzzzzzzz",
        "ana.luz.ana.luz",
        "anaLuz123456",
        "qwerty123456",
        "aaaaabbbbb",
        "11111222223333344444",
        "football99!",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert is_guessable(password, "ana.luz")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "seven turquoise herons",
        "gK4!vTz9q#Lm",
        "t7wq-ojzp-m2xk",
        "le vent se lève",
        "我的密码是一只大熊猫吃竹子",
        "burgomasters of Delft",
    ],
)
def test_what_is_hard_to_guess_is_fine(password: str) -> None:
    assert not is_guessable(password, "ana.luz")


@given(password=st.text(max_size=80), handle=handles)
def test_judging_a_password_ends_and_never_fails(password: str, handle: str) -> None:
    assert is_guessable(password, handle) or len(password) >= 10


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", "Safari on iOS"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15) Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Firefox/144.0", "Firefox on Linux"),
        ("LucioleApp/3.1 (Android 15; SM-G991B; de_DE; 411dpi)", "An app on Android"),
        ("", "An app"),
        ("x" * 5000, "An app"),
    ],
)
def test_a_device_is_named_by_family_only(user_agent: str, label: str) -> None:
    assert model.device_label(user_agent) == label


def test_limits_refill_and_keep_addresses_apart() -> None:
    now = [0.0]
    limits = Limits(PeopleSettings(sign_ins_per_minute=2), lambda: now[0])
    limits.sign_in("192.0.2.1")
    limits.sign_in("192.0.2.1")
    with pytest.raises(TooMany) as refusal:
        limits.sign_in("192.0.2.1")
    assert refusal.value.retry_after_s == 30
    limits.sign_in("192.0.2.2")
    limits.sign_in("::ffff:192.0.2.3")
    limits.sign_in("192.0.2.3")
    with pytest.raises(TooMany):
        limits.sign_in("192.0.2.3")
    now[0] = 30.0
    limits.sign_in("192.0.2.1")
    with pytest.raises(TooMany):
        limits.sign_in("192.0.2.1")
