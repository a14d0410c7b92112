"""Sends codes, and answers to notices, as mail through the operator's own mail server (RFC 5321,
docs/howto/send-codes.md).

TLS from the first byte (`smtps://`), or STARTTLS that must be had (`smtp://`); in the clear to this
machine only (`smtp+plain://`). Nothing of the code, the address or the login is logged: of what a
server answers, the three digits at most.

When something goes wrong, one question decides: can the server have the mail? Before the last byte
of it was written it has none, and after a refusal in digits neither: then it may be tried again,
while there is time. After that byte and without an answer nobody knows; it is not tried again and
counts as sent, so that nobody gets one code twice and whoever has it can type it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec

from luciole.border import notice_texts
from luciole.border.pushes import Sent, ServiceAway
from luciole.border.tries import DEADLINE_S, PAUSE_S, TRIES
from luciole.border.wire import Code, NoticeMail
from luciole.kit.ids import new_id

PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
AT_ONCE = 4
# Beside the server's own words: it has the mail; nobody knows; the address cannot be written to.
TAKEN, UNKNOWN, NO_SUCH_ADDRESS = 200, 202, 553
_PLAIN = re.compile(r"[^\s@\"(),:;<>\[\]\\\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,255}")
_DOT = re.compile(rb"^\.", re.MULTILINE)

TEXTS = {
    "en": (
        "Your code for {cell}",
        "{code} is your code for {cell}. It is good for {minutes} minutes.\n\n"
        "Did you not ask for it? Then do nothing: without the code nothing happens.\n",
    ),
    "fr": (
        "Votre code pour {cell}",
        "{code} est votre code pour {cell}. Il est valable {minutes} minutes.\n\n"
        "Vous n’avez rien demandé ? Ne faites rien : sans le code, il ne se passe rien.\n",
    ),
}


class BadLogin(Exception):
    """The file of the login cannot be used. The text is a sentence."""


class BadAuthority(Exception):
    """The file of certificates cannot be used. The text is a sentence."""


class Login(NamedTuple):
    """Who we are for the mail server."""

    user: str
    password: str

    @classmethod
    def of(cls, place: str) -> Login | None:
        """From a file of two lines; None without a file. Raises BadLogin."""
        if not place:
            return None
        try:
            lines = Path(place).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            raise BadLogin(f"{place} cannot be read ({type(error).__name__}).") from error
        if len(lines) != 2 or not all(lines):
            raise BadLogin(f"{place} should hold two lines: the user and the password.")
        return cls(*lines)


class Refused(Exception):
    """The server has said no, in three digits, and has not taken the mail."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class MailSender:
    """The operator's mail server. Each mail goes in a thread, over a connection of its own."""

    def __init__(
        self,
        url: str,
        sender: str,
        login: Login | None,
        now: Callable[[], datetime],
        *,
        authority: str = "",
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`authority`: a file of certificates to trust in place of the system's. Raises
        BadAuthority."""
        self.url, self.sender, self.login = urlsplit(url), sender, login
        self.tls = None if self.url.scheme == "smtp+plain" else _tls(authority)
        self.host, self.port = self.url.hostname or "", _port(self.url)
        self.service = f"{self.url.scheme}://{self.host}:{self.port}"
        # What we call ourselves before the server, rather than this machine's name.
        self.domain = sender.rpartition("@")[2]
        self._now, self._deadline_s = now, deadline_s
        self._threads = ThreadPoolExecutor(AT_ONCE, "mail")

    async def send(self, code: Code) -> Sent:
        """200 where the server has taken the mail, 202 where nobody knows, else the server's word.
        Raises ServiceAway."""
        try:
            to = plain(code.to)
        except ValueError:
            return Sent(NO_SUCH_ADDRESS)
        return await self._send(to, self.mail(msgspec.structs.replace(code, to=to)))

    async def send_notice(self, notice: NoticeMail) -> Sent:
        """The same of a mail to who sent a notice. Raises ServiceAway."""
        try:
            to = plain(notice.to)
        except ValueError:
            return Sent(NO_SUCH_ADDRESS)
        said = notice_texts.of(notice)
        return await self._send(to, self._message(to, notice.cell, *said))

    async def _send(self, to: str, mail: EmailMessage) -> Sent:
        attempt = _Attempt(self, time.monotonic() + self._deadline_s)
        work = asyncio.get_running_loop().run_in_executor(self._threads, attempt.run, to, mail)
        try:
            return await asyncio.wait_for(asyncio.shield(work), self._deadline_s)
        except TimeoutError:
            work.add_done_callback(_nobody_waits)
            if attempt.end():
                return Sent(UNKNOWN)
            raise ServiceAway("TimeoutError") from None

    def look(self) -> None:
        """Connects and signs in, and sends nothing. Raises ServiceAway, Refused."""
        _Attempt(self, time.monotonic() + self._deadline_s).look()

    def mail(self, code: Code) -> EmailMessage:
        """The mail: a code for whoever asked for it. Nothing in it is of a person but the address,
        which is as `plain` gives it."""
        subject, text = TEXTS.get(code.locale, TEXTS["en"])
        cell = " ".join(code.cell.split())
        said = text.format(code=code.code, cell=cell, minutes=code.minutes)
        locale = code.locale if code.locale in TEXTS else "en"
        return self._message(code.to, cell, subject.format(cell=cell), said, locale)

    def _message(self, to: str, cell: str, subject: str, text: str, locale: str) -> EmailMessage:
        message = EmailMessage(SMTP)
        message["From"] = _address(" ".join(cell.split()), self.sender)
        message["To"] = _address("", to)
        message["Subject"] = subject
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = f"<{new_id()}@{self.domain}>"
        # No machine is to answer it (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        message["Content-Language"] = locale
        return message


class _Connection(smtplib.SMTP):
    """A connection that another thread can cut."""

    def __init__(self, sender: MailSender, timeout_s: float) -> None:
        self._sender, self._is_cut = sender, False
        super().__init__(local_hostname=sender.domain, timeout=timeout_s)
        # `starttls` checks the certificate against this name.
        self._host = sender.host

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((host, port), timeout)
        try:
            if self._sender.tls is not None and self._sender.url.scheme == "smtps":
                made = self._sender.tls.wrap_socket(made, server_hostname=host)
            if self._is_cut:
                raise TimeoutError
        except BaseException:
            made.close()
            raise
        return made

    def cut(self) -> None:
        self._is_cut = True
        # The other thread may be about to have a socket, or to have none any more.
        with contextlib.suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


class _Attempt:
    """One mail on its way: some tries, of which one at most gets to the last byte."""

    def __init__(self, sender: MailSender, until: float) -> None:
        self._sender, self._until = sender, until
        self._connection: _Connection | None = None
        self._is_out = self._is_ended = False

    def run(self, to: str, mail: EmailMessage) -> Sent:
        """Raises ServiceAway."""
        for number in range(1, TRIES + 1):
            try:
                return self._once(to, mail)
            except Refused as refused:
                # 4yz: another time perhaps (RFC 5321, section 4.2.1).
                if not 400 <= refused.status < 500 or number == TRIES:
                    return Sent(refused.status)
            except (OSError, smtplib.SMTPException, ValueError) as error:
                if self._is_out:
                    return Sent(UNKNOWN)
                if not _may_pass(error) or number == TRIES:
                    raise ServiceAway(type(error).__name__) from error
            if self._is_ended or self._left() <= PAUSE_S * number:
                break
            time.sleep(PAUSE_S * number)
        raise ServiceAway("TimeoutError")

    def look(self) -> None:
        try:
            self._open().close()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise ServiceAway(type(error).__name__) from error

    def end(self) -> bool:
        """Cuts it, from another thread. Whether the server may have the mail."""
        self._is_ended = True
        if self._connection is not None:
            self._connection.cut()
        return self._is_out

    def _once(self, to: str, mail: EmailMessage) -> Sent:
        is_ascii = to.isascii()
        body = _DOT.sub(b"..", mail.as_bytes(policy=SMTP.clone(utf8=not is_ascii)))
        connection = self._open()
        try:
            if not is_ascii and not connection.has_extn("smtputf8"):
                raise Refused(NO_SUCH_ADDRESS)
            options = () if is_ascii else ("SMTPUTF8", "BODY=8BITMIME")
            _said(connection.mail(self._sender.sender, options), (250,))
            _said(connection.rcpt(to), (250, 251))
            _said(connection.docmd("DATA"), (354,))
            connection.send(body)
            if self._is_ended:
                raise TimeoutError
            # If we stop after this line, the server may have it.
            self._is_out = True
            connection.send(b".\r\n")
            status, _ = connection.getreply()
            if status >= 400:
                self._is_out = False
                raise Refused(status)
            return Sent(TAKEN)
        finally:
            connection.close()

    def _open(self) -> _Connection:
        """A connection that is encrypted, or to this machine, and signed in. Raises Refused, what
        smtplib raises, OSError."""
        sender = self._sender
        made = self._connection = _Connection(sender, max(self._left(), 0.1))
        try:
            if self._is_ended:
                raise TimeoutError
            _said(made.connect(sender.host, sender.port), (220,))
            made.ehlo_or_helo_if_needed()
            if sender.url.scheme == "smtp":
                # Raises SMTPNotSupportedError where it is not offered: never on in the clear.
                _said(made.starttls(context=sender.tls), (220,))
                made.ehlo_or_helo_if_needed()
            if sender.login is not None:
                made.login(*sender.login)
        except smtplib.SMTPResponseException as error:
            made.close()
            raise Refused(error.smtp_code) from error
        except BaseException:
            made.close()
            raise
        return made

    def _left(self) -> float:
        return self._until - time.monotonic()


def plain(address: str) -> str:
    """The same, with the host as the DNS writes it. Raises ValueError for what is none, or is one
    that would have to be quoted."""
    local, at, host = address.rpartition("@")
    found = f"{local}{at}{host.encode('idna').decode()}"
    if not _PLAIN.fullmatch(found):
        raise ValueError("not a plain address")
    return found


def _address(name: str, address: str) -> Address:
    local, _, host = address.rpartition("@")
    return Address(name, local, host)


def _said(answer: tuple[int, bytes], expected: tuple[int, ...]) -> None:
    """Raises Refused for another answer than these."""
    if answer[0] not in expected:
        raise Refused(answer[0])


def _may_pass(error: Exception) -> bool:
    """Whether another try can help: not with a certificate that is wrong or TLS that is missing."""
    return not isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError | ValueError)


def _tls(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority or None)
    except OSError as error:
        why = f"{authority} holds no certificates that can be used ({type(error).__name__})."
        raise BadAuthority(why) from error


def _port(url: SplitResult) -> int:
    return url.port or PORTS[url.scheme]


def _nobody_waits(work: asyncio.Future[Sent]) -> None:
    """What came of it after the time is nobody's any more."""
    if not work.cancelled():
        work.exception()
