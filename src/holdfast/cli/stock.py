"""`holdfast stock explain SKU`: the movements behind the numbers of an item's stock.

The database is asked, not the API: the answer is the same while the shop is busy or its API is down.
"""

import argparse
import sys
from typing import Any

from holdfast.cli.printing import RED, add_data, add_json, counted, painted, print_json

LINES_DEFAULT = 20
LINES_MAX = 500
EXIT_UNBALANCED = 1
# Movements in words, where the ledger's own word says too little.
WORDS = {
    "open": "counters as the ledger found them",
    "count": "counted",
    "receive": "received",
    "track": "taken",
    "reserve": "reserved",
    "backorder": "reserved beyond the shelf",
    "adopt": "taken over from the cart",
    "release": "released",
    "close": "entry deleted",
    "correct": "corrected",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    explain = verbs.add_parser("explain", help="show how the stock of a SKU came to be what it is")
    explain.add_argument("sku", metavar="SKU", help="the item in question")
    explain.add_argument("--channel", metavar="KEY", help="only what this supply channel has of it")
    explain.add_argument("--project", metavar="KEY", help="only this project")
    explain.add_argument(
        "--lines",
        type=line_count,
        default=LINES_DEFAULT,
        metavar="N",
        help=f"latest movements to show (default {LINES_DEFAULT})",
    )
    add_data(explain)
    add_json(explain)


def line_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= LINES_MAX:
        raise argparse.ArgumentTypeError(f"between 1 and {LINES_MAX}")
    return count


def run(given: argparse.Namespace) -> int:
    import asyncio

    from holdfast.ops.server.inspect import database_url
    from holdfast.ops.server.layout import Layout, data_folder
    from holdfast.ops.trouble import Trouble

    accounts = asyncio.run(read(database_url(Layout(data_folder(given.data))), given))
    if not accounts:
        remedy = "Check the SKU, and what --project and --channel leave of it."
        raise Trouble(f"There is no inventory entry for '{given.sku}'.", remedy=remedy, code="no-entry")
    for place, account in accounts:
        if given.json:
            print_json(facts(given.sku, place, account))
        else:
            show(given.sku, place, account)
    return 0 if all(account.balanced for _, account in accounts) else EXIT_UNBALANCED


async def read(url: str, given: argparse.Namespace) -> list[tuple[Any, Any]]:
    """The entries of the SKU, each with its account."""
    from holdfast.store.ledger import account_of, places_of
    from holdfast.store.pool import Database

    database = Database(url, ad_hoc=1)
    await database.open()
    try:
        places = await places_of(database, given.sku, given.project, given.channel)
        return [(place, await account_of(database, place.project, place.entry_id, given.lines)) for place in places]
    finally:
        await database.close()


def show(sku: str, place: Any, account: Any) -> None:
    counters, lines = account.counters, account.lines
    where = f"channel {place.channel}" if place.channel else "no channel"
    print(f"{sku}  ·  {where}  ·  project {place.project}  ·  entry {place.entry_id}")
    if account.movements > len(lines):
        print(f"  not shown: {counted(account.movements - len(lines), 'earlier movement')}")
    print(f"  {'when':<24}  {'what':<28} {'on stock':>16} {'reserved':>16} {'available':>9}  for")
    for line in lines:
        stock, held = moved(line.change.on_stock, line.after.on_stock), moved(line.change.reserved, line.after.reserved)
        what = WORDS.get(line.movement, line.movement)
        cause = f"{line.reference_kind} {line.reference_id} v{line.reference_version}"
        print(f"  {line.at:<24}  {what:<28} {stock:>16} {held:>16} {line.after.available:>9}  {cause}")
    print(f"  now: {counters.on_stock} on stock, {counters.reserved} reserved, {counters.available} available")
    if account.balanced:
        print(f"  in the ledger: {counted(account.movements, 'movement')}, which come to exactly that")
    else:
        total = account.total
        print(painted("  The movements do not add up to that:", RED, sys.stdout), end=" ")
        print(f"{total.on_stock} on stock, {total.reserved} reserved. `holdfast audit` says more.")


def moved(change: int, after: int) -> str:
    """A number and what was added to it: `7 (+2)`."""
    return f"{after} ({change:+d})" if change else f"{after}"


def facts(sku: str, place: Any, account: Any) -> dict[str, Any]:
    return {
        "sku": sku,
        "project": place.project,
        "entryId": place.entry_id,
        "channel": place.channel,
        "onStock": account.counters.on_stock,
        "reserved": account.counters.reserved,
        "available": account.counters.available,
        "balanced": account.balanced,
        "movements": account.movements,
        "lines": [line_facts(line) for line in account.lines],
    }


def line_facts(line: Any) -> dict[str, Any]:
    return {
        "position": line.position,
        "at": line.at,
        "movement": line.movement,
        "onStock": line.change.on_stock,
        "reserved": line.change.reserved,
        "onStockAfter": line.after.on_stock,
        "reservedAfter": line.after.reserved,
        "reference": {"typeId": line.reference_kind, "id": line.reference_id, "version": line.reference_version},
    }
