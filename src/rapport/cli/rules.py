"""`rapport rules`: the rules of a desk as a file, and whether a file could be used there.

Exit status: 0; 1 when the file has a fault; 2 when the desk, the version or the file could not be opened.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from typing import TYPE_CHECKING

from rapport.cli.desk import add_data_option, choose_workspace, load_django, require_desk, require_tables
from rapport.cli.rule_file import read_rules
from rapport.core.errors import InvalidInput, InvalidRule
from rapport.core.rules import default_document

if TYPE_CHECKING:
    from rapport.store.models import Workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = (
        "Print the rules that are in force, as a file; or, with a file, say whether it could be used: whether its "
        "baskets, prepared replies, colleagues, webhooks and surveys are there. Nothing is written."
    )
    parser.add_argument("file", nargs="?", metavar="RULES.toml", help="check this document instead of printing one")
    parser.add_argument("--version", type=int, metavar="N", help="print this version (the one in force)")
    parser.add_argument("--workspace", metavar="SLUG", help="needed only where there are several")
    add_data_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print or check. Returns the exit status."""
    if arguments.file is not None and arguments.version is not None:
        raise InvalidInput("a file is checked, a version is printed: give one of them")
    document = None if arguments.file is None else read_rules(arguments.file)
    require_desk(arguments.data)
    load_django(arguments.data)
    require_tables(make=False)
    workspace = choose_workspace(arguments.workspace, dt.datetime.now(dt.UTC))
    if document is not None:
        return _check(workspace, arguments.file, document)
    sys.stdout.write(_find(workspace, arguments.version))
    return 0


def _find(workspace: Workspace, version: int | None) -> str:
    from rapport.store.models import RuleSet
    from rapport.store.queries.settings import newest_rule_set

    if version is None:
        newest = newest_rule_set(workspace)
        return newest.document if newest else default_document()
    found = RuleSet.objects.of(workspace).filter(version=version).first()
    if found is None:
        raise InvalidInput(f"there is no version {version} of the rules of {workspace.slug}")
    return found.document


def _check(workspace: Workspace, file: str, document: str) -> int:
    from rapport.actions.rules import check_document

    try:
        rules = check_document(workspace, document)
    except InvalidRule as error:
        print(f"{file}: {error}")
        return 1
    print(f"{file}: {len(rules.rules)} rules, no fault")
    return 0
