"""Whether the list of signers of content credentials can be used, for the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from luciole.cell.media.credentials import MOST_ANCHORS_BYTES
from luciole.config import Settings
from luciole.finding import Finding

SUBJECT = "signers"
HOW = "See docs/howto/check-content-credentials.md for how to make one."


def looked(settings: Settings) -> Iterator[Finding]:
    """What the file of LUCIOLE_MEDIA_TRUST_ANCHORS holds; nothing where none is set."""
    if not settings.media.trust_anchors:
        return
    place = Path(settings.media.trust_anchors)
    try:
        if place.stat().st_size > MOST_ANCHORS_BYTES:
            yield Finding("WARN", SUBJECT, f"{place} is larger than 4 MiB and is not used", HOW)
            return
        listed = x509.load_pem_x509_certificates(place.read_bytes())
    except (OSError, ValueError) as error:
        why = "cannot be read" if isinstance(error, OSError) else "is no list of certificates (PEM)"
        yield Finding("WARN", SUBJECT, f"{place} {why}, so no film counts as trusted", HOW)
        return
    over = sum(each.not_valid_after_utc <= datetime.now(UTC) for each in listed)
    if over:
        found = f"{over} of {len(listed)} in {place} are over"
        yield Finding("WARN", SUBJECT, found, "Put the newer certificates of their makers there.")
    else:
        yield Finding("OK", SUBJECT, f"{len(listed)} in {place}")
