"""Taking a comment of ours off Instagram. Its API edits none, and likes none.

Source: Instagram Graph API reference "IG Comment" (DELETE /{ig-comment-id}; updating changes `hide` alone): only
whoever owns the media may delete, even a comment of their own. So an answer under somebody else's media stays.
"""

from __future__ import annotations

from functools import partial

from rapport.core.errors import GiveUp
from rapport.networks.base import Account
from rapport.networks.graph import Graph, NoObject
from rapport.networks.graph_change import remove_ours
from rapport.networks.http import GuardedSession
from rapport.networks.instagram.parse import REPLY_FIELDS, parse_comment
from rapport.networks.instagram.recheck import recheck_posts


def remove_comment(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`."""
    parse, recheck = partial(parse_comment, account=account), partial(recheck_posts, account, session=session)
    try:
        remove_ours(Graph.of(account, session), external_id, REPLY_FIELDS, parse, recheck)
    except NoObject as error:
        raise GiveUp(
            f"{error}. A comment under somebody else's photo or video cannot be deleted from here: do it in the app"
        ) from None
