"""Brokers that the tests of destinations share. Each test works on names of its own."""

import itertools

import pytest

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A name of a queue, topic or stream that no other test uses."""
    return f"events-{next(_numbers)}"
