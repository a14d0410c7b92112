"""Whether the list of signers of content credentials can be used, for the doctor."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

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
        listed = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        listed.load_verify_locations(cafile=place)
    except OSError as error:
        # An SSLError is an OSError, too.
        is_away = not isinstance(error, ssl.SSLError)
        why = "cannot be read" if is_away else "is no list of certificates (PEM)"
        yield Finding("WARN", SUBJECT, f"{place} {why}, so no film counts as trusted", HOW)
        return
    ends = [str(each["notAfter"]) for each in listed.get_ca_certs()]
    over = sum(ssl.cert_time_to_seconds(each) <= time.time() for each in ends)
    if over:
        found = f"{over} of {len(ends)} in {place} are over"
        yield Finding("WARN", SUBJECT, found, "Put the newer certificates of their makers there.")
    else:
        yield Finding("OK", SUBJECT, f"{len(ends)} in {place}")
