"""The page at /docs in a real browser: it shows the description, and asks no other host for anything."""

import shutil
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_shows_every_operation_and_asks_this_host_alone(api: Any) -> None:
    described = api.anonymous.get("/openapi.json").json()["paths"]
    asked, complaints = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{api.url}/docs")
        page.wait_for_selector(".opblock")
        shown = len(page.query_selector_all(".opblock"))
        page.click("text=List datasets")
        page.wait_for_selector(".parameters")
        browser.close()
    assert shown == sum(len(methods) for methods in described.values())
    assert asked
    assert [url for url in asked if not url.startswith((api.url, "data:"))] == []
    assert complaints == []
