"""The picture of README.md, taken from a real report: `make picture`, and commit nbs/images/report.png."""

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).resolve().parent.parent / "nbs" / "images" / "report.png"
SIZE = {"width": 1200, "height": 800}


def take(report: Path, chromium: str):
    "The first screen of the report, in few colours so that the file stays small."
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(report.resolve().as_uri(), wait_until="networkidle")
        page.screenshot(path=PICTURE)
        browser.close()
    Image.open(PICTURE).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    from risk_analytics_lib.cli import find_chromium

    take(Path(sys.argv[1]), find_chromium())
