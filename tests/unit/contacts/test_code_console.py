"""The demo's console takes codes from its own gateway only, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from luciole import code_console
from luciole.border.codes import BadSecret, CodeSender
from luciole.border.pushes import ServiceAway
from luciole.border.wire import Code
from luciole.config import Settings

CODE = Code("phone", "+33612345678", "012345", "Luciole", "en", 10)


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_code_of_the_gateway_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    console = await code_console.begun(Settings(data_dir=str(tmp_path)), told.append)
    url = console.environment["LUCIOLE_BORDER_CODES_URL"]
    secret_file = console.environment["LUCIOLE_BORDER_CODES_SECRET_FILE"]
    sender = CodeSender.of(url, secret_file, now)
    assert sender is not None
    assert (await sender.send(CODE)).status == 204
    assert len(told) == 1
    assert "+33612345678 would say: 012345 is your code" in told[0]
    other = CodeSender(url, b"another secret of 16", now)
    assert (await other.send(CODE)).status == 403
    late = CodeSender.of(url, secret_file, lambda: now() - timedelta(minutes=6))
    assert late is not None
    assert (await late.send(CODE)).status == 403
    mail = msgspec.structs.replace(CODE, channel="email", to="ana@example.org")
    assert (await sender.send(mail)).status == 204
    assert len(told) == 2
    console.close()
    with pytest.raises(ServiceAway):
        await sender.send(CODE)


def test_a_secret_that_is_short_or_missing_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    with pytest.raises(BadSecret, match="cannot be read"):
        CodeSender.of("https://codes.test/", str(place), now)
    place.write_text("short")
    with pytest.raises(BadSecret, match="16 bytes"):
        CodeSender.of("https://codes.test/", str(place), now)
    assert CodeSender.of("", "", now) is None
