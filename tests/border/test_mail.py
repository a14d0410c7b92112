"""Codes go through a mail server that speaks real SMTP over real TLS, and go once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.border.code_server import SECRET, code_server
from tests.border.mail_server import PASSWORD, USER, MailServer, mail_server

from luciole import code_reach, config
from luciole.border import codes as border_codes
from luciole.border.codes import senders
from luciole.border.door import Door, NotYours
from luciole.border.mail import BadAuthority, BadLogin, Login, MailSender
from luciole.border.outward import SendCode, SendNotice
from luciole.border.pushes import Sent, ServiceAway
from luciole.border.wire import Code, NoticeMail
from luciole.config import Settings
from luciole.config.sections import BorderSettings, ContactsSettings
from luciole.kit.db import Database

CODE = Code("email", "ana@example.org", "012345", "Luciole", "en", 10)
FROM = "codes@cell.example"


def now() -> datetime:
    return datetime.now(UTC)


def to(server: MailServer, login: Login | None = None, **more: Any) -> MailSender:
    return MailSender(server.url, FROM, login, now, authority=str(server.authority), **more)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with mail_server(tmp_path) as made:
        yield made


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_a_code_goes_over_tls_to_a_server_that_lets_us_in(
    tmp_path: Path, scheme: str
) -> None:
    async with mail_server(tmp_path, scheme) as server:
        sender = to(server, Login(USER, PASSWORD))
        assert sender.service == server.url
        assert await sender.send(CODE) == Sent(200)
        (mail,) = server.taken
        names = {name.lower() for name in mail}
        assert names == {
            "from", "to", "subject", "date", "message-id", "auto-submitted", "content-language",
            "content-type", "content-transfer-encoding", "mime-version",
        }  # fmt: skip
        assert (mail["To"], mail["From"]) == ("ana@example.org", f"Luciole <{FROM}>")
        assert mail.get_content().startswith("012345 is your code for Luciole. It is good for 10")
        assert "012345" not in mail["Subject"]
        # The machine's own name is nobody's business.
        assert [one for one in server.said if one.upper().startswith("EHLO")][-1].endswith(
            " cell.example"
        )
        if scheme == "smtp":
            first = [one.split(" ")[0].upper() for one in server.said]
            assert first.index("STARTTLS") < first.index("AUTH")


async def test_the_mail_is_in_the_language_of_the_person(server: MailServer) -> None:
    sender = to(server)
    await sender.send(msgspec.structs.replace(CODE, locale="fr"))
    await sender.send(msgspec.structs.replace(CODE, locale="de", cell=".A\r\nBcc: x@example.org"))
    french, other = server.taken
    assert french.get_content().startswith("012345 est votre code pour Luciole.")
    assert french["Content-Language"] == "fr"
    assert other["Content-Language"] == "en"
    assert other["Bcc"] is None
    assert other["Subject"] == "Your code for .A Bcc: x@example.org"
    assert len(server.rcpt) == 2


async def test_what_is_refused_for_good_is_not_tried_again(server: MailServer) -> None:
    sender = to(server)
    server.rcpt_status = 550
    assert await sender.send(CODE) == Sent(550)
    assert server.connections == 1
    server.rcpt_status = 250
    assert await sender.send(CODE) == Sent(200)


async def test_what_is_refused_for_now_is_tried_again_and_comes_once(server: MailServer) -> None:
    server.answers = [451, 250]
    assert await to(server).send(CODE) == Sent(200)
    assert (len(server.rcpt), len(server.taken)) == (2, 1)
    server.answers = [451] * 9
    assert await to(server).send(CODE) == Sent(451)
    assert len(server.answers) == 6


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_connection_cut_before_the_last_byte_is_made_anew(
    server: MailServer, step: str
) -> None:
    server.cuts = [step]
    assert await to(server).send(CODE) == Sent(200)
    assert (server.connections, len(server.taken)) == (2, 1)


async def test_a_connection_cut_within_the_mail_never_makes_two_of_it(server: MailServer) -> None:
    server.cuts = ["body"]
    sent = await to(server).send(CODE)
    # A short mail may be written whole before the cut is seen; then nobody knows.
    assert (sent.status, server.connections, len(server.taken)) in ((202, 1, 0), (200, 2, 1))


async def test_a_connection_cut_after_the_last_byte_is_not_made_anew(server: MailServer) -> None:
    server.cuts = ["answer"]
    assert await to(server).send(CODE) == Sent(202)
    assert (server.connections, len(server.taken)) == (1, 1)


@pytest.mark.parametrize(
    ("step", "status"), [("greeting", None), ("RCPT", None), ("DATA", None), ("answer", 202)]
)
async def test_a_slow_server_is_left_in_time(
    server: MailServer, step: str, status: int | None
) -> None:
    server.slow_at = step
    sender, begun = to(server, deadline_s=1.5), time.monotonic()
    if status is None:
        with pytest.raises(ServiceAway):
            await sender.send(CODE)
    else:
        assert await sender.send(CODE) == Sent(status)
    assert time.monotonic() - begun < 5
    # The threads are free again: one after the other gets through.
    server.slow_at = ""
    patient = MailSender(server.url, FROM, None, now, authority=str(server.authority))
    sender._deadline_s = patient._deadline_s
    for _ in range(5):
        assert await sender.send(CODE) == Sent(200)
    assert len(server.taken) == (5 if status is None else 6)


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_a_wrong_certificate_gets_nothing(tmp_path: Path, scheme: str) -> None:
    login = Login(USER, PASSWORD)
    async with mail_server(tmp_path, scheme, name="other.example") as server:
        with pytest.raises(ServiceAway, match="SSLCertVerificationError"):
            await to(server, login).send(CODE)
    async with mail_server(tmp_path, scheme) as server:
        with pytest.raises(ServiceAway, match="SSLCertVerificationError"):
            await MailSender(server.url, FROM, login, now).send(CODE)
        assert server.connections <= 1
        assert not [one for one in server.said if one.startswith(("AUTH", "MAIL", "RCPT"))]


async def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    async with mail_server(tmp_path, "smtp") as server:
        server.has_starttls = False
        with pytest.raises(ServiceAway, match="SMTPNotSupportedError"):
            await to(server, Login(USER, PASSWORD)).send(CODE)
        assert [one.split(" ")[0].upper() for one in server.said] == ["EHLO"]


async def test_an_address_beyond_ascii_needs_a_server_that_takes_it(server: MailServer) -> None:
    sender = to(server)
    host = msgspec.structs.replace(CODE, to="ana@exämple.org")
    assert await sender.send(host) == Sent(200)
    assert server.rcpt[-1] == "rcpt TO:<ana@xn--exmple-cua.org>"
    local = msgspec.structs.replace(CODE, to="anaïs@example.org")
    assert await sender.send(local) == Sent(553)
    server.has_utf8 = True
    assert await sender.send(local) == Sent(200)
    assert server.taken[-1]["To"] == "anaïs@example.org"
    for bad in ("ana", "ana@a.example,ben@b.example", "ana@example.org\r\nDATA"):
        assert await sender.send(msgspec.structs.replace(CODE, to=bad)) == Sent(553)
    assert len(server.taken) == 2


# --- the door, the settings, the doctor ---------------------------------------------------------


async def test_the_door_counts_a_mail_and_logs_nothing_of_it(
    server: MailServer, empty_url: str, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    db = await Database.open(empty_url, role="luciole_gateway_process", size=2)
    door = Door(db, dict, None, None, frozenset, {"email": to(server, Login(USER, "wrong"))})  # type: ignore[arg-type]
    asked = SendCode(msgspec.json.encode(CODE))
    answer = await door.answer("api", asked)
    assert (answer.status, answer.code) == (535, "not-sent")
    door._code_senders = {"email": to(server, Login(USER, PASSWORD))}
    assert (await door.answer("api", asked)).status == 200
    server.cuts = ["answer"]
    assert (await door.answer("api", asked)).status == 200
    phone = SendCode(msgspec.json.encode(msgspec.structs.replace(CODE, channel="phone")))
    assert (await door.answer("api", phone)).code == "no-sender"
    async with db.tx() as tx:
        found = await tx.fetch("SELECT kind, service FROM border.crossing")
    assert [tuple(row) for row in found] == [("code", server.url)] * 3
    await db.close()
    told = caplog.text + "".join(capfd.readouterr())
    for secret in ("ana", "012345", PASSWORD, USER):
        assert secret not in told.replace("luciole.", "")


def test_the_login_and_the_authority_are_files(tmp_path: Path) -> None:
    place = tmp_path / "login"
    with pytest.raises(BadLogin, match="cannot be read"):
        Login.of(str(place))
    place.write_text("only one line\n")
    with pytest.raises(BadLogin, match="two lines"):
        Login.of(str(place))
    place.write_text("user\npass word\n")
    assert Login.of(str(place)) == ("user", "pass word")
    with pytest.raises(BadAuthority, match="no certificates"):
        MailSender("smtps://mail.test", FROM, None, now, authority=str(place))


@pytest.mark.parametrize(
    ("url", "sender", "says"),
    [
        ("smtp+plain://mail.example", FROM, "MAIL_URL"),
        ("smtps://user:password@mail.example", FROM, "MAIL_URL"),
        ("https://mail.example", FROM, "MAIL_URL"),
        ("smtps://mail.example", "", "MAIL_FROM"),
        ("smtps://mail.example", "Luciole <codes@cell.example>", "MAIL_FROM"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(url: str, sender: str, says: str) -> None:
    with pytest.raises(config.SettingError, match=says):
        config.load({"LUCIOLE_BORDER_MAIL_URL": url, "LUCIOLE_BORDER_MAIL_FROM": sender})


def test_mail_is_a_kind_of_code_where_a_mail_server_is_named() -> None:
    border = BorderSettings(mail_url="smtp+plain://127.0.0.1:2525", mail_from=FROM)
    assert Settings(border=border).code_kinds == {"email"}
    assert set(senders(border, now)) == {"email"}
    assert Settings().code_kinds == frozenset()


async def test_the_doctor_says_when_codes_cannot_be_sent(
    server: MailServer, tmp_path: Path
) -> None:
    login = tmp_path / "login"
    login.write_text(f"{USER}\n{PASSWORD}\n")
    border = BorderSettings(
        mail_url=server.url,
        mail_from=FROM,
        mail_login_file=str(login),
        mail_authority_file=str(server.authority),
    )

    async def said(settings: Settings) -> list[tuple[str, str]]:
        found = await asyncio.to_thread(lambda: list(code_reach.looked(settings)))
        return [(one.verdict, one.sentence) for one in found]

    assert await said(Settings(border=border)) == [
        ("OK", f"{server.url} takes them for mail addresses"),
        ("OK", "none can be sent to telephone numbers"),
    ]
    assert server.taken == []
    login.write_text(f"{USER}\nwrong\n")
    verdict, sentence = (await said(Settings(border=border)))[0]
    assert verdict == "WARN"
    assert "answers 535" in sentence
    away = msgspec.structs.replace(border, mail_url="smtps://127.0.0.1:1")
    verdict, sentence = (await said(Settings(border=away)))[0]
    assert verdict == "WARN"
    assert "ConnectionRefusedError" in sentence
    login.unlink()
    assert (await said(Settings(border=border)))[0][0] == "FAIL"
    assert (await said(Settings()))[0][0] == "OK"
    assert (await said(Settings(contacts=ContactsSettings(peer="sg"))))[0][0] == "WARN"


# --- the operator's own program -----------------------------------------------------------------


async def test_a_program_that_is_away_for_a_moment_is_asked_again_with_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    monkeypatch.setattr(border_codes, "PAUSE_S", 0.01)
    with code_server() as program:
        border = BorderSettings(codes_url=program.url, codes_secret_file=str(secret))
        sender = senders(border, now)["phone"]
        sender.look()
        assert program.taken == []
        program.status = 503
        assert await sender.send(CODE) == Sent(503)
        assert len(program.taken) == 3
        assert len({one["id"] for one in program.taken}) == 1
        program.status = 400
        assert await sender.send(CODE) == Sent(400)
        assert len(program.taken) == 4
        assert program.faults == []


PAGE = "https://us.test/report#aB3_-cdefgh"


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize(
    "what", ["received", "acted", "no-violation", "gone", "upheld", "reversed"]
)
async def test_who_sent_a_notice_reads_where_it_stands_and_how_to_appeal(
    server: MailServer, what: Any, locale: str
) -> None:
    mail = NoticeMail("zoe@example.org", what, "Lu\r\nBcc: x@y.z", locale, PAGE, "2027-05-30")
    assert await to(server).send_notice(mail) == Sent(200)
    (taken,) = server.taken
    text = taken.get_content()
    assert (taken["To"], taken["Bcc"]) == ("zoe@example.org", None)
    assert taken["Content-Language"] == locale
    assert "Lu Bcc: x@y.z" in taken["Subject"]
    assert PAGE in text
    assert ("2027-05-30" in text) == (what == "no-violation")
    assert "{" not in text
    assert "@example.org" not in text


async def test_only_the_mail_server_is_asked_for_notices(
    server: MailServer, empty_url: str
) -> None:
    mail = NoticeMail("zoe@example.org", "received", "Luciole", "en", PAGE)
    asked = SendNotice(msgspec.json.encode(mail))
    db = await Database.open(empty_url, role="luciole_gateway_process", size=2)
    door = Door(db, dict, None, None, frozenset, {"email": to(server)})  # type: ignore[arg-type]
    for asker in ("api", "worker"):
        assert (await door.answer(asker, asked)).status == 200
    assert len(server.taken) == 2
    with pytest.raises(NotYours):
        await door.answer("ledger", asked)
    async with db.tx() as tx:
        found = await tx.fetch("SELECT kind, service FROM border.crossing")
    assert [tuple(row) for row in found] == [("notice", server.url)] * 2
    # A program that sends codes does not know what else a mail may say.
    program = border_codes.CodeSender("https://codes.test/", SECRET.encode(), now)
    for others in ({}, {"email": program}):
        door._code_senders = others
        assert (await door.answer("api", asked)).code == "no-sender"
    await db.close()
