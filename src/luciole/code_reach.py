"""Whether codes that verify addresses can be sent, for the doctor. Nothing is sent to find out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from luciole.border.codes import BadSecret, senders
from luciole.border.mail import BadAuthority, BadLogin, Refused
from luciole.border.pushes import ServiceAway
from luciole.config import Settings
from luciole.finding import Finding

SUBJECT = "codes"
KINDS = {"email": "mail addresses", "phone": "telephone numbers"}
HOW = "docs/howto/send-codes.md"


def looked(settings: Settings) -> Iterator[Finding]:
    """What can be verified, and whether who sends the codes is there and lets us in."""
    if not settings.code_kinds:
        needed = bool(settings.contacts.peer)
        yield Finding(
            "WARN" if needed else "OK",
            SUBJECT,
            "none can be sent, so nobody can verify an address"
            + (" and nobody is found by one" if needed else ""),
            f"Name a mail server or a program that sends them ({HOW})." if needed else "",
        )
        return
    try:
        found = senders(settings.border, lambda: datetime.now(UTC))
    except (BadSecret, BadLogin, BadAuthority) as error:
        yield Finding("FAIL", SUBJECT, str(error), f"Correct it ({HOW}); the gateway ends there.")
        return
    for kind, says in KINDS.items():
        if kind not in found:
            yield Finding("OK", SUBJECT, f"none can be sent to {says}")
            continue
        sender = found[kind]
        try:
            sender.look()
        except Refused as refused:
            why = f"{sender.service} answers {refused.status}, so no code reaches {says}"
            yield Finding("WARN", SUBJECT, why, f"Correct the login ({HOW}).")
        except ServiceAway as away:
            why = f"{sender.service} cannot be used ({away}), so no code reaches {says}"
            yield Finding("WARN", SUBJECT, why, f"Correct its address or its certificate ({HOW}).")
        else:
            yield Finding("OK", SUBJECT, f"{sender.service} takes them for {says}")
