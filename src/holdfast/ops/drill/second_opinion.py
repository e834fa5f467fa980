"""What the product's own commands say of a drilled shop, beside the verdict: the audit, and the check of receipts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from holdfast.ops.drill.journal import PLACED, pages
from holdfast.ops.drill.stage import HOLDFAST, Stage
from holdfast.ops.trouble import Trouble

COMMAND_SECONDS_MAX = 1_800.0


async def audited(stage: Stage, placed: int) -> list[str]:
    """The findings of `holdfast audit` in the sale's project. Raises Trouble when it could not look."""
    assert stage.account is not None
    return findings_in(await command(stage, "audit", "--project", stage.account.project_key), placed)


def findings_in(printed: str, placed: int) -> list[str]:
    """What the audit found, from the lines it printed; the last one sums up. Orders are places, as are carts."""
    try:
        *found, summary = [json.loads(line) for line in printed.splitlines()]
        looked_at, passed_over = summary["lookedAt"], summary["passedOver"]
    except (ValueError, KeyError):
        raise could_not_look("audit", printed) from None
    if passed_over:
        raise could_not_look("audit", f"{passed_over} places could not be looked at.")
    if looked_at <= placed:
        raise could_not_look("audit", f"It looked at {looked_at} places, and {placed} orders were acknowledged.")
    return [f"audit: {each['check']} of {each['kind']} {each['subject']}: {each['detail']}" for each in found]


async def receipts_checked(stage: Stage, journal: Path) -> list[str]:
    """What is wrong with the receipts clients were given. Raises Trouble when they could not be checked."""
    file = stage.folder / "receipts"
    placed = 0
    with file.open("w") as receipts:
        for entries, _ in pages(journal):
            told = [entry for entry in entries if entry.outcome == PLACED]
            placed += len(told)
            receipts.writelines(f"{entry.receipt}\n" for entry in told if entry.receipt)
    return offences_in(await command(stage, "receipts", "verify", str(file)), placed)


def offences_in(printed: str, placed: int) -> list[str]:
    """Receipts that do not hold, and acknowledgements that came without one."""
    try:
        facts = json.loads(printed)
        offences = [f"receipt of order {each.get('orderId', '?')}: {each['what']}" for each in facts["offences"]]
        without = placed - facts["receipts"]
    except (ValueError, KeyError):
        raise could_not_look("receipts verify", printed) from None
    return offences + [f"{without} orders were acknowledged without a receipt"] * bool(without)


async def command(stage: Stage, *words: str) -> str:
    """What a command prints about the stage's shop."""
    process = await asyncio.create_subprocess_exec(
        *HOLDFAST,
        *words,
        *("--json", "--data", str(stage.data)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**stage.surroundings(), "HOLDFAST_DATABASE_URL": stage.dsn},
        start_new_session=True,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise could_not_look(" ".join(words), f"It took longer than {COMMAND_SECONDS_MAX:.0f} s.") from None
    return printed.decode(errors="replace")


def could_not_look(what: str, why: str) -> Trouble:
    return Trouble(f"`holdfast {what}` could not look at everything.", why=why[-1000:], code="drill-second-opinion")
