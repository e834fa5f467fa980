"""A real browser on a shop of its own: what an operator sees, looked at.

Screenshots of every run lie in `screenshots/` beside this file.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, ViewportSize, async_playwright
from tests.conftest import Shop, running_shop
from tests.debian import have
from tests.npm import installed

HERE = Path(__file__).parent
SCREENSHOTS = HERE / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Other work may keep both cores busy.
PATIENCE_MS = 20_000
WIDE = ViewportSize(width=1440, height=1000)
NARROW = ViewportSize(width=320, height=740)
# A browser that asks nobody about itself; the sandbox needs what containers take away.
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def chromium() -> str:
    """The machine's own Chromium, installed where it is missing and may be."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        have("chromium", BROWSERS[0])
        found = shutil.which(BROWSERS[0])
    assert found is not None
    return found


class Looking:
    """A page as a person has it open, and what happened behind it."""

    def __init__(self, page: Page, shop: Shop) -> None:
        self.page = page
        self.shop = shop
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        self.asked.append(request.url)

    @property
    def operator_token(self) -> str:
        return (self.shop.data / "operator.token").read_text().strip()

    async def sign_in(self) -> None:
        """As a person does it: the page waits for the token."""
        await self.page.goto(f"{self.shop.api_url}/ops")
        await self.page.get_by_label("Operator token").fill(self.operator_token)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_role("heading", name="Attention").wait_for()

    async def shot(self, name: str, *, whole: bool = True) -> None:
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)

    def section(self, title: str) -> Any:
        return self.page.get_by_role("region", name=title, exact=True)

    async def violations(self) -> list[str]:
        """What axe finds, all of its rules applied."""
        await self.page.evaluate(axe())
        found = await self.page.evaluate("async () => (await axe.run(document)).violations")
        return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]


def axe() -> str:
    return (installed(HERE) / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    SCREENSHOTS.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def own_shop() -> Iterator[Shop]:
    """A shop nobody else uses: the page shows all of a host."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
    folder.chmod(0o711)
    try:
        with running_shop(folder / "shop") as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def opened(browser: Browser, shop: Shop, **options: Any) -> AsyncIterator[Looking]:
    """A fresh page. Afterwards: it complained of nothing and asked nobody but the shop."""
    context = await browser.new_context(**({"viewport": WIDE} | options))
    context.set_default_timeout(PATIENCE_MS)
    looking = Looking(await context.new_page(), shop)
    try:
        yield looking
    finally:
        await context.close()
    assert looking.complaints == []
    assert [url for url in looking.asked if not url.startswith(f"{shop.api_url}/")] == []


@pytest.fixture
async def looking(browser: Browser, own_shop: Shop) -> AsyncIterator[Looking]:
    async with opened(browser, own_shop) as page:
        yield page
