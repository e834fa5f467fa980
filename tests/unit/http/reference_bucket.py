"""A token bucket as anybody would write it down: a count, a moment, and exact fractions."""

from fractions import Fraction

from holdfast.http.bucket import SECOND, Tier


class ReferenceBucket:
    """Slow and obvious: tokens come in with time until the bucket is full, and go out one request at a time."""

    def __init__(self, tier: Tier) -> None:
        self._per_nanosecond = Fraction(tier.per_second) / SECOND
        self._burst = Fraction(tier.burst)
        self._tokens = self._burst
        self._at = 0

    def admits(self, now: int, cost: float) -> bool:
        came_in = (now - self._at) * self._per_nanosecond
        self._tokens, self._at = min(self._burst, self._tokens + came_in), now
        if self._tokens < cost:
            return False
        self._tokens -= Fraction(cost)
        return True
