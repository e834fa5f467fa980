"""How much each may ask for: the token buckets of http/rate_page.py, spent from leases.

A process takes a lease of a bucket, spends it without asking anybody, and brings back what is left when it takes
the next one. So what a request costs is a subtraction, and what a process can hold back from the others or spend
after its time is at most one lease: LEASE_SECONDS' worth of tokens, and a quarter of what was there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from holdfast.base.errors import TooManyRequests
from holdfast.http.addresses import Addresses
from holdfast.http.auth import Authenticator, Seen
from holdfast.http.bucket import SECOND, Ask, Taken, Tier, take
from holdfast.http.rate_page import Page
from holdfast.http.rate_settings import RateSettings
from holdfast.http.rate_tiers import ANONYMOUS, DEFAULTS, Whose, bucket_of, key_of
from holdfast.http.strangers import project_of_stranger

# A lease is spent or brought back within this time.
LEASE_SECONDS = 0.005
_LEASE_NANOSECONDS = int(LEASE_SECONDS * SECOND)
# Whoever is refused is refused for at least so long: asking for each token as it comes in would be all lock.
REFUSED_SECONDS_MIN = 0.001
_REFUSED_NANOSECONDS_MIN = int(REFUSED_SECONDS_MIN * SECOND)
# Buckets a process remembers having a lease of; those known longest make room.
ACCOUNTS_MAX = 20_000


class Limited(NamedTuple):
    """Somebody may not now: his tier, the tokens he has left, and when it is worth asking again."""

    tier: Tier
    left: float
    wait_seconds: float

    @property
    def retry_after_seconds(self) -> int:
        return max(1, math.ceil(self.wait_seconds))

    def error(self) -> TooManyRequests:
        return TooManyRequests(f"Too many requests; try again in {self.retry_after_seconds} s.")

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What a client that is told to wait is told besides."""
        seconds = b"%d" % self.retry_after_seconds
        return [
            (b"retry-after", seconds),
            (b"ratelimit-limit", b"%d" % self.tier.burst),
            (b"ratelimit-remaining", b"%d" % self.left),
            (b"ratelimit-reset", seconds),
        ]


class Account:
    """What this process has of a bucket: a lease, or the word that there is nothing."""

    __slots__ = (
        "admitted",
        "full_at",
        "key",
        "left",
        "limited",
        "owed",
        "refusal",
        "refused_cost",
        "refused_until",
        "until",
        "whose",
    )

    def __init__(self, whose: Whose) -> None:
        self.whose = whose
        self.key = key_of(whose)
        self.left = 0.0
        self.until = 0
        # The bucket as it was last seen, and what was taken since without the others knowing.
        self.full_at = 0
        self.owed = 0.0
        self.refused_cost = math.inf
        self.refused_until = 0
        # When the bucket will have had enough, and what was in it.
        self.refusal = (0, 0.0)
        self.admitted = 0
        self.limited = 0


class Figures(NamedTuple):
    """What the limiter of this process has done since it started, by tier where it matters: plain numbers."""

    admitted: Mapping[str, int]
    limited: Mapping[str, int]
    leases: int
    # Leases this process took without the others knowing, because somebody held the page.
    alone: int
    # Buckets that were not full and had to make room.
    forgotten: int
    accounts: int
    elsewhere: HostFigures | None


class HostFigures(NamedTuple):
    """How sharing with other hosts goes: buckets they were told of, attempts that failed, and what was never told."""

    told: int
    failed: int
    untold: int
    is_away: bool


class Elsewhere(Protocol):
    """Other hosts, told of what was spent here."""

    def spent(self, key: int, tier: Tier, tokens: float) -> None: ...

    def figures(self) -> HostFigures: ...

    async def close(self) -> None: ...


class Rates:
    """The limiter of one process."""

    def __init__(
        self,
        page: Page,
        authenticator: Authenticator,
        settings: RateSettings,
        addresses: Addresses,
        *,
        elsewhere: Elsewhere | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.settings = settings
        self._page = page
        self._authenticator = authenticator
        self._addresses = addresses
        self._elsewhere = elsewhere
        self._clock = clock
        self._accounts: dict[Whose, Account] = {}
        self._leases = 0
        self._alone = 0
        # What accounts counted that had to make room.
        self._admitted = dict.fromkeys(DEFAULTS, 0)
        self._limited = dict.fromkeys(DEFAULTS, 0)

    def spend(self, scope: Mapping[str, Any], authorization: bytes | None, cost: float) -> Limited | None:
        """Take what a request costs from whoever sent it; None when he has it."""
        seen = self._authenticator.remembered(authorization) if authorization is not None else None
        account = self._of_stranger(scope, authorization) if seen is None else seen.account or self._of(seen)
        left = account.left - cost
        if left >= 0.0 and self._clock() < account.until:
            account.left = left
            account.admitted += 1
            return None
        return self._lease(account, cost)

    @property
    def figures(self) -> Figures:
        """The figures as they stand now."""
        admitted, limited = dict(self._admitted), dict(self._limited)
        for whose, account in self._accounts.items():
            admitted[whose.tier] += account.admitted
            limited[whose.tier] += account.limited
        elsewhere = self._elsewhere.figures() if self._elsewhere else None
        forgotten, accounts = self._page.forgotten, len(self._accounts)
        return Figures(admitted, limited, self._leases, self._alone, forgotten, accounts, elsewhere)

    async def close(self) -> None:
        if self._elsewhere is not None:
            await self._elsewhere.close()

    # --- whose bucket ----------------------------------------------------------------------

    def _of(self, seen: Seen) -> Account:
        seen.account = self._account(bucket_of(seen.caller))
        return seen.account

    def _of_stranger(self, scope: Mapping[str, Any], authorization: bytes | None) -> Account:
        """The account of an address: nobody knows yet who it is."""
        project = ""
        if self.settings.separates_any:
            named = project_of_stranger(scope["path"], authorization)
            project = named if self.settings.separates(named) else ""
        return self._account(Whose(project, ANONYMOUS, self._addresses.of(scope)))

    def _account(self, whose: Whose) -> Account:
        account = self._accounts.get(whose)
        if account is None:
            if len(self._accounts) >= ACCOUNTS_MAX:
                self._forget(next(iter(self._accounts)))
            account = self._accounts[whose] = Account(whose)
        return account

    def _forget(self, whose: Whose) -> None:
        account = self._accounts.pop(whose)
        self._admitted[whose.tier] += account.admitted
        self._limited[whose.tier] += account.limited

    # --- leases ----------------------------------------------------------------------------

    def _lease(self, account: Account, cost: float) -> Limited | None:
        now = self._clock()
        if now < account.refused_until and cost >= account.refused_cost:
            return self._refused(account, now)
        self.settings.look()
        tier = self.settings.tier(account.whose)
        taken = self._take(account, tier, cost, now)
        if taken.wait_nanoseconds:
            return self._nothing(account, cost, taken, now)
        account.left = taken.tokens - cost
        account.until = now + _LEASE_NANOSECONDS
        account.refused_until = 0
        account.admitted += 1
        return None

    def _take(self, account: Account, tier: Tier, cost: float, now: int) -> Taken:
        """A lease, of the shared bucket; while somebody holds the page, of what is known of it, to be settled later."""
        left, most = account.left, tier.per_second * LEASE_SECONDS
        taken = self._page.take(account.key, tier, Ask(cost, most, left - account.owed))
        if taken is not None:
            account.owed = 0.0
        else:
            taken = take(account.full_at, now, tier, Ask(cost, most, left))
            account.owed += taken.tokens - left
            self._alone += 1
        account.full_at = taken.full_at
        self._leases += 1
        if self._elsewhere is not None:
            self._elsewhere.spent(account.key, tier, taken.tokens - left)
        return taken

    def _nothing(self, account: Account, cost: float, taken: Taken, now: int) -> Limited:
        """Remember for the time of a lease that there is not so much, so that asking again costs nothing."""
        account.left = 0.0
        account.refused_cost = cost
        account.refused_until = now + min(max(taken.wait_nanoseconds, _REFUSED_NANOSECONDS_MIN), _LEASE_NANOSECONDS)
        account.refusal = (now + taken.wait_nanoseconds, taken.left)
        return self._refused(account, now)

    def _refused(self, account: Account, now: int) -> Limited:
        account.limited += 1
        enough_at, left = account.refusal
        return Limited(self.settings.tier(account.whose), left, max(enough_at - now, 0) / SECOND)
