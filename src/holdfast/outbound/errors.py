"""How a call to the outside can fail, and whether it may have arrived all the same.

OutboundError
├── AddressRefused     not sent   a place nobody may make us call
├── CircuitOpen        not sent   it failed too often; asked again later
├── TooManyCalls       not sent   as many calls as may be are under way
├── NoConnection       not sent   unknown, closed or silent at the door
├── RequestRefused     not sent   a header or body that cannot be sent
├── TimedOut           perhaps    connected, then silent for too long
├── BrokenAnswer       perhaps    hung up, or said what is not HTTP
└── AnswerTooLarge     perhaps    more than anybody asked for
"""

from __future__ import annotations

from typing import ClassVar


class OutboundError(Exception):
    """A call without a usable answer.

    may_have_arrived: whether the other side may have acted on it. counts: whether it speaks against the destination.
    """

    may_have_arrived: ClassVar[bool] = False
    counts: ClassVar[bool] = False


class AddressRefused(OutboundError): ...


class CircuitOpen(OutboundError): ...


class TooManyCalls(OutboundError): ...


class RequestRefused(OutboundError): ...


class NoConnection(OutboundError):
    counts = True


class TimedOut(OutboundError):
    may_have_arrived = True
    counts = True


class BrokenAnswer(OutboundError):
    may_have_arrived = True
    counts = True


class AnswerTooLarge(OutboundError):
    may_have_arrived = True
    counts = True
