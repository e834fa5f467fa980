"""One check's result: how it is, what was seen, how to mend it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from holdfast.ops.trouble import Trouble

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """The fix is told even when all is well: programs may show it, people see it only when needed."""

    check: str
    state: State
    evidence: str
    fix: str = ""

    def facts(self) -> dict[str, str]:
        return asdict(self)


Check = Callable[[], Finding | None]


def ok_if(holds: bool, check: str, evidence: str, fix: str, *, otherwise: State = "failed") -> Finding:
    return Finding(check, "ok" if holds else otherwise, evidence, fix)


def judged(check: str, seen: float, *, warn_below: float, fail_below: float, evidence: str, fix: str) -> Finding:
    """A quantity there should be enough of."""
    state: State = "failed" if seen < fail_below else "warning" if seen < warn_below else "ok"
    return Finding(check, state, evidence, fix)


def results(checks: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """Every check's finding; one that breaks is itself a finding, one that does not apply is left out."""
    for name, check in checks:
        try:
            finding = check()
        except Trouble as trouble:
            finding = Finding(name, "failed", f"{trouble.what} {trouble.why}".strip(), trouble.remedy)
        except OSError as error:
            finding = Finding(name, "warning", f"could not be looked at: {error}", "Run doctor as the shop's user.")
        if finding:
            yield finding
