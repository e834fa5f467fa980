"""Projections: narrower shapes that refuse what they left out."""

from __future__ import annotations

import pytest

from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.parser import parse
from holdfast.commerce.projection import Projection
from holdfast.commerce.values.value import Value, encode


class Part(Value):
    name: str
    secret: str | None = None


class Whole(Value):
    id: str
    parts: tuple[Part, ...] = ()
    best: Part | None = None
    note: str | None = None


SEEN = Projection(
    Whole,
    leave_out=("note",),
    inner={"parts": Projection(Part, leave_out=("secret",)), "best": Projection(Part, leave_out=("secret",))},
)


def test_what_is_left_out_is_gone_at_every_level() -> None:
    whole = Whole(id="w", parts=(Part(name="a", secret="s"),), best=Part(name="b", secret="t"), note="n")
    assert encode(SEEN(whole)) == b'{"id":"w","parts":[{"name":"a"}],"best":{"name":"b"}}'


def test_absent_parts_stay_absent() -> None:
    assert encode(SEEN(Whole(id="w"))) == b'{"id":"w"}'


def test_a_query_for_a_seen_field_is_understood() -> None:
    assert bind(parse('parts(name = "a") and best(name = "b")'), SEEN.shape) is not None


@pytest.mark.parametrize("predicate", ['note = "n"', 'parts(secret = "s")', 'best(secret = "t")'])
def test_a_query_for_a_field_left_out_is_refused_by_name(predicate: str) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        bind(parse(predicate), SEEN.shape)


def test_leaving_out_a_field_nobody_has_stops_the_start() -> None:
    with pytest.raises(AssertionError, match="no such fields"):
        Projection(Whole, leave_out=("typo",))
