"""Numbers in the text format Prometheus reads (version 0.0.4)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from holdfast.base.series import FAMILIES, Family, place

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Sample(NamedTuple):
    """One number with its labels."""

    labels: Mapping[str, str]
    value: float


def family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    """The lines of one metric."""
    yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        yield _line(name, labels, value)


def gauge(name: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    return family(name, "gauge", text, samples)


def counter(name: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    return family(name, "counter", text, samples)


def counted(numbers: Sequence[float]) -> Iterator[str]:
    """The host's counts. Series nobody has added to yet are left out, unless the family has but a few."""
    for declared in FAMILIES:
        if declared.bounds:
            yield from _histograms(declared, numbers)
        else:
            yield from counter(declared.name, declared.text, _counters(declared, numbers))


# What a family has at most for all its series to be shown from the start, so that an increase from 0 to 1 is seen.
SHOWN_ALWAYS_MAX = 32


def _counters(declared: Family, numbers: Sequence[float]) -> Iterator[Sample]:
    always = len(declared.values) <= SHOWN_ALWAYS_MAX
    for values in declared.values:
        value = numbers[place(declared, *values)]
        if value or always:
            yield Sample(dict(zip(declared.labels, values, strict=True)), value)


def _histograms(declared: Family, numbers: Sequence[float]) -> Iterator[str]:
    name, width = declared.name, len(declared.bounds) + 1
    yield f"# HELP {name} {declared.text}\n# TYPE {name} histogram\n"
    seen = {values for values in declared.values if numbers[place(declared, *values) + width]}
    shown = {(*values[:-1], declared.along) for values in seen if declared.along}
    for values in declared.values:
        if values and values not in seen and values not in shown:
            continue
        first = place(declared, *values)
        buckets = list(itertools.accumulate(numbers[first : first + width]))
        labels = dict(zip(declared.labels, values, strict=True))
        for bound, count in zip((*declared.bounds, float("inf")), buckets, strict=True):
            yield _line(f"{name}_bucket", {**labels, "le": _number(bound)}, count)
        yield _line(f"{name}_sum", labels, numbers[first + width])
        yield _line(f"{name}_count", labels, buckets[-1])


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    if not labels:
        return f"{name} {_number(value)}\n"
    told = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
    return f"{name}{{{told}}} {_number(value)}\n"


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(value)
