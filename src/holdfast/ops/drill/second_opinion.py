"""What the product's own audit says of a drilled shop: a second opinion beside the verdict."""

from __future__ import annotations

import asyncio
import json

from holdfast.ops.drill.stage import HOLDFAST, Stage
from holdfast.ops.trouble import Trouble

AUDIT_SECONDS_MAX = 1_800.0


async def audited(stage: Stage) -> list[str]:
    """The findings of `holdfast audit` in the sale's project. Raises Trouble when it could not look."""
    assert stage.account is not None
    environment = {**stage.surroundings(), "HOLDFAST_DATABASE_URL": stage.dsn}
    process = await asyncio.create_subprocess_exec(
        *HOLDFAST,
        *("audit", "--json", "--project", stage.account.project_key, "--data", str(stage.data)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), AUDIT_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise could_not_look(f"It took longer than {AUDIT_SECONDS_MAX:.0f} s.") from None
    return findings_in(printed.decode(errors="replace"))


def findings_in(printed: str) -> list[str]:
    """What the audit found, from the lines it printed; the last one sums up."""
    try:
        *found, summary = [json.loads(line) for line in printed.splitlines()]
        passed_over = summary["passedOver"]
    except (ValueError, KeyError):
        raise could_not_look(printed[-1000:]) from None
    if passed_over:
        raise could_not_look(f"{passed_over} places could not be looked at.")
    return [f"audit: {each['check']} of {each['kind']} {each['subject']}: {each['detail']}" for each in found]


def could_not_look(why: str) -> Trouble:
    return Trouble("The audit could not look at everything.", why=why, code="drill-audit")
