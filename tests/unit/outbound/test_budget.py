from hypothesis import given
from hypothesis import strategies as st

from holdfast.outbound.budget import IN_HAND, SAVED_MAX, SHARE, Budget, earned, spent


@given(st.lists(st.booleans(), max_size=300))
def test_retries_never_exceed_a_tenth_of_the_calls_and_what_was_in_hand(wishes: list[bool]) -> None:
    budget, calls, retries = Budget(), 0, 0
    for wants_retry in wishes:
        budget, calls = earned(budget), calls + 1
        left = spent(budget)
        if wants_retry and left is not None:
            budget, retries = left, retries + 1
        assert retries <= IN_HAND + SHARE * calls + 1e-9
        assert 0 <= budget.retries <= SAVED_MAX


def test_a_budget_without_a_whole_retry_gives_none() -> None:
    assert spent(Budget(0.9)) is None
    assert spent(Budget(1.0)) == Budget(0.0)
