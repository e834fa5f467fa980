"""What an operator is told when something cannot be done: what, why, and what to do next."""

from pathlib import Path

LOG_LINES_SHOWN = 12


class Trouble(Exception):
    """Something the operator can mend; shown without a traceback."""

    def __init__(self, what: str, *, why: str = "", remedy: str = "", code: str = "failed", exit_code: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.code = code
        self.exit_code = exit_code

    def facts(self) -> dict[str, str]:
        """The same for programs."""
        return {"error": self.code, "what": self.what, "why": self.why, "next": self.remedy}


def tail(path: Path) -> str:
    """The last lines of a log, for the `why` of a Trouble."""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        return f"({path}: {error.strerror})"
    return "\n".join(text.splitlines()[-LOG_LINES_SHOWN:])
