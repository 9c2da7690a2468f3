"""`rapport keys rotate`: everything that is encrypted, under a new key."""

from __future__ import annotations

import argparse
import json

from rapport.cli.desk import add_data_option, load_django, require_tables


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport keys`."""
    parser.epilog = "Exit status: 0; 1 when a token could not be opened (its account must be connected again)."
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    rotate = acts.add_parser("rotate", help="make a new key, and encrypt every token and second factor with it")
    rotate.add_argument("--json", action="store_true", help="as JSON")
    add_data_option(rotate)


def run(arguments: argparse.Namespace) -> int:
    """Rotate; the desk may run meanwhile."""
    load_django(arguments.data)
    require_tables(make=False)
    from cryptography.fernet import Fernet
    from django.conf import settings

    from rapport import wiring
    from rapport.actions.keys import reseal_everything
    from rapport.store.secrets import write_keys

    file = settings.TOKEN_KEYS_FILE
    keys = list(settings.TOKEN_KEYS)
    if file:
        keys = [Fernet.generate_key().decode(), *keys]
        write_keys(file, keys)
    found = reseal_everything(now=wiring.now())
    if file and not found.lost:
        # the one before stays: a connection that somebody is making right now was begun with it
        write_keys(file, keys[:2])
    if arguments.json:
        print(json.dumps({"resealed": found.done, "lost": list(found.lost), "new_key": bool(file)}))
        return 1 if found.lost else 0
    print(f"{found.done} secrets lie under the newest key now.")
    if not file:
        print("The keys come from RAPPORT_TOKEN_KEYS: the ones behind the first are not needed any more.")
    for name in found.lost:
        print(f"{name}: no key opens its token; connect the account again.")
    return 1 if found.lost else 0
