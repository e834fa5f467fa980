"""The operations page as an operator has it: by keyboard, in the dark, on a telephone, without the database."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from playwright.async_api import Browser, expect
from tests.browser.conftest import NARROW, Looking, opened
from tests.conftest import Shop
from tests.http.api import Api
from tests.http.till import a_cart, a_sku, open_till, placed

from holdfast.ops.server.inspect import children_of

PATIENCE_MS = 20_000
KEYS_MAX = 60


@contextmanager
def stopped_database(shop: Shop) -> Iterator[None]:
    """PostgreSQL does not answer, and does not hang up either."""
    postmaster = shop.pids["postgres"]
    pids = [postmaster, *children_of(postmaster)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


def sell(shop: Shop, orders: int = 3) -> None:
    with Api(shop.create_project()) as api:
        open_till(api)
        sku = a_sku(api, on_stock=orders)
        for _ in range(orders):
            placed(api, a_cart(api, sku))


async def test_the_keyboard_alone_signs_in_and_reaches_everything(looking: Looking) -> None:
    page = looking.page
    await page.goto(f"{looking.shop.api_url}/ops")
    await expect(page.get_by_label("Operator token")).to_be_focused()
    await looking.shot("sign-in")
    await page.keyboard.type(looking.operator_token)
    await page.keyboard.press("Enter")
    await expect(looking.section("Attention")).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text(re.compile("Serving"))

    await page.keyboard.press("Shift+Tab")
    reached: list[str] = []
    for _ in range(KEYS_MAX):
        reached.append(await page.evaluate("document.activeElement.innerText || document.activeElement.tagName"))
        await page.keyboard.press("Shift+Tab")
        if "Skip to the figures" in reached:
            break
    assert reached == ["Sign out", "Pause", "Skip to the figures"]


async def test_signing_out_ends_it(looking: Looking) -> None:
    await looking.sign_in()
    await looking.page.get_by_role("button", name="Sign out").click()
    await expect(looking.page.get_by_label("Operator token")).to_be_focused()
    await looking.page.reload()
    await expect(looking.page.get_by_label("Operator token")).to_be_focused()


async def test_a_wrong_token_is_told_and_lets_nobody_in(looking: Looking) -> None:
    page = looking.page
    await page.goto(f"{looking.shop.api_url}/ops")
    await page.get_by_label("Operator token").fill("wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text("This is not the operator token.")
    await expect(page.get_by_role("heading", name="Attention")).to_be_hidden()
    # The browser itself notes the 401.
    assert ["401" in complaint for complaint in looking.complaints] == [True]
    looking.complaints.clear()


async def test_an_order_shows_without_anybody_touching_the_page(looking: Looking) -> None:
    await looking.sign_in()
    placed_so_far = looking.section("Outcomes").get_by_role("row", name=re.compile("^placed "))
    await expect(placed_so_far).to_have_count(0)
    sell(looking.shop)
    await expect(placed_so_far).to_have_text(re.compile("placed *3"), timeout=PATIENCE_MS)
    await expect(looking.section("Requests").get_by_role("row", name=re.compile("^order.place "))).to_be_visible()
    await looking.shot("wide-light")


async def give_up(shop: Shop, *reasons: str) -> None:
    """Dead letters as the relay leaves them after two days of trying, their subscription gone since."""
    connection = await asyncpg.connect(shop.database_url)
    try:
        for reason in reasons:
            await connection.execute(
                "INSERT INTO dead_letter (project, subscription_id, kind, resource_id, sequence_number, message_id,"
                " resource_version, old_version, type, created_at, body, reason, attempts, first_failed_at)"
                " VALUES ('main', gen_random_uuid(), 'order', gen_random_uuid(), 1, gen_random_uuid(), 1, 0,"
                " 'OrderCreated', now() - interval '3 days', $1, $2, 41, now() - interval '2 days')",
                b'{"type":"OrderCreated","order":{"orderNumber":"A-1"}}',
                reason,
            )
    finally:
        await connection.close()


async def test_the_keyboard_alone_opens_a_dead_letter_and_discards_it(looking: Looking) -> None:
    page = looking.page
    await give_up(looking.shop, "410 Gone", "503 Service Unavailable")
    await looking.sign_in()
    letters = looking.section("Dead letters")
    gone = letters.get_by_role("row", name=re.compile("410 Gone"))
    await expect(looking.section("Attention")).to_contain_text("2 events were given up", timeout=PATIENCE_MS)
    await gone.get_by_role("button", name=re.compile("^OrderCreated, open")).focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="OrderCreated")
    await expect(dialog).to_contain_text('"orderNumber": "A-1"')
    await looking.shot("dead-letter", whole=False)

    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(gone.get_by_role("button")).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    asked_again = page.get_by_role("dialog", name="Discard")
    await expect(asked_again.get_by_role("button", name="Back")).to_be_focused()
    await looking.shot("dead-letter-confirm", whole=False)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(gone).to_have_count(0, timeout=PATIENCE_MS)
    await expect(letters.get_by_role("row", name=re.compile("503"))).to_have_count(1)


async def test_what_cannot_be_done_is_said_in_the_dialog(looking: Looking) -> None:
    await give_up(looking.shop, "404 Not Found")
    await looking.sign_in()
    row = looking.section("Dead letters").get_by_role("row", name=re.compile("404 Not Found"))
    await row.get_by_role("button").click(timeout=PATIENCE_MS)
    await looking.page.get_by_role("button", name="Replay …").click()
    await looking.page.get_by_role("button", name="Replay", exact=True).click()
    await expect(looking.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Nothing was done")


async def test_what_is_open_and_focused_stays_so_while_figures_change(looking: Looking) -> None:
    await looking.sign_in()
    pause = looking.page.get_by_role("button", name="Pause")
    await pause.focus()
    before = await looking.page.locator("#age").inner_text()
    await expect(looking.page.locator("#age")).not_to_have_text(before, timeout=PATIENCE_MS)
    await expect(pause).to_be_focused()
    await pause.press("Enter")
    await expect(pause).to_have_attribute("aria-pressed", "true")
    await expect(looking.page.locator("#age")).to_contain_text("Paused")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {}),
        ("dark", {"color_scheme": "dark", "reduced_motion": "reduce"}),
        ("narrow", {"viewport": NARROW, "color_scheme": "dark"}),
    ],
)
async def test_axe_finds_nothing(browser: Browser, own_shop: Shop, name: str, options: dict[str, Any]) -> None:
    await give_up(own_shop, "500 Internal Server Error")
    async with opened(browser, own_shop, bypass_csp=True, **options) as looking:
        await looking.page.goto(f"{own_shop.api_url}/ops")
        await expect(looking.page.get_by_label("Operator token")).to_be_focused()
        assert await looking.violations() == []
        await looking.sign_in()
        assert await looking.violations() == []
        await looking.page.get_by_role("button", name=re.compile(", open ")).first.click(timeout=PATIENCE_MS)
        assert await looking.violations() == []
        await looking.page.keyboard.press("Escape")
        assert await looking.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await looking.shot(f"axe-{name}")


async def test_the_page_goes_on_while_the_database_hangs(looking: Looking) -> None:
    await looking.sign_in()
    await expect(looking.section("PostgreSQL")).to_contain_text("Connections")
    with stopped_database(looking.shop):
        concern = looking.section("Attention").get_by_role("link", name=re.compile("PostgreSQL has been down"))
        await expect(concern).to_be_visible(timeout=PATIENCE_MS)
        await expect(looking.page.get_by_role("status")).to_contain_text("In trouble")
        # Those who look for the first time are let in too.
        await looking.page.reload()
        await expect(concern).to_be_visible(timeout=PATIENCE_MS)
        await looking.shot("database-down")
    await expect(concern).to_be_hidden(timeout=PATIENCE_MS)
