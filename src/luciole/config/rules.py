"""Which values of settings cannot be used, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LOOPBACK = ("127.0.0.1", "::1", "localhost")
AGE_BANDS = ("under-13", "13-15", "16-17", "18+")
RANKING = re.compile(r"(ray(:[^:/\s]+:\d+)?)?")
SHORT_NAME = re.compile(r"([a-z0-9][a-z0-9-]{0,19})?")
ORIGIN = re.compile(r"(https?://[^\s/?#@]+/?)?")
CONTACT = re.compile(r"(mailto:\S+@\S+|https://\S+)?")
# In the clear only to this machine.
CODES_URL = re.compile(
    r"(https://[^\s?#@]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?[^\s?#@]*)?"
)
# As browsers' forms take an address; what a server takes beyond that is not for a sender.
MAIL_FROM = re.compile(r"[\w.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
MAIL_URL = re.compile(
    r"(smtps?://[A-Za-z0-9.-]+(:\d{1,5})?|smtp\+plain://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?)?"
)
# Its origin is a source in the policy of the pages: no space, no semicolon, no quote.
DELIVERY_URL = re.compile(r"(https?://[\w.:\[\]-]+(/[\w./~-]*)?)?", re.ASCII)
FORMER_HOSTS = re.compile(r"([a-z0-9.-]+( [a-z0-9.-]+)*)?", re.ASCII)
PORT = range(1, 65536)


def faults(settings: Any) -> Iterator[str]:
    """A sentence for each setting of `config.Settings` that names it and says what is expected."""
    if settings.cell.minimum_age_band not in AGE_BANDS[1:]:
        yield f"LUCIOLE_CELL_MINIMUM_AGE_BAND should be one of {', '.join(AGE_BANDS[1:])}."
    is_demo = settings.cell.demo and settings.web.host in LOOPBACK
    if settings.media.allow_unfenced_decoding and not is_demo:
        yield (
            "LUCIOLE_MEDIA_ALLOW_UNFENCED_DECODING works only with LUCIOLE_CELL_DEMO=true on a "
            "loopback address: a hostile file could take over a server that others reach."
        )
    if not DELIVERY_URL.fullmatch(settings.media.delivery_url):
        yield "LUCIOLE_MEDIA_DELIVERY_URL should be such as https://films.example/media, or empty."
    if not FORMER_HOSTS.fullmatch(settings.web.former_hosts):
        yield "LUCIOLE_WEB_FORMER_HOSTS should be host names with a space between, or empty."
    if settings.web.port not in PORT:
        yield "LUCIOLE_WEB_PORT should be between 1 and 65535."
    for name in ("worker", "ledger", "border"):
        port = getattr(settings, name).metrics_port
        if port and port not in PORT:
            yield f"LUCIOLE_{name.upper()}_METRICS_PORT should be between 1 and 65535, or 0."
    if not 10 <= settings.ledger.period_ms <= 60_000:
        yield "LUCIOLE_LEDGER_PERIOD_MS should be between 10 and 60000."
    for name, least in (("bytes", 0), ("free_bytes", 0), ("bytes_per_s", 1 << 16)):
        if getattr(settings.ledger, f"mirror_{name}") < least:
            yield f"LUCIOLE_LEDGER_MIRROR_{name.upper()} should be {least} or more."
    if not RANKING.fullmatch(settings.feed.ranking):
        yield "LUCIOLE_FEED_RANKING should be empty, ray or ray:HOST:PORT."
    if not 1 <= settings.feed.replicas <= 64:
        yield "LUCIOLE_FEED_REPLICAS should be between 1 and 64."
    if settings.feed.replica_bytes < 1 << 28:
        yield "LUCIOLE_FEED_REPLICA_BYTES should be 268435456 (256 MiB) or more."
    yield from _abroad_faults(settings.abroad)
    if settings.trustee.backup_bytes < 0:
        yield "LUCIOLE_TRUSTEE_BACKUP_BYTES should be 0 or more."
    if settings.push not in ("on", "off"):
        yield "LUCIOLE_PUSH should be on or off."
    if not SHORT_NAME.fullmatch(settings.cell.short_name):
        yield "LUCIOLE_CELL_SHORT_NAME should be 1 to 20 of a-z, 0-9 and hyphens, or empty."
    if not SHORT_NAME.fullmatch(settings.keys.guardian):
        yield "LUCIOLE_KEYS_GUARDIAN should be the name of a peer, or empty."
    if settings.border.port and settings.border.port not in PORT:
        yield "LUCIOLE_BORDER_PORT should be between 1 and 65535, or 0."
    if not ORIGIN.fullmatch(settings.border.origin):
        yield "LUCIOLE_BORDER_ORIGIN should be an origin such as https://border.example, or empty."
    if not CODES_URL.fullmatch(settings.border.codes_url):
        yield "LUCIOLE_BORDER_CODES_URL should be https://…, http://127.0.0.1:…, or empty."
    if settings.border.codes_url and not settings.border.codes_secret_file:
        yield "LUCIOLE_BORDER_CODES_SECRET_FILE is needed with LUCIOLE_BORDER_CODES_URL."
    if not set(settings.border.codes_kinds.split()) <= {"phone", "email"}:
        yield "LUCIOLE_BORDER_CODES_KINDS should be phone, email, or both."
    yield from _mail_faults(settings.border)
    if not SHORT_NAME.fullmatch(settings.contacts.peer):
        yield "LUCIOLE_CONTACTS_PEER should be the short name of a peer, or empty."
    if settings.contacts.whole_filter_people < 1 or settings.contacts.new_askers_per_day < 1:
        yield "LUCIOLE_CONTACTS_… numbers should be 1 or more."
    if not 0 <= settings.contacts.rotate_days <= 365:
        yield "LUCIOLE_CONTACTS_ROTATE_DAYS should be between 0 and 365."
    if settings.border.fediverse not in ("off", "on", "open"):
        yield "LUCIOLE_BORDER_FEDIVERSE should be off, on or open."
    elif settings.border.fediverse != "off" and not (
        settings.border.port and settings.cell.short_name
    ):
        yield "LUCIOLE_BORDER_FEDIVERSE needs LUCIOLE_BORDER_PORT and LUCIOLE_CELL_SHORT_NAME."
    if not CONTACT.fullmatch(settings.border.contact):
        yield "LUCIOLE_BORDER_CONTACT should be mailto:ADDRESS or https://…."
    for name in ("person_bytes", "cell_bytes", "clips_per_day"):
        if getattr(settings.media, name) < 0:
            yield f"LUCIOLE_MEDIA_{name.upper()} should be 0 or more."
    for name in ("person_bytes", "cell_bytes"):
        if getattr(settings.messages, name) < 0:
            yield f"LUCIOLE_MESSAGES_{name.upper()} should be 0 or more."
    for name in ("reports_per_day", "message_reports_per_day"):
        if getattr(settings.paces, name) < 1:
            yield f"LUCIOLE_PACES_{name.upper()} should be 1 or more: who is harmed has to say so."
    if settings.people.registration not in ("open", "invitation", "approval", "closed"):
        yield "LUCIOLE_PEOPLE_REGISTRATION should be open, invitation, approval or closed."
    if not 0 <= settings.people.sign_up_work <= 350:
        yield "LUCIOLE_PEOPLE_SIGN_UP_WORK should be between 0 and 350."
    if settings.people.sign_ups_usual < 1:
        yield "LUCIOLE_PEOPLE_SIGN_UPS_USUAL should be 1 or more."
    if settings.log_level not in ("debug", "info", "warning", "error"):
        yield "LUCIOLE_LOG_LEVEL should be debug, info, warning or error."


def _mail_faults(border: Any) -> Iterator[str]:
    if not MAIL_URL.fullmatch(border.mail_url):
        yield (
            "LUCIOLE_BORDER_MAIL_URL should be smtps://HOST, smtp://HOST (with STARTTLS), "
            "smtp+plain://127.0.0.1, or empty; the login goes into LUCIOLE_BORDER_MAIL_LOGIN_FILE."
        )
    if border.mail_url and not MAIL_FROM.fullmatch(border.mail_from):
        yield "LUCIOLE_BORDER_MAIL_FROM should be the address that mail comes from."


def _abroad_faults(abroad: Any) -> Iterator[str]:
    if not SHORT_NAME.fullmatch(abroad.peer):
        yield "LUCIOLE_ABROAD_PEER should be the short name of a peer, or empty."
    for name, least, most in (
        ("every_s", 1, 3600),
        ("base_hours", 1, 24 * 31),
        ("days", 1, 365),
        ("spool_bytes", 1 << 26, 1 << 50),
    ):
        if not least <= getattr(abroad, name) <= most:
            yield f"LUCIOLE_ABROAD_{name.upper()} should be between {least} and {most}."
    if abroad.metrics_port and abroad.metrics_port not in PORT:
        yield "LUCIOLE_ABROAD_METRICS_PORT should be between 1 and 65535, or 0."
