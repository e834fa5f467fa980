"""`holdfast limits show|set`: how much each tier of a project may ask for, and which client is in which."""

import argparse
from typing import Any

from holdfast.cli.printing import add_data, add_json, print_json

TIERS = ("anonymous", "storefront", "partner", "admin")


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="show the usage tiers of a project")
    show.add_argument("project", metavar="PROJECT", help="its key")
    setting = verbs.add_parser(
        "set",
        help="set what a tier may ask for, or put a client into it",
        description="A read takes 1 token, a query 2, a search or a change 5.",
    )
    setting.add_argument("project", metavar="PROJECT", help="the project's key")
    setting.add_argument("tier", metavar="TIER", choices=TIERS, help=", ".join(TIERS))
    setting.add_argument("--per-second", type=float, metavar="N", help="tokens that come in each second")
    setting.add_argument("--burst", type=float, metavar="N", help="tokens that can be spent at once")
    setting.add_argument("--client", metavar="ID", help="put this API client into the tier instead")
    setting.add_argument("--default", action="store_true", help="go back to what Holdfast comes with")
    for verb in (show, setting):
        add_data(verb)
        add_json(verb)


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.server.inspect import running_shop
    from holdfast.ops.server.layout import Layout, data_folder

    shop = running_shop(Layout(data_folder(given.data)))
    facts = shop.limits(given.project, None if given.verb == "show" else change(given))
    if given.json:
        print_json(facts)
    else:
        show(facts)
    return 0


def change(given: argparse.Namespace) -> dict[str, Any]:
    """What the operator wants changed; Trouble when that is not clear."""
    from holdfast.ops.trouble import Trouble

    numbers = given.per_second is not None or given.burst is not None
    if given.client and not numbers:
        return {"clients": {given.client: None if given.default else given.tier}}
    if given.default and not numbers:
        return {"tiers": {given.tier: None}}
    if given.client or given.default or given.per_second is None or given.burst is None:
        raise Trouble(
            "What is to be set is not clear.",
            remedy="Give --per-second and --burst, or --client, or --default.",
            code="misused",
            exit_code=2,
        )
    return {"tiers": {given.tier: {"perSecond": given.per_second, "burst": given.burst}}}


def show(facts: dict[str, Any]) -> None:
    print(f"{'tier':<12} {'tokens a second':>16} {'at once':>12}")
    for name, tier in facts["tiers"].items():
        note = "" if tier["default"] else "  set"
        print(f"{name:<12} {tier['perSecond']:>16,.10g} {tier['burst']:>12,.10g}{note}")
    for client, tier in facts["clients"].items():
        print(f"client {client} is in tier {tier}")
