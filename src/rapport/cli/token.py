"""`rapport token`: what programs show to be let in. Made, listed and revoked on the machine itself."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from rapport.cli.desk import add_data_option, load_django, require_tables
from rapport.core.errors import InvalidInput

if TYPE_CHECKING:
    from rapport.store.models import ApiToken, Membership


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport token`."""
    parser.epilog = "How to use a token: docs/reference/http.md"
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    create = acts.add_parser("create", help="make a token that acts as one member; it is shown once")
    create.add_argument("--user", metavar="EMAIL", required=True, help="whom it acts as: their role and baskets")
    create.add_argument("--name", metavar="NAME", required=True, help="what it is for")
    listing = acts.add_parser("list", help="the tokens, whose they are, when they were last used")
    revoke = acts.add_parser("revoke", help="let a token open nothing from now on")
    revoke.add_argument("id", metavar="ID", type=int, help="its number in the list")
    for each in (create, listing):
        each.add_argument("--workspace", metavar="SLUG", help="needed only where somebody works in several")
    for each in (create, listing, revoke):
        each.add_argument("--json", action="store_true", help="as JSON")
        add_data_option(each)


def run(arguments: argparse.Namespace) -> int:
    """Make, list or revoke."""
    load_django(arguments.data)
    require_tables(make=False)
    now = dt.datetime.now(dt.UTC)
    act = {"create": _create, "list": _list, "revoke": _revoke}[arguments.act]
    act(arguments, now)
    return 0


def _create(arguments: argparse.Namespace, now: dt.datetime) -> None:
    from rapport.actions.api import create_token

    member = find_member(arguments.user, arguments.workspace)
    token, text = create_token(member, arguments.name, now=now)
    if arguments.json:
        print(json.dumps({**_told(token), "token": text}))
        return
    print(text)
    print(f"Token {token.pk} acts as {member.user.email} ({member.role}) in {member.workspace.slug}.")
    print("It is shown this once. Whoever has it can do what this member can do here, but for sending.")


def find_member(email: str, workspace: str | None) -> Membership:
    """The membership of `email` in the workspace, or in the only one they work in. Raises `InvalidInput`."""
    from rapport.store.models import Membership

    rows = Membership.objects.select_related("user", "workspace").filter(
        user__email__iexact=email.strip(), active=True, user__is_active=True
    )
    found = {member.workspace.slug: member for member in rows.order_by("workspace__slug")}
    if not found:
        raise InvalidInput(f"nobody with the address {email} works here; invite them at Settings, Team")
    if workspace is None and len(found) > 1:
        raise InvalidInput(f"{email} works in several workspaces, name one with --workspace: {', '.join(found)}")
    slug = workspace or next(iter(found))
    if slug not in found:
        raise InvalidInput(f"{email} does not work in {slug!r}; they work in: {', '.join(found)}")
    return found[slug]


def _list(arguments: argparse.Namespace, now: dt.datetime) -> None:
    from rapport.store.models import ApiToken

    rows = ApiToken.objects.select_related("membership__user", "workspace").order_by("pk")
    if arguments.workspace:
        rows = rows.filter(workspace__slug=arguments.workspace)
    tokens = [_told(token) for token in rows]
    if arguments.json:
        print(json.dumps(tokens))
        return
    for told in tokens:
        used = f"last used {told['last_used_at']}" if told["last_used_at"] else "never used"
        print(f"{told['id']}  {told['name']}  {told['user']} in {told['workspace']}  {told['state']}, {used}")
    if not tokens:
        print("There is no token yet: rapport token create --user EMAIL --name NAME")


def _revoke(arguments: argparse.Namespace, now: dt.datetime) -> None:
    from rapport.actions.api import revoke_token
    from rapport.store.models import ApiToken

    token = ApiToken.objects.select_related("membership__user", "workspace").filter(pk=arguments.id).first()
    if token is None:
        raise InvalidInput(f"there is no token {arguments.id}; `rapport token list` shows them")
    token = revoke_token(token, now=now)
    print(json.dumps(_told(token)) if arguments.json else f"Token {token.pk} ({token.name}) opens nothing any more.")


def _told(token: ApiToken) -> dict[str, Any]:
    member = token.membership
    works = member.active and member.user.is_active
    return {
        "id": token.pk,
        "name": token.name,
        "user": member.user.email,
        "workspace": token.workspace.slug,
        "state": "revoked" if token.revoked_at else "in force" if works else "asleep: the member has left",
        "created_at": _second(token.created_at),
        "last_used_at": _second(token.last_used_at),
    }


def _second(moment: dt.datetime | None) -> str | None:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds") if moment else None
