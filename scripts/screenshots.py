"""Takes the pictures of the README and the docs from a running stack, with Chromium. ``make screenshots`` calls it.

Run ``KEEP=1 make demo`` first and set DATAOPS_HOME to its home, so that there are assets to see; then provision the
other types for the demo's client and stage, so that there are some of every type.
"""

import shutil
import sys
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, expect, sync_playwright

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.settings import Settings

IMAGES = Path(__file__).parent.parent / "docs" / "images"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")


def lineage(page: Page, dagster_url: str) -> None:
    """The lineage of all dataset types as the Dagster UI draws it, the first one opened up."""
    first = next(iter(DATASET_TYPES))
    page.goto(f"{dagster_url}/asset-groups?expanded={quote(f'global@global:{first}')}", wait_until="load")
    expect(page.locator("foreignObject").get_by_text("records", exact=True)).to_be_visible()
    for unfinished in ("fetching statuses", "Loading"):
        expect(page.locator("foreignObject").get_by_text(unfinished)).to_have_count(0)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / "lineage.png")


def pictures(page: Page, dagster_url: str) -> None:
    """What the Dagster UI shows of the records of the pages that were made last."""
    page.goto(f"{dagster_url}/assets/confluence_pages/records", wait_until="load")
    page.get_by_role("row").filter(has_text="pictures").get_by_text("Show Markdown").click()
    expect(page.get_by_role("img", name="Records with a value, by field")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.get_by_role("dialog").screenshot(path=IMAGES / "records.png")


def main() -> int:
    """Takes all pictures. Exit status 1 with a sentence where there is no Chromium."""
    browser_path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if browser_path is None:
        sys.stderr.write("No Chromium here: install the package 'chromium' and run this again.\n")
        return 1
    settings = Settings.load()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(QUIET))
        lineage(browser.new_page(viewport={"width": 1900, "height": 1130}), settings.dagster_base)
        pictures(browser.new_page(viewport={"width": 1500, "height": 1040}), settings.dagster_base)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
