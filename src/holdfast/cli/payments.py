"""`holdfast payments unmatched`: captured money that ended neither as an order nor as a refund.

The list is what the background worker has found so far; `holdfast audit --check payment-unmatched`
looks anew, and with `--apply` settles it.
"""

import argparse
from typing import Any

from holdfast.cli.printing import add_data, add_json, print_json

LINES_MAX = 500
EXIT_FOUND = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    unmatched = verbs.add_parser("unmatched", help="list payments whose money is not where it belongs")
    unmatched.add_argument("--project", metavar="KEY", help="only this project")
    add_data(unmatched)
    add_json(unmatched)


def run(given: argparse.Namespace) -> int:
    import asyncio

    from holdfast.ops.server.inspect import database_url
    from holdfast.ops.server.layout import Layout, data_folder

    found, total = asyncio.run(read(database_url(Layout(data_folder(given.data))), given.project))
    for each in found:
        if given.json:
            print_json(facts(each))
        else:
            show(each)
    if total > len(found):
        remark = f"{total - len(found)} more are not shown"
        print_json({"notShown": total - len(found)}) if given.json else print(remark)
    elif not found and not given.json:
        print("Every captured payment became an order or a refund.")
    return EXIT_FOUND if found else 0


async def read(url: str, project: str | None) -> tuple[list[Any], int]:
    """What is on the list, of one project or of all."""
    from holdfast.store.audit.findings import listed
    from holdfast.store.audit.payments import BREAKS
    from holdfast.store.audit.reading import connect, projects
    from holdfast.store.pool import Database

    connection = await connect(url)
    database = Database(url, ad_hoc=1)
    await database.open()
    found: list[Any] = []
    total = 0
    try:
        for key in [project] if project else await projects(connection):
            page, count = await listed(database, key, list(BREAKS), limit=LINES_MAX - len(found))
            found += page
            total += count
    finally:
        await connection.close()
        await database.close()
    return found, total


def show(each: Any) -> None:
    finding = each.finding
    print(f"{finding.check}: {finding.kind} {finding.subject}  ·  project {finding.project}")
    print(f"  {finding.detail}, since {each.first_seen:%Y-%m-%d %H:%M} UTC")
    print(f"  repair: {finding.remedy}")


def facts(each: Any) -> dict[str, Any]:
    finding = each.finding
    return {
        "project": finding.project,
        "type": finding.check,
        "resource": {"typeId": finding.kind, "id": finding.subject},
        "payment": finding.place[0],
        "detail": finding.detail,
        "repair": finding.remedy,
        "firstSeenAt": each.first_seen.isoformat(),
        "lastSeenAt": each.last_seen.isoformat(),
    }
