"""Likes, reposts and follows on X, and deleting what was sent. X says the same to a second one as to the first.

Editing is for paying people on the site alone, and not offered.
"""

from __future__ import annotations

from urllib.parse import quote

from rapport.core.errors import GiveUp, Reauthorise
from rapport.core.reply import Act, ActKind
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.x.push import conversation_of
from rapport.networks.x.wire import NotThere, Wire

ACTS: frozenset[ActKind] = frozenset({"like", "unlike", "boost", "unboost", "follow", "unfollow"})
#: kind -> what it is called in the address, and the field that names what it is about
_PLACES = {"like": ("likes", "tweet_id"), "boost": ("retweets", "tweet_id"), "follow": ("following", "target_user_id")}


def do_act(account: Account, act: Act, session: GuardedSession) -> Sent:
    """See `Network.act`."""
    wire, kind = Wire.of(account, session), act.kind.removeprefix("un")
    place, field = _PLACES[kind]
    about = act.handle if kind == "follow" else act.target
    if not (about.isascii() and about.isdigit()):
        raise GiveUp(f"{about[:40]!r} is nothing on X that this can be done with; private messages take none of it.")
    path = f"/2/users/{quote(account.account_id, safe='')}/{place}"
    try:
        if act.kind.startswith("un"):
            wire.delete(f"{path}/{about}")
        else:
            wire.write(path, {field: about})
    except NotThere:
        if not act.kind.startswith("un"):
            raise
    except Reauthorise as error:
        if "lacks a right" in str(error):  # connected before this was asked for; all else still works
            raise GiveUp(str(error)) from None
        raise
    except GiveUp as error:
        if "already" not in str(error).lower():
            raise
    return Sent(about)


def remove_post(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`: of a public post, or of our copy and theirs of a private message."""
    wire = Wire.of(account, session)
    if conversation_of(external_id):
        path = f"/2/dm_events/{quote(external_id.rpartition(':')[2], safe='')}"
    elif external_id.isascii() and external_id.isdigit():
        path = f"/2/tweets/{external_id}"
    else:
        raise GiveUp(f"{external_id[:40]!r} is no post of X.")
    try:
        wire.delete(path)
    except NotThere:
        return
