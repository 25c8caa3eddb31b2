"""What a person sees in a browser, on the running stack. Skips where no Chromium can be had."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dataops_core.dataset_types.known import DATASET_TYPES

pytestmark = [pytest.mark.browser, pytest.mark.stack]

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: sh scripts/install_chromium.sh installs it where that is allowed")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    yield page
    page.close()


@pytest.mark.long
def test_the_api_docs_show_every_operation_without_an_asset_from_another_host(stack, page):
    asked: set[str] = set()
    errors: list[object] = []
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108  Playwright marks the handler
    page.goto(f"{stack.settings.public_base}/docs", wait_until="networkidle")
    expect(page.get_by_text("Provision datasets")).to_be_visible(timeout=30_000)
    assert asked - {""} == {urlsplit(stack.settings.public_base).netloc}
    assert errors == []


@pytest.mark.long
def test_dagster_shows_the_lineage_of_every_dataset_type(stack, page):
    for group in DATASET_TYPES:
        page.goto(f"{stack.dagster_url}/asset-groups?expanded=global@global:{group}", wait_until="load")
        for name in ("template", "connector", "records", "index", "dataset"):
            expect(page.locator("foreignObject").get_by_text(name, exact=True).first).to_be_visible(timeout=30_000)
