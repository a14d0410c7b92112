"""Ways in and out: passkeys of a virtual authenticator, passwords, recovery codes, sessions."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import CDPSession, Page, Route, expect
from tests.e2e.stage import PASSWORD, Cell, Stage

# Where pictures of the pages go, for eyes; none where it is not set.
FOLDER = os.environ.get("LUCIOLE_PICTURES", "")


async def pictured(page: Page, name: str) -> None:
    if FOLDER:
        await page.screenshot(path=f"{FOLDER}/{name}.png")


async def authenticator(page: Page) -> CDPSession:
    """A device that keeps passkeys and says yes for its owner."""
    line = await page.context.new_cdp_session(page)
    await line.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await line.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return line


async def fill_in(page: Page, handle: str, age: str = "18 or over") -> None:
    await page.get_by_test_id("sign-up-handle").fill(handle)
    await page.get_by_test_id("sign-up-name").fill("Somebody")
    await page.get_by_text(age, exact=True).click()


async def submit_with_password(page: Page) -> None:
    await page.get_by_test_id("sign-up-use-password").click()
    await page.get_by_test_id("sign-up-password").fill(PASSWORD)
    await page.get_by_test_id("sign-up-submit").click()


async def keep_codes(page: Page) -> list[str]:
    codes = page.get_by_test_id("recovery-codes").locator("li")
    await expect(codes).to_have_count(10)
    await expect(page.get_by_test_id("codes-done")).to_be_disabled()
    await page.get_by_test_id("codes-kept").check()
    found = await codes.all_inner_texts()
    await page.get_by_test_id("codes-done").click()
    return found


async def sign_out(page: Page) -> None:
    await page.goto("/settings")
    await page.get_by_test_id("sign-out").click()
    await expect(page.get_by_test_id("nav-sign-in")).to_be_visible()


async def signed_in(page: Page, handle: str) -> None:
    await expect(page.get_by_test_id("nav-profile")).to_have_attribute("href", f"/@{handle}")


async def sign_in(page: Page, handle: str, password: str = PASSWORD) -> None:
    await page.goto("/sign-in")
    await page.get_by_test_id("sign-in-handle").fill(handle)
    await page.get_by_test_id("sign-in-password").fill(password)
    await page.get_by_test_id("sign-in-submit").click()


async def test_passkey_signs_up_and_in_and_a_second_one_is_added_and_removed(
    cell: Cell, stage: Stage
) -> None:
    page, handle = await stage.phone(), cell.handle("key")
    # A browser that does not offer passkeys in the field: the button asks for one.
    await page.add_init_script(
        "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
    )
    line = await authenticator(page)
    await page.goto("/sign-up")
    await fill_in(page, handle)
    await page.get_by_test_id("sign-up-submit").click()
    await keep_codes(page)
    await signed_in(page, handle)
    await sign_out(page)

    await page.goto("/sign-in")
    await page.get_by_test_id("sign-in-passkey").click()
    await signed_in(page, handle)

    # A second device: the first is not at hand.
    await line.send("WebAuthn.disable")
    await authenticator(page)
    await page.goto("/settings")
    keys = page.get_by_test_id("passkeys").locator("li")
    await expect(keys).to_have_count(1)
    await page.get_by_test_id("passkey-add").click()
    await expect(keys).to_have_count(2)
    await keys.first.get_by_role("button").click()
    await expect(keys).to_have_count(1)
    # The last way in cannot be removed, and the page says so.
    await keys.first.get_by_role("button").click()
    await expect(page.locator("#passkeys").get_by_test_id("problem")).to_be_visible()
    await expect(keys).to_have_count(1)


async def test_who_has_a_passkey_of_a_former_name_is_told_on_the_way_in_and_in_the_settings(
    cell: Cell, stage: Stage
) -> None:
    """The cell's own answers, as they are once it was `old.example`."""
    page, handle = await stage.phone(), cell.handle("former")
    await authenticator(page)

    async def named(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(
            response=answer, json={**await answer.json(), "former_hosts": ["old.example"]}
        )

    async def listed(route: Route) -> None:
        answer = await route.fetch()
        items = [{**one, "former_host": "old.example"} for one in (await answer.json())["items"]]
        await route.fulfill(response=answer, json={"items": items})

    await page.goto("/sign-up")
    await fill_in(page, handle)
    await page.get_by_test_id("sign-up-submit").click()
    await keep_codes(page)
    await signed_in(page, handle)
    await page.goto("/settings")
    await expect(page.get_by_test_id("passkeys").locator("li")).to_have_count(1)
    await expect(page.get_by_test_id("passkey-former")).to_have_count(0)
    await page.route("**/api/me/passkeys", listed)
    await page.reload()
    told = page.get_by_test_id("passkey-former")
    await expect(told).to_contain_text("Made for old.example")
    await told.scroll_into_view_if_needed()
    await pictured(page, "former-settings")
    await page.get_by_test_id("sign-out").click()
    await page.route("**/api/cell", named)
    await page.add_init_script(
        "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
    )
    await page.goto("/sign-in")
    await expect(page.get_by_test_id("sign-in-former")).to_contain_text("recovery code")
    await pictured(page, "former-sign-in")


@pytest.mark.long
async def test_passkey_offered_in_the_handle_field_signs_in(cell: Cell, stage: Stage) -> None:
    page, handle = await stage.phone(), cell.handle("field")
    await authenticator(page)
    await page.goto("/sign-up")
    await fill_in(page, handle)
    await page.get_by_test_id("sign-up-submit").click()
    await keep_codes(page)
    await sign_out(page)
    # The virtual device picks what the field offers, without a press of the button.
    await page.goto("/sign-in")
    await signed_in(page, handle)


async def test_password_signs_in_and_a_wrong_one_is_refused_with_a_way_on(
    cell: Cell, stage: Stage
) -> None:
    member = await cell.member("pass")
    page = await stage.desktop()
    await sign_in(page, member.handle, "not the password")
    await expect(page.get_by_test_id("problem")).to_contain_text("recovery code")
    await sign_in(page, member.handle)
    await signed_in(page, member.handle)


async def test_taken_handle_and_too_young_person_are_told_before_anything_is_made(
    cell: Cell, stage: Stage
) -> None:
    member = await cell.member("taken")
    page = await stage.phone(path="/sign-up")
    await fill_in(page, member.handle)
    await expect(page.get_by_test_id("handle-hint")).to_contain_text("taken")
    await fill_in(page, cell.handle("kid"), "Under 13")
    await submit_with_password(page)
    await expect(page.get_by_test_id("problem")).to_be_visible()
    await expect(page.get_by_test_id("recovery-codes")).to_have_count(0)


@pytest.mark.long
async def test_recovery_code_signs_in_once(cell: Cell, stage: Stage) -> None:
    member = await cell.member("lost")
    code = member.recovery_codes[3]

    async def recover(page: Page) -> None:
        await page.goto("/sign-in")
        await page.get_by_test_id("sign-in-recovery").click()
        await page.get_by_test_id("sign-in-handle").fill(member.handle)
        await page.get_by_test_id("sign-in-code").fill(code)
        await page.get_by_test_id("sign-in-submit").click()

    page = await stage.phone()
    await recover(page)
    await signed_in(page, member.handle)
    await page.goto("/settings")
    await expect(page.locator("#recovery")).to_contain_text("9 codes left")
    again = await stage.phone()
    await recover(again)
    await expect(again.get_by_test_id("problem")).to_be_visible()
    await expect(again.get_by_test_id("nav-sign-in")).to_be_visible()


async def test_ended_session_is_out_at_its_next_step(cell: Cell, stage: Stage) -> None:
    member = await cell.member("two")
    here = await stage.desktop()
    await sign_in(here, member.handle)
    await signed_in(here, member.handle)
    there = await stage.phone(member, "/settings")
    rows = there.get_by_test_id("sessions").locator("li")
    await expect(rows).to_have_count(2)
    await there.get_by_test_id("sessions").get_by_role("button").click()
    await expect(rows).to_have_count(1)
    await here.goto("/settings")
    await expect(here.get_by_test_id("sign-in-handle")).to_be_visible()


async def test_settings_are_kept(cell: Cell, stage: Stage) -> None:
    member, new = await cell.member("old"), cell.handle("after")
    page = await stage.phone(member, "/settings")
    await page.get_by_test_id("settings-name").fill("Somebody Else")
    await page.get_by_test_id("settings-bio").fill("Watches moths.")
    await page.get_by_test_id("settings-save").click()
    await expect(page.get_by_test_id("toast").first).to_be_visible()
    await page.get_by_test_id("contact-email").fill("moth@example.org")
    await page.get_by_test_id("contact-email").press("Enter")
    await expect(page.get_by_role("button", name="Remove: E-mail")).to_be_visible()
    await page.locator("#account").get_by_test_id("sign-up-handle").fill(new)
    await page.get_by_test_id("settings-handle-save").click()
    await signed_in(page, new)
    await page.reload()
    await expect(page.get_by_test_id("contact-email")).to_have_value("moth@example.org")
    visitor = await stage.phone(path=f"/@{new}")
    await expect(visitor.get_by_test_id("profile")).to_contain_text("Somebody Else")
    await expect(visitor.get_by_test_id("profile")).to_contain_text("Watches moths.")
    # Nobody gets the old handle.
    await visitor.goto("/sign-up")
    await fill_in(visitor, member.handle)
    await submit_with_password(visitor)
    await expect(visitor.get_by_test_id("problem")).to_contain_text("or once did")


@pytest.mark.long
async def test_recovery_codes_are_renewed_and_password_is_changed(cell: Cell, stage: Stage) -> None:
    member = await cell.member("renewer")
    page = await stage.phone(member, "/settings")
    await page.get_by_test_id("recovery-renew").click()
    assert set(await keep_codes(page)).isdisjoint(member.recovery_codes)
    await page.get_by_test_id("password-open").click()
    await page.get_by_test_id("password-current").fill(PASSWORD)
    await page.get_by_test_id("password-new").fill("nine violet lanterns")
    await page.get_by_test_id("password-save").click()
    await expect(page.get_by_test_id("password-open")).to_be_visible()
    other = await stage.phone()
    await sign_in(other, member.handle, "nine violet lanterns")
    await signed_in(other, member.handle)


@pytest.mark.long
async def test_too_young_person_is_told_before_the_device_makes_a_passkey(
    cell: Cell, stage: Stage
) -> None:
    page = await stage.phone()
    line = await authenticator(page)
    made: list[object] = []
    line.on("WebAuthn.credentialAdded", lambda told: made.append(told))
    await page.goto("/sign-up")
    await fill_in(page, cell.handle("young"), "Under 13")
    await page.get_by_test_id("sign-up-submit").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("no accounts for your age")
    assert made == []
    # The same person, older: the device is asked.
    await page.get_by_text("18 or over", exact=True).click()
    await page.get_by_test_id("sign-up-submit").click()
    await expect(page.get_by_test_id("recovery-codes")).to_be_visible()
    assert len(made) == 1


@pytest.mark.long
async def test_who_is_here_already_is_not_asked_to_sign_in(cell: Cell, stage: Stage) -> None:
    member = await cell.member("here")
    for path in ("/sign-in", "/sign-up"):
        page = await stage.phone(member, f"{path}?next=%2Fnotifications")
        await expect(page.get_by_test_id("nav-notifications")).to_have_attribute(
            "aria-current", "page"
        )
