"""The independent calculation itself: a few sums done by hand, so that it cannot be wrong together with the shop."""

from fractions import Fraction

from tests.clients.expected import Buyer, Line, Rate, half_even, select_price, taxed
from tests.clients.scenarios import PURCHASES, expected_counts

PRICES = [
    {"currency": "EUR", "country": None, "group": None, "channel": None, "cents": 18750},
    {"currency": "EUR", "country": None, "group": "b2b", "channel": None, "cents": 12295},
    {"currency": "EUR", "country": "DE", "group": None, "channel": None, "cents": 15000},
    {"currency": "EUR", "country": "DE", "group": None, "channel": "berlin", "cents": 15450},
    {"currency": "EUR", "country": None, "group": None, "channel": "vienna", "cents": 19125},
]


def test_a_group_price_goes_before_a_channel_price_and_that_before_a_country_price() -> None:
    assert select_price(PRICES, Buyer("EUR", "DE", "b2b"), "berlin") == 12295
    assert select_price(PRICES, Buyer("EUR", "DE"), "berlin") == 15450
    assert select_price(PRICES, Buyer("EUR", "DE"), "vienna") == 19125
    assert select_price(PRICES, Buyer("EUR", "DE")) == 15000
    assert select_price(PRICES, Buyer("EUR", "NL")) == 18750
    assert select_price(PRICES, Buyer("USD", "US")) is None


def test_halves_go_to_the_even_cent() -> None:
    assert [half_even(Fraction(half, 2)) for half in (1, 3, 5, 7)] == [0, 2, 2, 4]


def test_nineteen_percent_are_taken_out_of_a_price() -> None:
    line = Line("x", 11900, 1, Rate("19% incl.", Fraction(19, 100)))
    assert taxed(line, per_unit=False) == {"net": 10000, "gross": 11900, "tax": 1900}


def test_rounding_per_unit_and_per_line_differ_where_the_plan_says_so() -> None:
    american = next(purchase for purchase in PURCHASES if purchase.name == "united-states")
    line = american.item_line(american.steps[1])  # type: ignore[arg-type] # the second step is an item
    assert taxed(line, per_unit=True) != taxed(line, per_unit=False)


def test_the_austrian_purchase_hits_a_half_cent() -> None:
    austrian = next(purchase for purchase in PURCHASES if purchase.name == "austria")
    (line,) = austrian.pictures()[-1]["lines"].values()
    assert Fraction(line["gross"]) / Fraction(6, 5) == line["net"] + Fraction(1, 2)


def test_shipping_becomes_free_on_the_way() -> None:
    for name in ("germany", "united-states"):
        purchase = next(one for one in PURCHASES if one.name == name)
        first, *_, last = purchase.pictures()
        assert (first["shipping"]["total"], last["shipping"]["total"]) == (300, 0)


def test_a_cart_is_the_sum_of_its_parts() -> None:
    for purchase in PURCHASES:
        for picture in purchase.pictures():
            parts = [*picture["lines"].values(), *picture["custom"].values(), picture["shipping"]]
            assert picture["total"] == sum(part["total"] for part in parts) == picture["taxed"]["gross"]
            assert picture["taxed"]["tax"] == sum(portion["amount"] for portion in picture["portions"])


def test_everything_of_the_data_is_planned() -> None:
    assert expected_counts() == {
        "types": 1,
        "tax-categories": 2,
        "zones": 2,
        "customer-groups": 5,
        "channels": 18,
        "stores": 4,
        "shipping-methods": 4,
        "customers": 4,
        "product-types": 1,
        "categories": 39,
        "products": 30,
        "inventory": 1122,
    }
