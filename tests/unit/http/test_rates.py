"""Who may ask for how much: whose bucket a request takes from, and what a crowd of processes gets out of one."""

from __future__ import annotations

import fcntl
import os
import random
from pathlib import Path
from typing import Any

import pytest
from tests.unit.http.limited import AUTHORIZATION, COSTS, SCOPE, crowd, know, limiter
from tests.unit.http.reference_bucket import ReferenceBucket

from holdfast.base.networks import trusted_of
from holdfast.commerce.facts import Caller
from holdfast.http.addresses import Addresses
from holdfast.http.bucket import SECOND, Tier
from holdfast.http.criticality import Criticality, criticality
from holdfast.http.rate_page import ALONE_SECONDS, Page
from holdfast.http.rate_tiers import ADMIN, ANONYMOUS, DEFAULTS, PARTNER, STOREFRONT, bucket_of, cost_of, key_of
from holdfast.http.rates import ACCOUNTS_MAX, LEASE_SECONDS, Rates
from holdfast.http.strangers import project_of_stranger

SMALL = Tier(per_second=1.0, burst=10.0)
ERROR_MAX = 0.01


class Clock:
    def __init__(self) -> None:
        self.now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


def pair(folder: Path, tier: Tier) -> tuple[Rates, Rates, Clock]:
    """Two processes' limiters on one page."""
    clock = Clock()
    one, other = (limiter(Page(folder / "rates", clock), tier, clock) for _ in range(2))
    return one, other, clock


def admits(rates: Rates, cost: float, authorization: bytes | None = AUTHORIZATION, **scope: Any) -> bool:
    return rates.spend(SCOPE | scope, authorization, cost) is None


def test_a_burst_goes_through_then_it_is_told_when_to_come_back_and_then_it_may(tmp_path: Path) -> None:
    rates, _, clock = pair(tmp_path, SMALL)
    assert all(admits(rates, 1.0) for _ in range(10))
    limited = rates.spend(SCOPE, AUTHORIZATION, 5.0)
    assert limited is not None
    headers = dict(limited.headers())
    assert headers == {
        b"retry-after": b"5",
        b"ratelimit-limit": b"10",
        b"ratelimit-remaining": b"0",
        b"ratelimit-reset": b"5",
    }
    clock.passes(4.9)
    assert not admits(rates, 5.0)
    assert admits(rates, 2.0)
    clock.passes(2.2)
    assert admits(rates, 5.0)


def test_a_caller_stays_who_he_is_while_nobody_can_look_him_up_again(tmp_path: Path) -> None:
    """A process that starts moves every epoch; strangers of one address would share what is left for all of them."""
    rates, _, _ = pair(tmp_path, SMALL)
    assert admits(rates, 1.0)
    rates._authenticator._epochs.bump_all()
    assert admits(rates, 1.0)
    assert (rates.figures.admitted[PARTNER], rates.figures.admitted[ANONYMOUS]) == (2, 0)


def test_processes_share_one_bucket(tmp_path: Path) -> None:
    one, other, clock = pair(tmp_path, SMALL)
    for _ in range(5):
        assert admits(one, 1.0)
        assert admits(other, 1.0)
    assert not admits(one, 1.0)
    assert not admits(other, 1.0)
    clock.passes(1.0)
    assert [admits(one, 1.0), admits(other, 1.0)] == [True, False]


def test_what_a_process_does_not_spend_of_a_lease_comes_back(tmp_path: Path) -> None:
    one, other, clock = pair(tmp_path, Tier(per_second=1_000.0, burst=640.0))
    assert admits(one, 1.0)  # it holds some more of the 640 now
    held = next(iter(one._accounts.values())).left
    assert held > 0
    while admits(other, 1.0):
        pass
    clock.passes(LEASE_SECONDS)
    assert admits(one, 5.0)  # what it held came back, and with what came in meanwhile it is enough
    assert held + LEASE_SECONDS * 1_000 - 5.0 == sum(admits(other, 1.0) for _ in range(20))


def test_a_lease_is_over_with_its_time(tmp_path: Path) -> None:
    rates, _, clock = pair(tmp_path, Tier(per_second=1_000.0, burst=640.0))
    assert admits(rates, 1.0)
    clock.passes(10.0)
    assert sum(admits(rates, 1.0) for _ in range(700)) == 640  # a full bucket, and nothing on top of it


def test_whoever_is_refused_is_refused_from_memory_for_the_time_of_a_lease(tmp_path: Path) -> None:
    rates, _, clock = pair(tmp_path, SMALL)
    while admits(rates, 5.0):
        pass
    leases = rates.figures.leases
    assert not any(admits(rates, 5.0) for _ in range(100))
    assert rates.figures.leases == leases
    clock.passes(LEASE_SECONDS)
    assert not admits(rates, 5.0)
    assert rates.figures.leases == leases + 1
    assert rates.figures.limited[PARTNER] == 102


def test_what_was_taken_while_somebody_held_the_page_is_settled_afterwards(tmp_path: Path) -> None:
    one, other, clock = pair(tmp_path, SMALL)
    assert admits(one, 1.0)
    held = os.open(tmp_path / "rates", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert sum(admits(one, 1.0) for _ in range(20)) == 9  # limited all the same, by what it knows
    assert one.figures.alone > 0
    os.close(held)
    clock.passes(ALONE_SECONDS)
    assert not admits(one, 1.0)
    assert not admits(other, 1.0)


def test_a_crowd_at_random_gets_what_the_reference_gives(tmp_path: Path) -> None:
    tier = Tier(per_second=20_000.0, burst=4_000.0)
    one, other, clock = pair(tmp_path, tier)
    dice, reference, admitted, expected = random.Random(4), ReferenceBucket(tier), 0.0, 0.0
    for _ in range(10_000):
        clock.passes(dice.expovariate(10_000.0) if dice.random() < 0.999 else 0.2)
        cost = dice.choice(COSTS)
        admitted += cost if admits(dice.choice((one, other)), cost) else 0.0
        expected += cost if reference.admits(clock.now, cost) else 0.0
    assert abs(admitted - expected) <= ERROR_MAX * expected


def test_four_processes_together_get_what_the_reference_gives() -> None:
    outcome = crowd(arrivals=24_000, processes=4)
    assert outcome.arrivals == 24_000
    assert outcome.error <= ERROR_MAX, outcome


def test_the_buckets_a_process_remembers_are_bounded_and_their_figures_are_not_lost(tmp_path: Path) -> None:
    rates, _, _ = pair(tmp_path, SMALL)
    for number in range(ACCOUNTS_MAX + 10):
        assert admits(rates, 1.0, None, client=(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1))
    assert rates.figures.accounts == ACCOUNTS_MAX
    assert rates.figures.admitted[ANONYMOUS] == ACCOUNTS_MAX + 10


# --- whose bucket --------------------------------------------------------------------------


def test_a_shopper_has_a_bucket_of_his_own_whichever_token_he_comes_with(tmp_path: Path) -> None:
    rates, _, _ = pair(tmp_path, SMALL)
    rates.settings._tiers["shop", STOREFRONT] = SMALL
    for token, customer in ((b"Bearer a", "ann"), (b"Bearer b", "ann"), (b"Bearer c", "bob")):
        know(rates._authenticator, token, Caller("shop", "shop.client", frozenset(), customer_id=customer))
    assert sum(admits(rates, 1.0, token) for token in (b"Bearer a", b"Bearer b") * 10) == 10
    assert admits(rates, 1.0, b"Bearer c")
    assert admits(rates, 1.0)  # nor has the client they came through run dry


@pytest.mark.parametrize(
    ("caller", "tier"),
    [
        (Caller("shop", "shop.c", frozenset({"manage_project"})), ADMIN),
        (Caller("shop", "shop.c", frozenset({"manage_orders", "view_orders"})), PARTNER),
        (Caller("shop", "shop.c", frozenset({"manage_project"}), customer_id="ann"), STOREFRONT),
        (Caller("shop", "shop.c", frozenset({"view_products"}), anonymous_id="x"), STOREFRONT),
    ],
)
def test_the_tier_follows_from_who_asks(caller: Caller, tier: str) -> None:
    assert bucket_of(caller).tier == tier


def test_no_two_buckets_share_a_key_by_their_names_running_together() -> None:
    names = [("ab", "c"), ("a", "bc"), ("shop", "customer/1"), ("shop", "anonymous/1")]
    whose = [bucket_of(Caller("shop", "shop.c", frozenset()))._replace(project=p, name=n) for p, n in names]
    assert len({key_of(each) for each in whose}) == len(whose)


def test_a_client_may_be_put_into_another_tier(tmp_path: Path) -> None:
    rates, _, _ = pair(tmp_path, SMALL)
    rates.settings._clients["shop.client"] = ADMIN
    assert all(admits(rates, 5.0) for _ in range(100))


def test_tokens_nobody_knows_are_counted_by_address(tmp_path: Path) -> None:
    rates, _, _ = pair(tmp_path, SMALL)
    tries = int(DEFAULTS[ANONYMOUS].burst)
    assert sum(admits(rates, 1.0, b"Bearer %d" % number) for number in range(tries + 50)) in (tries, tries - 1)
    assert admits(rates, 1.0, b"Bearer x", client=("192.0.2.2", 1))


def test_a_project_may_have_its_own_idea_of_strangers(tmp_path: Path) -> None:
    rates, _, _ = pair(tmp_path, SMALL)
    rates.settings._tiers["shop", ANONYMOUS] = SMALL
    rates.settings.separates_any = True
    assert sum(admits(rates, 1.0, None) for _ in range(20)) == 10
    assert admits(rates, 1.0, None, path="/other/products")


@pytest.mark.parametrize(
    ("path", "authorization", "project"),
    [
        ("/shop/products", None, "shop"),
        ("/oauth/shop/customers/token", b"Basic x", "shop"),
        ("/oauth/token", b"Basic c2hvcC5hYmNkZWZnaGlqa2xtbm9wcXI6c2VjcmV0", "shop"),
        ("/oauth/token", b"Basic ???", ""),
        ("/oauth/token", None, ""),
        ("/", None, ""),
    ],
)
def test_a_stranger_says_himself_which_project_he_means(path: str, authorization: bytes | None, project: str) -> None:
    assert project_of_stranger(path, authorization) == project


# --- what it costs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "cost"),
    [
        ("GET", "/shop/products/1", 1.0),
        ("HEAD", "/shop/carts/1", 1.0),
        ("GET", "/shop/products", 2.0),
        ("GET", "/shop/me/orders", 2.0),
        ("POST", "/shop/products/search", 5.0),
        ("POST", "/shop/carts", 5.0),
        ("POST", "/shop/orders", 5.0),
        ("DELETE", "/shop/carts/1", 5.0),
        ("POST", "/oauth/token", 5.0),
    ],
)
def test_a_request_costs_by_what_it_does(method: str, path: str, cost: float) -> None:
    matters = criticality(method, path)
    assert isinstance(matters, Criticality)
    assert cost_of(method, matters) == cost


# --- where it comes from -------------------------------------------------------------------

TRUSTED = "127.0.0.1, 10.0.0.0/8, 2001:db8::/32"


@pytest.mark.parametrize(
    ("peer", "forwarded", "name"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", [b"203.0.113.9"], "192.0.2.1"),  # anybody can write that
        ("127.0.0.1", [b"203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", [b"1.1.1.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("127.0.0.1", [b"1.1.1.1", b"203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", [b"203.0.113.9, not an address"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("::ffff:127.0.0.1", [b"203.0.113.9"], "203.0.113.9"),
        ("2a01:db8:1:2:3:4:5:6", [], "2a01:db8:1:2::/64"),
        ("", [], "unknown"),
    ],
)
def test_an_address_is_taken_from_proxies_we_trust_and_nobody_else(
    peer: str, forwarded: list[bytes], name: str
) -> None:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", each) for each in forwarded)]
    assert Addresses(trusted_of(TRUSTED)).of({"client": (peer, 1) if peer else None, "headers": headers}) == name


def test_without_trusted_proxies_nobody_is_believed() -> None:
    headers = [(b"x-forwarded-for", b"203.0.113.9")]
    assert Addresses().of({"client": ("127.0.0.1", 1), "headers": headers}) == "127.0.0.1"
