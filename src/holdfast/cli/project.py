"""`holdfast project create KEY`: a project of its own, with a client that may do everything in it."""

import argparse

from holdfast.cli.printing import add_data, add_json, print_json


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    create = verbs.add_parser("create", help="create a project and an all-rights client")
    create.add_argument("key", metavar="KEY", help="2 to 36 letters, digits, - and _")
    create.add_argument("--name", help="name shown to people (default: the key)")
    create.add_argument("--currency", action="append", dest="currencies", metavar="CODE", help="may be repeated")
    create.add_argument("--country", action="append", dest="countries", metavar="CODE", help="may be repeated")
    create.add_argument("--language", action="append", dest="languages", metavar="TAG", help="may be repeated")
    add_data(create)
    add_json(create)


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.server.inspect import running_shop
    from holdfast.ops.server.layout import Layout, data_folder

    names = ("name", "currencies", "countries", "languages")
    facts = {name: getattr(given, name) for name in names if getattr(given, name)}
    client = running_shop(Layout(data_folder(given.data))).create_project(given.key, **facts)
    if given.json:
        print_json(client.facts())
    else:
        print(f"Project key    {client.project_key}\nClient id      {client.client_id}")
        print(f"Client secret  {client.client_secret}   (shown only now)")
    return 0
