"""`holdfast audit`: look for broken promises in everything that is stored; with `--apply`, mend what can be mended.

The database is asked, not the API. Nothing is changed without `--apply`.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from holdfast.cli.printing import GREEN, RED, YELLOW, add_data, add_json, painted, print_json

EXIT_FOUND = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="KEY", help="only this project")
    parser.add_argument(
        "--check", action="append", default=[], metavar="NAME", help="only this check; may be repeated (see --list)"
    )
    parser.add_argument("--list", action="store_true", help="name all checks, the promise each is about, what it means")
    parser.add_argument("--repair-plan", action="store_true", help="say what would mend each finding; changes nothing")
    parser.add_argument("--apply", action="store_true", help="show the plan, ask, and mend what needs no person")
    parser.add_argument("--yes", action="store_true", help="with --apply: do not ask")
    add_data(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    import asyncio

    from holdfast.base import log
    from holdfast.ops.server.inspect import database_url
    from holdfast.ops.server.layout import Layout, data_folder
    from holdfast.store.audit.examine import checks

    # What could not be looked at is told there, with the reason.
    log.configure("audit", "warning")
    known = checks()
    refuse_unknown("check", given.check, list(known))
    if given.list:
        for check in known.values():
            tell_check(check, as_json=given.json)
        return 0
    layout = Layout(data_folder(given.data))
    return asyncio.run(audit(database_url(layout), layout.data / "epochs", given))


async def audit(url: str, epochs: Any, given: argparse.Namespace) -> int:
    """Look, tell, and mend where that is asked for."""
    from holdfast.store.audit.reading import connect, projects

    connection = await connect(url)
    try:
        keys = await projects(connection)
        refuse_unknown("project", [given.project] if given.project else [], keys)
        began = time.monotonic()
        found, looked_at, passed_over = await look(connection, [given.project] if given.project else keys, given)
        left = found
        if given.apply and found and agreed(found, given):
            left = await mend_all(url, epochs, connection, found, given)
        summary = {"findings": len(found), "left": len(left), "lookedAt": looked_at, "passedOver": passed_over}
        tell_summary(summary | {"seconds": round(time.monotonic() - began, 1)}, as_json=given.json)
        return EXIT_FOUND if left or passed_over else 0
    finally:
        await connection.close()


async def look(connection: Any, keys: Sequence[str], given: argparse.Namespace) -> tuple[list[Any], int, int]:
    """All findings with their walks, told as they come; and how many places were looked at and passed over."""
    from holdfast.store.audit.examine import examine_all

    found: list[Any] = []
    looked_at = passed_over = 0
    seen: set[Any] = set()
    for key in keys:
        async for walk, page in examine_all(connection, key, given.check):
            looked_at += page.looked_at
            passed_over += page.passed_over
            for finding in page.findings:
                if finding.identity not in seen:
                    seen.add(finding.identity)
                    found.append((walk, finding))
                    tell_finding(finding, given)
    return found, looked_at, passed_over


def agreed(found: Sequence[Any], given: argparse.Namespace) -> bool:
    """Whether the operator wants these repairs. Raises Trouble where nobody can be asked."""
    from holdfast.ops.trouble import Trouble
    from holdfast.store.audit.check import NO_REPAIR

    count = sum(not finding.remedy.startswith(NO_REPAIR) for _, finding in found)
    if given.yes or not count:
        return bool(count)
    if not sys.stdin.isatty():
        raise Trouble("Nothing was changed.", why="Nobody is there to ask.", remedy="Add --yes to --apply.")
    return input(f"Apply {count} repair{'s' if count > 1 else ''}? [y/N] ").strip().lower() in ("y", "yes")


async def mend_all(
    url: str, epochs: Any, connection: Any, found: Sequence[Any], given: argparse.Namespace
) -> list[Any]:
    """Mend what can be mended; what is left."""
    from holdfast.delivery.mending import mend
    from holdfast.store.store import Store

    store = Store(url, epochs=epochs if epochs.exists() else None)
    await store.open()
    left = []
    try:
        for walk, finding in found:
            mended = await mend(store, connection, walk, finding)
            tell_mended(mended, as_json=given.json)
            if mended.is_left:
                left.append((walk, finding))
    finally:
        await store.close()
    return left


def refuse_unknown(what: str, asked: Sequence[str], known: Sequence[str]) -> None:
    """Raises Trouble for a name nobody knows."""
    from holdfast.ops.trouble import Trouble

    for name in asked:
        if name not in known:
            raise Trouble(f"There is no {what} '{name}'.", remedy=f"Known: {', '.join(known)}.", code=f"no-{what}")


# --- telling -------------------------------------------------------------------------------


def tell_check(check: Any, *, as_json: bool) -> None:
    if as_json:
        print_json({"check": check.name, "promise": check.promise, "meaning": check.meaning, "mends": check.mends})
    else:
        print(f"{check.promise}  {check.name:<22} {check.meaning}")


def tell_finding(finding: Any, given: argparse.Namespace) -> None:
    if given.json:
        print_json(finding_facts(finding))
        return
    where = f"{finding.kind} {finding.subject}"
    print(f"{painted('found', RED, sys.stdout)}  {finding.check}: {where}  ·  project {finding.project}")
    print(f"       {finding.detail}")
    if given.repair_plan or given.apply:
        print(f"       repair: {finding.remedy}")


def finding_facts(finding: Any) -> dict[str, str]:
    names = ("project", "check", "kind", "subject", "detail")
    return {name: getattr(finding, name) for name in names} | {"repair": finding.remedy}


def tell_mended(mended: Any, *, as_json: bool) -> None:
    finding = mended.finding
    if as_json:
        print_json({"check": finding.check, "subject": finding.subject, "done": mended.done, "whyNot": mended.why_not})
    elif mended.done:
        print(f"{painted('mended', GREEN, sys.stdout)} {finding.check}: {finding.subject}: {mended.done}")
    else:
        print(f"{painted('left', YELLOW, sys.stdout)}   {finding.check}: {finding.subject}: {mended.why_not}")


def tell_summary(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    count = summary["findings"]
    told = f"{count or 'no'} finding{'' if count == 1 else 's'}"
    if summary["left"] != count:
        told += f", {summary['left']} left"
    print(f"{told} in {summary['lookedAt']} places, {summary['seconds']} s")
    if summary["passedOver"]:
        print(f"{summary['passedOver']} places could not be looked at; the reasons are above, on standard error")
