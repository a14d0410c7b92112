"""Makes the README's picture from a running demo: three phones with the feed, a profile, and a clip
being published.

    ./luciole demo --port 8080
    python tests/e2e/picture.py http://localhost:8080

It signs a person up in that demo, who stays there.
"""

from __future__ import annotations

import argparse
import base64
import io
import secrets
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser import find  # noqa: E402 - only now can it be found

PICTURE = ROOT / "docs" / "images" / "feed.webp"
PHONE = {"width": 390, "height": 844}
FILMER = "theo"
MOST_BYTES = 300_000
SHEET = """
<style>
  body { margin: 0; display: flex; justify-content: center; align-items: center; gap: 56px;
    width: 1480px; height: 1000px; background:
      radial-gradient(circle at 50% 118%, #7c8f1c 0, #39451a 22%, #161b10 48%, #0c0e0a 70%); }
  figure { margin: 0; padding: 10px; border-radius: 54px; background: #050604;
    box-shadow: 0 0 0 1.5px #3a402c, 0 30px 80px rgb(0 0 0 / 0.6); }
  img { display: block; width: 390px; height: 844px; border-radius: 44px; }
</style>
"""


def main(address: str, moment: float) -> None:
    """Writes the picture, with the first clip of the feed at `moment` (0 to 1)."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=find.find(),
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        person = phone(browser, address)
        sign_up(person)
        light = phone(browser, address, "light", person)
        shots = [
            feed(person.new_page(), moment),
            profile(person.new_page()),
            publish(light.new_page(), Path(folder)),
        ]
        save(together(browser, shots))
        browser.close()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB")


def phone(
    browser: Browser, address: str, scheme: str = "dark", like: BrowserContext | None = None
) -> BrowserContext:
    return browser.new_context(
        base_url=address,
        viewport={"width": PHONE["width"], "height": PHONE["height"]},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        locale="en-GB",
        color_scheme="light" if scheme == "light" else "dark",
        reduced_motion="no-preference",
        # Only here: this page is dressed up for a picture.
        bypass_csp=True,
        storage_state=like.storage_state() if like else None,
    )


def sign_up(person: BrowserContext) -> None:
    handle = f"guest{secrets.randbelow(10**6)}"
    answer = person.request.post(
        "/api/sign-up",
        data={
            "handle": handle,
            "display_name": "A guest",
            "age_band": "18+",
            "locale": "en",
            "password": secrets.token_urlsafe(18),
        },
    )
    assert answer.ok, answer.text()


def feed(page: Page, moment: float) -> bytes:
    page.goto("/latest")
    current = page.locator('[data-current="true"] [data-painted="true"]')
    expect(current).to_be_visible(timeout=30_000)
    page.keyboard.press(" ")
    page.eval_on_selector(
        '[data-current="true"] video',
        """async (video, moment) => {
            const seen = new Promise((done) => video.requestVideoFrameCallback(done))
            video.currentTime = video.duration * moment
            await seen
        }""",
        moment,
    )
    # The sign of the pause would stand in the middle of the picture.
    page.add_style_tag(content=".big, .spinner, .pill { display: none !important; }")
    return page.screenshot()


def profile(page: Page) -> bytes:
    page.goto(f"/@{FILMER}")
    expect(page.get_by_test_id("grid-clip").first).to_be_visible(timeout=30_000)
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    return page.screenshot()


def publish(page: Page, folder: Path) -> bytes:
    clips = page.request.get("/api/people/ingrid/clips").json()["items"]
    film = folder / "clip.mp4"
    film.write_bytes(page.request.get(clips[0]["renditions"][0]["url"]).body())
    page.goto("/publish")
    page.get_by_test_id("publish-file").set_input_files(film)
    expect(page.get_by_test_id("preview")).to_be_visible()
    page.wait_for_function("document.querySelector('[data-testid=preview]').readyState >= 2")
    caption = page.get_by_test_id("publish-caption")
    caption.fill("The lake was so still that we got two for one. #northernlights")
    # The strips of stills are drawn one after the other.
    page.wait_for_timeout(4_000)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    return page.screenshot()


def together(browser: Browser, shots: list[bytes]) -> bytes:
    page = browser.new_page(viewport={"width": 1480, "height": 1000})
    images = "".join(
        f'<figure><img src="data:image/png;base64,{base64.b64encode(shot).decode()}"></figure>'
        for shot in shots
    )
    page.set_content(SHEET + images)
    return page.screenshot()


def save(png: bytes) -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(90, 40, -5):
        image.save(PICTURE, "WEBP", quality=quality, method=6)
        if PICTURE.stat().st_size < MOST_BYTES:
            return
    raise SystemExit(f"{PICTURE} does not get smaller than {MOST_BYTES} bytes.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("address", help="a running demo, such as http://localhost:8080")
    parser.add_argument(
        "--moment", type=float, default=0.8, help="of the feed's first clip, 0 to 1"
    )
    words = parser.parse_args()
    main(words.address, words.moment)
