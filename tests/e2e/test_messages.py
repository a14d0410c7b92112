"""Messages between two browsers, and what the cell gets to see of them."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage
from tests.e2e.test_accessibility import faults

SECRET = "the heron flies at dusk"
REPLY = "then I shall wait by the weir"


async def begin(page: Page) -> None:
    """Makes the browser a device, as its person does it."""
    await page.goto("/messages")
    await page.get_by_test_id("begin").click()
    await expect(page.get_by_test_id("messages")).to_have_attribute(
        "data-phase", "ready", timeout=PATIENCE_MS
    )


async def say(page: Page, text: str) -> Locator:
    """Writes into the open thread; gives the line once the cell has it."""
    await page.get_by_test_id("message-text").fill(text)
    await page.get_by_test_id("message-send").click()
    line = page.get_by_test_id("message").filter(has_text=text)
    await expect(line).to_have_attribute("data-state", "sent", timeout=PATIENCE_MS)
    return line


def line(page: Page, text: str) -> Locator:
    return page.get_by_test_id("message").filter(has_text=text)


async def befriend(one: Member, other: Member) -> None:
    await one.follow(other)
    await other.follow(one)


async def open_with(page: Page, other: Member) -> None:
    """From the other's profile into the conversation with them."""
    await page.goto(f"/@{other.handle}")
    await page.get_by_test_id("write-to").click()
    await expect(page.get_by_test_id("thread")).to_be_visible(timeout=PATIENCE_MS)


async def open_first(page: Page) -> None:
    await page.goto("/messages")
    await page.get_by_test_id("conversation").first.click()
    await expect(page.get_by_test_id("thread")).to_be_visible()


def on_disk(data: Path, word: str) -> list[str]:
    """Files of a cell (database, its log, objects, logs) in which the word stands."""
    found = []
    for path in data.rglob("*"):
        if not path.is_file() or path.stat().st_size == 0:
            continue
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as all_:
                if all_.find(word.encode()) >= 0:
                    found.append(str(path.relative_to(data)))
        except OSError:
            continue
    return found


async def test_friends_talk_and_the_cell_reads_nothing_of_it(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    adas, beas = await stage.phone(ada), await stage.phone(bea)
    await begin(adas)
    await begin(beas)

    await open_with(adas, bea)
    await say(adas, SECRET)
    await beas.get_by_test_id("conversation").first.click(timeout=PATIENCE_MS)
    await expect(line(beas, SECRET)).to_be_visible(timeout=PATIENCE_MS)
    await say(beas, REPLY)
    # The page is not loaded again: the news come by themselves.
    await expect(line(adas, REPLY)).to_be_visible(timeout=PATIENCE_MS)

    # A photo is drawn anew, sealed, and shown at the other end.
    picture = tmp_path / "picture.png"
    picture.write_bytes(await adas.screenshot())
    await adas.get_by_test_id("photo-file").set_input_files(picture)
    await expect(beas.get_by_test_id("photo")).to_have_attribute(
        "data-shown", "true", timeout=PATIENCE_MS
    )

    # Taken back, it is gone from both screens.
    slip = await say(adas, "a slip of the tongue")
    await expect(line(beas, "a slip of the tongue")).to_be_visible(timeout=PATIENCE_MS)
    await slip.get_by_test_id("message-more").click()
    await adas.get_by_test_id("recall").click()
    await expect(line(beas, "a slip of the tongue")).to_have_count(0, timeout=PATIENCE_MS)
    await expect(line(adas, "a slip of the tongue")).to_have_count(0)

    # Both read the same safety number.
    numbers = []
    for page in (adas, beas):
        await page.get_by_test_id("thread-info").click()
        await page.get_by_test_id("safety").click()
        numbers.append(await page.get_by_test_id("safety-number").inner_text())
        await expect(page.get_by_test_id("safety-device")).to_have_count(2)
        await expect(
            page.locator('[data-testid="safety-device"][data-verdict="RED"]')
        ).to_have_count(0)
    assert numbers[0] == numbers[1]
    assert len("".join(numbers[0].split())) == 60

    # A browser that is closed and opened again has everything, and goes on.
    await beas.close()
    again = await beas.context.new_page()
    await again.goto("/messages")
    await again.get_by_test_id("conversation").first.click(timeout=PATIENCE_MS)
    await expect(line(again, SECRET)).to_be_visible(timeout=PATIENCE_MS)
    await say(again, "back again")
    await adas.reload()
    await expect(line(adas, "back again")).to_be_visible(timeout=PATIENCE_MS)

    # What is public stands on the cell's disk in the open; nothing of this does.
    await ada.patch(bio="a biography in the open")
    assert on_disk(cell.data, "a biography in the open")
    for word in (SECRET, REPLY, "a slip of the tongue", "back again"):
        assert on_disk(cell.data, word) == [], word


async def test_second_device_joins_is_announced_and_gets_history_by_the_code(
    cell: Cell, stage: Stage
) -> None:
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    adas, beas = await stage.phone(ada), await stage.phone(bea)
    await begin(beas)
    await begin(adas)
    await open_with(adas, bea)
    await say(adas, SECRET)
    await adas.goto("/messages/settings")
    await adas.get_by_test_id("copy-make").click()
    code = "".join((await adas.get_by_test_id("message-code").inner_text()).split())
    await adas.get_by_test_id("code-kept").click()

    laptop = await stage.desktop(ada)
    await begin(laptop)
    await open_first(laptop)
    await expect(line(laptop, SECRET)).to_have_count(0)

    # Everybody is told, and what is said now reaches both devices.
    await open_first(beas)
    await expect(beas.locator('[data-what="joined-device"]')).to_be_visible(timeout=PATIENCE_MS)
    await say(beas, REPLY)
    await expect(line(laptop, REPLY)).to_be_visible(timeout=PATIENCE_MS)
    await open_first(adas)
    await expect(line(adas, REPLY)).to_be_visible(timeout=PATIENCE_MS)

    # The code brings back what was said before.
    await laptop.goto("/messages/settings")
    await laptop.get_by_test_id("copy-code").fill(code.lower())
    await laptop.get_by_test_id("copy-restore").click()
    await expect(laptop.get_by_test_id("recovery")).to_have_attribute(
        "data-on", "true", timeout=PATIENCE_MS
    )
    await open_first(laptop)
    await expect(line(laptop, SECRET)).to_be_visible()

    # Removed from the phone, the laptop hears nothing more and has deleted what it kept.
    await adas.goto("/messages/settings")
    other = adas.locator('[data-testid="message-device"][data-own="false"]')
    await other.get_by_test_id("device-remove").click()
    await other.get_by_test_id("device-remove-confirm").click()
    await expect(other).to_have_count(0)
    await laptop.goto("/messages")
    await expect(laptop.get_by_test_id("begin")).to_be_visible(timeout=PATIENCE_MS)


async def test_stranger_waits_among_the_requests_until_accepted(cell: Cell, stage: Stage) -> None:
    carl, dora = await cell.member("carl"), await cell.member("dora")
    carls, doras = await stage.phone(carl), await stage.phone(dora)
    await begin(doras)
    await begin(carls)
    await open_with(carls, dora)
    await say(carls, "we have not met")
    await doras.get_by_test_id("folder-requests").click(timeout=PATIENCE_MS)
    await doras.get_by_test_id("conversation").first.click()
    await expect(line(doras, "we have not met")).to_be_visible(timeout=PATIENCE_MS)
    await expect(doras.get_by_test_id("composer")).to_have_count(0)
    await doras.get_by_test_id("request-accept").click()
    await expect(doras.get_by_test_id("composer")).to_be_visible(timeout=PATIENCE_MS)
    await say(doras, "now we have")
    await expect(line(carls, "now we have")).to_be_visible(timeout=PATIENCE_MS)


async def test_group_of_friends_with_a_name_only_they_know(cell: Cell, stage: Stage) -> None:
    ada, bea, carl = [await cell.member(word) for word in ("ada", "bea", "carl")]
    await befriend(ada, bea)
    await befriend(ada, carl)
    pages = [await stage.phone(member) for member in (ada, bea, carl)]
    for page in pages:
        await begin(page)
    adas, beas, carls = pages
    await adas.goto("/messages/new")
    await adas.get_by_test_id("kind-group").click()
    await adas.get_by_test_id("group-name").fill("The heronry")
    for member in (bea, carl):
        await adas.locator(f'[data-testid="pick"][data-handle="{member.handle}"]').click()
    await adas.get_by_test_id("group-begin").click()
    await expect(adas.get_by_test_id("thread")).to_be_visible(timeout=PATIENCE_MS)
    await say(adas, "all of us")
    for page in (beas, carls):
        entry = page.get_by_test_id("conversation").filter(has_text="The heronry")
        await entry.click(timeout=PATIENCE_MS)
        await expect(line(page, "all of us")).to_be_visible(timeout=PATIENCE_MS)
    await say(carls, "Carl here")
    await expect(line(beas, "Carl here")).to_be_visible(timeout=PATIENCE_MS)
    assert on_disk(cell.data, "The heronry") == []


async def test_who_is_blocked_writes_no_more(cell: Cell, stage: Stage) -> None:
    carl, dora = await cell.member("carl"), await cell.member("dora")
    carls, doras = await stage.phone(carl), await stage.phone(dora)
    await begin(doras)
    await begin(carls)
    await open_with(carls, dora)
    await say(carls, "we have not met")
    await doras.get_by_test_id("folder-requests").click(timeout=PATIENCE_MS)
    answer = await dora.api.put(f"/api/people/{carl.handle}/away/block")
    assert answer.status_code < 300, answer.text
    await carls.get_by_test_id("message-text").fill("hello?")
    await carls.get_by_test_id("message-send").click()
    await expect(carls.get_by_test_id("message-failed")).to_be_visible(timeout=PATIENCE_MS)
    await expect(line(doras, "hello?")).to_have_count(0)


async def test_under_sixteen_messages_are_off(cell: Cell, stage: Stage) -> None:
    young = await cell.member("young", age_band="13-15")
    page = await stage.phone(young, "/messages")
    await expect(page.get_by_test_id("messages-off")).to_be_visible(timeout=PATIENCE_MS)


async def test_clip_is_sent_from_its_share_sheet(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    clip = await bea.clip(tiny_film, caption="worth showing")
    adas, beas = await stage.phone(ada), await stage.phone(bea)
    await begin(beas)
    await begin(adas)
    await open_with(adas, bea)
    await say(adas, "look at this")
    await adas.goto(f"/c/{clip['id']}")
    await adas.get_by_test_id("share").first.click()
    await adas.get_by_test_id("send-message").click()
    await adas.get_by_test_id("send-to-one").first.click()
    await adas.get_by_test_id("send-clip").click()
    await expect(adas.get_by_test_id("toast").filter(has_text="Sent")).to_be_visible()
    await open_first(beas)
    card = beas.get_by_test_id("clip-card")
    await expect(card).to_have_attribute("href", f"/c/{clip['id']}", timeout=PATIENCE_MS)
    # As `payload.ts` says it; a public clip that crosses a border begins the same.
    assert on_disk(cell.data, f'"kind":"clip","clip_id":"{clip["id"]}"') == []


async def test_report_discloses_what_was_chosen(cell: Cell, stage: Stage) -> None:
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    adas, beas = await stage.phone(ada), await stage.phone(bea)
    await begin(beas)
    await begin(adas)
    await open_with(adas, bea)
    await say(adas, "something unkind")
    await open_first(beas)
    await line(beas, "something unkind").get_by_test_id("message-more").click()
    await beas.get_by_test_id("report").click()
    await beas.get_by_test_id("report-reason").select_option("harassment")
    await beas.get_by_test_id("report-send").click()
    await expect(beas.get_by_test_id("toast").filter(has_text="Reported")).to_be_visible()


async def test_two_tabs_of_one_browser_are_one_device(cell: Cell, stage: Stage) -> None:
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    adas, beas = await stage.desktop(ada), await stage.phone(bea)
    await begin(beas)
    await begin(adas)
    await open_with(adas, bea)
    second = await adas.context.new_page()
    await second.goto(adas.url)
    await expect(second.get_by_test_id("thread")).to_be_visible(timeout=PATIENCE_MS)
    # From a keyboard, and from both tabs at once.
    for page, text in ((adas, "from the first tab"), (second, "from the second tab")):
        await page.get_by_test_id("message-text").fill(text)
        await page.get_by_test_id("message-text").press("Enter")
    await open_first(beas)
    for text in ("from the first tab", "from the second tab"):
        for page in (adas, second, beas):
            await expect(line(page, text)).to_have_count(1, timeout=PATIENCE_MS)
    # The tab that listened is closed; the other one listens on.
    await adas.close()
    await say(beas, "still there?")
    await expect(line(second, "still there?")).to_be_visible(timeout=PATIENCE_MS)


async def test_typing_and_read_marks_are_shown_by_who_turned_them_on(
    cell: Cell, stage: Stage
) -> None:
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    adas, beas = await stage.phone(ada), await stage.phone(bea)
    await begin(beas)
    await begin(adas)
    for member in (ada, bea):
        answer = await member.api.patch(
            "/api/messages/settings", json={"typing": True, "read_marks": True}
        )
        assert answer.status_code == 200, answer.text
    for page in (adas, beas):
        await page.reload()
    await open_with(adas, bea)
    await say(adas, "did you read this?")
    await open_first(beas)
    await expect(line(beas, "did you read this?")).to_be_visible(timeout=PATIENCE_MS)
    await expect(adas.get_by_test_id("read-by")).to_be_visible(timeout=PATIENCE_MS)
    await beas.get_by_test_id("message-text").press_sequentially("yes")
    await expect(adas.get_by_test_id("typing")).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.long
async def test_axe_finds_nothing_serious_among_messages(cell: Cell, stage: Stage) -> None:
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    options = {"color_scheme": "light", "reduced_motion": "reduce"}
    adas, beas = await stage.phone(ada, **options), await stage.phone(bea, **options)
    await begin(beas)
    await adas.goto("/messages")
    await expect(adas.get_by_test_id("begin")).to_be_visible()
    found = await faults(adas)
    await begin(adas)
    await open_with(adas, bea)
    await say(adas, "is this readable?")
    await open_first(beas)
    await say(beas, "it is")
    await expect(line(adas, "it is")).to_be_visible(timeout=PATIENCE_MS)
    found += await faults(adas)
    await line(adas, "it is").get_by_test_id("message-more").click()
    await adas.get_by_test_id("report").click()
    found += await faults(adas)
    await adas.keyboard.press("Escape")
    await adas.get_by_test_id("thread-info").click()
    found += await faults(adas)
    await adas.get_by_test_id("safety").click()
    await expect(adas.get_by_test_id("safety-number")).to_be_visible()
    found += await faults(adas)
    for path, mark in (
        ("/messages", "conversation"),
        ("/messages/new", "pick"),
        ("/messages/settings", "message-device"),
    ):
        await adas.goto(path)
        await expect(adas.get_by_test_id(mark).first).to_be_visible(timeout=PATIENCE_MS)
        found += await faults(adas)
    assert found == []
