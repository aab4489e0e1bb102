"""Writes docs/images/explorer.png, a report in chromium:  python docs/make_explorer_image.py"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the repository that this file is in, not one that is installed

from PIL import Image  # noqa: E402  # after the path is set
from playwright.sync_api import sync_playwright  # noqa: E402  # after the path is set

from properties.check import check  # noqa: E402
from reports.explorer_page import page  # noqa: E402
from tcpclose_model.variants.catalogue import model_named  # noqa: E402

IMAGE = ROOT / "docs" / "images" / "explorer.png"


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = Path(folder) / "report.html"
        report.write_text(page([check(model_named("half_close"))]), encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme="light")
        tab.goto(report.as_uri())
        tab.click("#tab-explorer")
        for _ in range(8):
            tab.keyboard.press("ArrowDown")
        tab.click("#show-product")
        tab.fill("#search", "A=FIN_WAIT_2 FIN")
        tab.focus("#ladder")
        tab.wait_for_timeout(500)
        shot = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        browser.close()
    shot.quantize(128).save(IMAGE, optimize=True)


if __name__ == "__main__":
    main()
