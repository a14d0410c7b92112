"""Renders public/icons/luciole.svg to the PNG sizes that phones ask for.

Run it after the drawing has changed: `python web/scripts/icons.py` (needs Playwright and Chromium).
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import sync_playwright

ICONS = Path(__file__).resolve().parent.parent / "public" / "icons"
# Name, side in pixels, and whether the square is filled to its corners, for a phone that cuts its
# own shape out of it.
SIZES = (
    ("luciole-192.png", 192, False),
    ("luciole-512.png", 512, False),
    ("maskable-512.png", 512, True),
    ("apple-touch-180.png", 180, True),
)


def main() -> None:
    """Writes the PNG files beside the drawing."""
    drawing = (ICONS / "luciole.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"]
        )
        for name, side, is_filled in SIZES:
            page = browser.new_page(viewport={"width": side, "height": side})
            # Android cuts up to a fifth from each side of a maskable icon: draw the motif smaller.
            box = "-50 -50 612 612" if is_filled else "0 0 512 512"
            ground = "#0c0e0a" if is_filled else "transparent"
            style = f"*{{margin:0}}body{{background:{ground}}}svg{{display:block;width:{side}px}}"
            svg = drawing.replace('viewBox="0 0 512 512"', f'viewBox="{box}"')
            page.set_content(f"<style>{style}</style>{svg}")
            page.screenshot(path=ICONS / name, omit_background=not is_filled)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
