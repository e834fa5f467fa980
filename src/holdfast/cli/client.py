"""`holdfast client create`: credentials for one more program, with no more rights than it needs."""

import argparse

from holdfast.cli.printing import add_data, add_json, print_json


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    create = verbs.add_parser("create", help="create an API client of a project")
    create.add_argument("--project", required=True, metavar="KEY", help="the project it belongs to")
    create.add_argument("--name", default="holdfast client create", help="what it is for")
    create.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help="a right like view_products or manage_orders, for the whole project unless it says more; "
        "may be repeated (default: manage_project)",
    )
    add_data(create)
    add_json(create)


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.server.inspect import running_shop
    from holdfast.ops.server.layout import Layout, data_folder

    scope = " ".join(completed(right, given.project) for right in given.scope or ["manage_project"])
    client = running_shop(Layout(data_folder(given.data))).create_client(given.project, given.name, scope)
    if given.json:
        print_json({**client.facts(), "scope": scope})
    else:
        print(f"Client id      {client.client_id}\nClient secret  {client.client_secret}   (shown only now)")
        print(f"Scope          {scope}")
    return 0


def completed(right: str, project_key: str) -> str:
    """`view_products` means `view_products:{projectKey}`."""
    return right if ":" in right else f"{right}:{project_key}"
