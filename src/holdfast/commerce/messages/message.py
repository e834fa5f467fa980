"""What happened, by published type name. A message is committed with the change it tells of.

The class name is the published `type`. The house adds id, sequence number, resource and time when
the change is committed; a class lists only the fields its type adds.
"""

from __future__ import annotations

from holdfast.commerce.values.value import Value


class Message(Value, tag_field="type", tag=str):
    """Base of all messages."""
