"""The degradation ladder, as declared."""

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY
from holdfast.handlers.catalogue import load_handlers
from holdfast.handlers.endpoints import ENDPOINTS
from holdfast.http.ladder import LADDERS, PRIVATE, Step, ladder_of

DECISIVE = ("cart", "order", "payment", "customer", "inventory-entry", "cart-discount", "discount-code", "gift-card")


def test_nothing_that_decides_or_belongs_to_somebody_is_answered_by_anything_but_the_database() -> None:
    for kind in DECISIVE:
        assert ladder_of(kind).steps == (Step.LIVE, Step.REFUSED)
        assert ladder_of(kind).cache_control == PRIVATE


def test_every_kind_on_the_ladder_exists() -> None:
    load_resources()
    load_handlers()
    kinds = set(REGISTRY) | {registered.kept_kind for registered in ENDPOINTS.values()}
    assert set(LADDERS) <= kinds


def test_every_ladder_goes_down_and_ends() -> None:
    order = list(Step)
    for ladder in LADDERS.values():
        places = [order.index(step) for step in ladder.steps]
        assert places == sorted(set(places))
        assert ladder.steps[0] is Step.LIVE
        assert ladder.steps[-1] is Step.REFUSED
