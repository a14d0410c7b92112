"""A large film is made smaller in the browser before it is sent, or goes as it is."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage, corpus, plays, until
from tests.e2e.test_publish import choose, published
from tests.unit.media import films

from luciole.cell.media import encode
from luciole.cell.media.quality import TARGET_VMAF
from luciole.cell.media.rungs import REST

FOLDER = os.environ.get("LUCIOLE_PICTURES")
PLACE = "+48.8584+002.2945/"
# Hangs where an encoder of a phone might.
HANGS = "VideoEncoder.prototype.flush = () => new Promise(() => undefined)"
BREAKS = "VideoEncoder.prototype.encode = () => { throw new DOMException('no', 'EncodingError') }"
LACKS = "delete window.VideoEncoder"
SAVES = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
# The file that the draft has beside its film, in base64.
SMALL = """async () => {
    const opened = indexedDB.open('luciole', 1)
    await new Promise((done) => { opened.onsuccess = done })
    const asked = opened.result.transaction('drafts').objectStore('drafts').get('current')
    await new Promise((done) => { asked.onsuccess = done })
    opened.result.close()
    if (!asked.result?.small) return null
    const reader = new FileReader()
    reader.readAsDataURL(asked.result.small)
    await new Promise((done) => { reader.onload = done })
    return reader.result.split(',')[1]
}"""


async def picture(page: Page, name: str) -> None:
    if FOLDER:
        await page.wait_for_timeout(400)
        await page.screenshot(path=f"{FOLDER}/{name}.png")


@pytest.fixture(scope="session")
def large_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2160 lines of many bits, lying but shown upright, with sound and a place."""
    folder = tmp_path_factory.mktemp("films")
    lying = films.make(
        folder / "lying.mp4", "-b:v", "60M", "-minrate", "60M", "-maxrate", "60M", "-bufsize", "6M",
        "-x264-params", "nal-hrd=cbr", "-vf", "scale=out_color_matrix=bt709:out_range=tv",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-c:a", "aac",
        "-metadata", f"location={PLACE}",
        size="3840x2160", seconds=1,
    )  # fmt: skip
    return films.turned(folder / "large.mp4", lying, 90)


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def padded(film: Path, name: str, more: bytes = b"") -> Path:
    """The film with bytes that players skip, as if it had been encoded with very many."""
    path = film.with_name(f"{name}.mp4")
    path.write_bytes(film.read_bytes() + more + box(b"free", bytes(6_000_000)))
    return path


def in_av1(film: Path, path: Path, *options: str) -> Path:
    films.run("-i", str(film), "-c:v", "libsvtav1", "-preset", "11", *options, str(path))
    return path


async def publishing(stage: Stage, member: Member, *scripts: str) -> Page:
    """The page for publishing, in a browser in which these have run first."""
    page = await stage.phone(member)
    for script in scripts:
        await page.add_init_script(script)
    await page.goto("/publish")
    return page


class Lengths:
    """What is announced to the cell of each upload; the bytes wait until they may go."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.may_go = asyncio.Event()

    async def watch(self, page: Page) -> None:
        async def post(route: Route) -> None:
            if route.request.method == "POST":
                self.told.append(int(route.request.headers["upload-length"]))
            await route.continue_()

        async def patch(route: Route) -> None:
            if route.request.method == "PATCH":
                await self.may_go.wait()
            await route.continue_()

        await page.route("**/api/uploads", post)
        await page.route("**/api/uploads/*", patch)


async def sent_smaller(
    page: Page, film: Path, caption: str, lengths: Lengths, path: Path
) -> tuple[Path, str]:
    """The smaller file as it is sent, and the address of the clip."""
    await choose(page, film, caption)
    switch = page.get_by_test_id("smaller")
    await expect(switch).not_to_be_checked()
    await switch.press("Space")
    await switch.scroll_into_view_if_needed()
    await picture(page, f"editor-smaller-{caption}")
    await page.get_by_test_id("publish-post").click()
    await expect(page.get_by_test_id("spared")).to_contain_text("MB less")
    await picture(page, f"sending-smaller-{caption}")
    data = await until(lambda: page.evaluate(SMALL))
    path.write_bytes(base64.b64decode(data))
    lengths.may_go.set()
    return path, await published(page)


def likeness(made: Path, film: Path, size: tuple[int, int]) -> tuple[float, float]:
    """VMAF (luma) and PSNR (of the worst of the three planes, in dB) of the one against the
    other, frame by frame, at that size and as players show them."""
    width, height = size
    shown = (
        f"scale={width}:{height}:flags=bicubic:out_range=tv:out_color_matrix=bt709,"
        "format=yuv420p,settb=1/90000,setpts=N*3000,split"
    )
    graph = f"[0:v]{shown}[a][b];[1:v]{shown}[c][d];[a][c]libvmaf=n_threads=2[v];[b][d]psnr[p]"
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-i", str(made), "-i", str(film), "-filter_complex",
         graph, "-map", "[v]", "-map", "[p]", "-f", "null", "-"],
        capture_output=True, check=True, text=True,
    ).stderr  # fmt: skip
    vmaf = re.search(r"VMAF score: ([\d.]+)", answer)
    planes = re.search(r"PSNR y:(\S+) u:(\S+) v:(\S+)", answer)
    assert vmaf
    assert planes
    return float(vmaf[1]), min(float(plane) for plane in planes.groups())


async def clip_of(member: Member, address: str) -> dict[str, object]:
    return dict((await member.api.get(f"/api{address.replace('/c/', '/clips/')}")).json())


@pytest.mark.long
async def test_large_film_is_sent_smaller_and_looks_sounds_and_stands_as_it_did(
    cell: Cell, stage: Stage, large_film: Path, tmp_path: Path
) -> None:
    member = await cell.member("large")
    page = await publishing(stage, member)
    lengths = Lengths()
    await lengths.watch(page)
    small, address = await sent_smaller(page, large_film, "large", lengths, tmp_path / "small.mp4")
    assert lengths.told == [small.stat().st_size]
    assert small.stat().st_size < large_film.stat().st_size / 2
    assert PLACE in films.described(large_film)
    assert PLACE not in films.described(small)
    assert PLACE.encode() not in small.read_bytes()
    # The sound is the same to the last byte, and nothing of the picture is turned or missing.
    assert films.digest(small, "a") == films.digest(large_film, "a")
    assert len(films.digest(small, "v")) == len(films.digest(large_film, "v")) == 30
    vmaf, psnr = likeness(small, large_film, (1080, 1920))
    print(f"VMAF {vmaf}, PSNR {psnr} dB, {small.stat().st_size} of {large_film.stat().st_size}")
    # Half of what is between the look that renditions aim at and none that is lost.
    assert vmaf > (TARGET_VMAF + 100) / 2
    assert psnr > 32
    clip = await clip_of(member, address)
    assert clip["height"] > clip["width"]  # type: ignore[operator]
    assert clip["has_audio"]
    await page.goto(address)
    await plays(page)


@pytest.mark.long
async def test_film_of_a_phone_is_sent_smaller(cell: Cell, stage: Stage, tmp_path: Path) -> None:
    film = corpus("phone", "pixel7_videoOnly.mp4")
    if film is None:
        pytest.skip("LUCIOLE_CORPUS IS NOT SET: no film of a phone is made smaller here.")
    member = await cell.member("pixel")
    page = await publishing(stage, member)
    lengths = Lengths()
    await lengths.watch(page)
    small, address = await sent_smaller(page, film, "pixel", lengths, tmp_path / "small.mp4")
    assert lengths.told == [small.stat().st_size]
    assert len(films.digest(small, "v")) == len(films.digest(film, "v"))
    vmaf, psnr = likeness(small, film, (1920, 1080))
    # It is dark and full of noise, which VMAF misses wherever it goes: it is to look better than
    # what the cell makes of the film itself.
    ours = tmp_path / "ours.mp4"
    films.run(
        "-i", str(film), "-vf", "scale=out_range=tv:out_color_matrix=bt709",
        *encode.video(REST[0], 2), str(ours),
    )  # fmt: skip
    least, _ = likeness(ours, film, (1920, 1080))
    print(f"VMAF {vmaf} ({least}), PSNR {psnr} dB, {small.stat().st_size}, {film.stat().st_size}")
    assert vmaf > least
    assert psnr > 45
    await page.goto(address)
    await plays(page)


@pytest.mark.long
@pytest.mark.parametrize("script", [HANGS, BREAKS], ids=["hangs", "breaks"])
async def test_film_goes_as_it_is_where_the_encoder_fails_or_one_does_not_wait(
    cell: Cell, stage: Stage, large_film: Path, script: str
) -> None:
    page = await publishing(stage, await cell.member("plain"), script)
    lengths = Lengths()
    lengths.may_go.set()
    await lengths.watch(page)
    await choose(page, large_film, "As it is")
    await page.get_by_test_id("smaller").press("Space")
    await page.get_by_test_id("publish-post").click()
    if script == HANGS:
        progress = page.get_by_test_id("publish-progress")
        await expect(progress).to_have_attribute("data-phase", "shrinking")
        await picture(page, "shrinking")
        await page.get_by_test_id("upload-cancel").click()
        # Back in the editor, with all that was chosen.
        await expect(page.get_by_test_id("publish-caption")).to_have_value("As it is")
        await expect(page.get_by_test_id("smaller")).to_be_checked()
        assert lengths.told == []
        await page.get_by_test_id("publish-post").click()
        await page.get_by_test_id("smaller-skip").click()
    await published(page)
    assert lengths.told == [large_film.stat().st_size]


async def test_film_is_not_made_smaller_where_that_would_cost_its_look_or_its_word_about_ai(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    drawn = films.make(tmp_path / "drawn.mp4", size="360x640", sound=False)
    plain = padded(drawn, "plain")
    ai = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + bytes(16)
    credited = padded(drawn, "credited", box(b"uuid", ai))
    bright = ["-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc"]
    sdr, ten, hdr = (
        padded(in_av1(drawn, tmp_path / f"{name}.mp4", *options), f"{name}-padded")
        for name, options in (
            ("sdr", ["-pix_fmt", "yuv420p"]),
            ("ten", ["-pix_fmt", "yuv420p10le"]),
            ("hdr", ["-pix_fmt", "yuv420p", *bright]),
        )
    )
    page = await publishing(stage, await cell.member("careful"))
    loaded: list[str] = []
    page.on("response", lambda answer: loaded.append(answer.url))
    for film, offered in (
        (plain, True),
        (credited, False),
        (sdr, True),
        (ten, False),
        (hdr, False),
    ):
        await choose(page, film, film.stem)
        switch = page.get_by_test_id("smaller")
        if offered:
            await expect(switch).to_be_visible(timeout=PATIENCE_MS)
            assert any("shrinking" in url for url in loaded)
        else:
            # Long enough for what was offered at once above.
            await page.wait_for_timeout(1500)
            await expect(switch).to_have_count(0)
        await page.get_by_test_id("publish-discard").click()
    other = await publishing(stage, await cell.member("lacking"), LACKS)
    other.on("response", lambda answer: loaded.append(f"other {answer.url}"))
    await choose(other, plain, "No encoder")
    await other.wait_for_timeout(1500)
    await expect(other.get_by_test_id("smaller")).to_have_count(0)
    assert not any(url.startswith("other") and "shrinking" in url for url in loaded)


async def test_smaller_film_is_offered_in_french_and_wanted_where_data_is_saved(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    film = padded(films.make(tmp_path / "drawn.mp4", size="360x640", sound=False), "plain")
    page = await publishing(stage, await cell.member("econome", locale="fr"), SAVES)
    await choose(page, film, "Petit")
    switch = page.get_by_test_id("smaller")
    await expect(switch).to_be_checked()
    await switch.scroll_into_view_if_needed()
    await expect(page.locator("main")).to_contain_text("Envoyer un film plus petit")
    await picture(page, "editor-smaller-fr")
    await switch.press("Space")
    await expect(switch).not_to_be_checked()
