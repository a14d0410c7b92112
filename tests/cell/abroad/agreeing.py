"""How a person says yes to what crosses."""

from __future__ import annotations

from tests.cell.house import Browser


async def agree(person: Browser, act: str = "clip", locale: str = "en") -> None:
    """Reads the sheet and says yes."""
    sheet = (await person.get(f"/api/me/abroad/sheets/{act}?locale={locale}")).json()
    answer = await person.put(
        f"/api/me/abroad/consents/{act}", json={"sha256": sheet["sha256"], "locale": locale}
    )
    assert answer.status_code == 200, answer.text
