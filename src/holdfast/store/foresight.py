"""What decisions asked for last time: a guess at what the next one like them will ask for.

Decisions ask for records one after another, as they find out what they need. The next change of the
same cart needs the same product, tax category and shipping method, so these are read ahead in one
trip. They are read, not remembered: a guess can be needless, never wrong.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from holdfast.commerce.facts import ByField, ById

SUBJECTS_MAX = 20_000
# A cart of 500 lines may ask for a thousand records; few do.
LOOKUPS_MAX = 200


class Foresight:
    """Lookups by the id of the resource they were for, the longest unused forgotten first."""

    def __init__(self) -> None:
        self._lookups: OrderedDict[str, tuple[ById | ByField, ...]] = OrderedDict()

    def get(self, subject: str) -> tuple[ById | ByField, ...]:
        """What the last decision about this resource asked for."""
        found = self._lookups.get(subject)
        if found is None:
            return ()
        self._lookups.move_to_end(subject)
        return found

    def remember(self, subject: str, lookups: Sequence[ById | ByField]) -> None:
        """Keep what was asked for."""
        self._lookups[subject] = tuple(dict.fromkeys(lookups))[-LOOKUPS_MAX:]
        if len(self._lookups) > SUBJECTS_MAX:
            self._lookups.popitem(last=False)
