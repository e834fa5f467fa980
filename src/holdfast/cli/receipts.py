"""`holdfast receipts`: check a client's receipts against what is stored, and show the key they are signed with.

The database is asked, not the API.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from holdfast.cli.printing import GREEN, RED, add_data, add_json, painted, print_json

EXIT_BAD = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verify = verbs.add_parser("verify", help="check that every acknowledged order is there as it was acknowledged")
    verify.add_argument("file", metavar="FILE", type=Path, help="a receipt a line, or a log that has them in it")
    add_data(verify)
    add_json(verify)
    key = verbs.add_parser("key", help="print the public key, for checking receipts without this shop")
    add_data(key)
    add_json(key)


def run(given: argparse.Namespace) -> int:
    from holdfast.ops.receipts.run import signer_of
    from holdfast.ops.server.layout import Layout, data_folder

    layout = Layout(data_folder(given.data))
    verifier = signer_of(layout).verifier
    return show_key(verifier, given) if given.verb == "key" else check(verifier, layout, given)


def show_key(verifier: Any, given: argparse.Namespace) -> int:
    if given.json:
        print_json({"key": verifier.key, "algorithm": "Ed25519", "publicKey": verifier.public_text})
    else:
        print(f"Key id      {verifier.key}\nPublic key  {verifier.public_text}   (Ed25519, base64url)")
    return 0


def check(verifier: Any, layout: Any, given: argparse.Namespace) -> int:
    import asyncio

    from holdfast.ops.receipts.run import verify
    from holdfast.ops.server.inspect import database_url

    result = asyncio.run(verify(given.file, verifier, database_url(layout)))
    if given.json:
        print_json(result.facts())
    else:
        tell(result)
    return 0 if result.is_sound else EXIT_BAD


def tell(result: Any) -> None:
    word = painted("sound", GREEN, sys.stdout) if result.is_sound else painted("not sound", RED, sys.stdout)
    counts = ", ".join(f"{count} {what}" for what, count in sorted(result.counts.items()))
    print(f"{word}  {result.counts.total()} receipts{f': {counts}' if counts else ''}")
    for offence in result.offences:
        print(f"  line {offence.line}: {offence.what}{f', order {offence.order_id}' if offence.order_id else ''}")
