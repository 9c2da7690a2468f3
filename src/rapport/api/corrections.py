"""Corrections for programs: what people said of the machine's readings, and saying it."""

from __future__ import annotations

from rapport.actions import corrections as acts
from rapport.api.body import read_body, read_object
from rapport.api.door import Call, missing
from rapport.api.paging import MAX_ID, read_number
from rapport.api.problems import bad
from rapport.api.shapes import CorrectionBody, CorrectionLine, CorrectionList, Named
from rapport.core.errors import InvalidInput
from rapport.core.understand.corrected import READINGS, text_key
from rapport.store.models import Correction, Post
from rapport.store.queries import desk
from rapport.store.queries.corrections import in_force, list_corrections

PAGE, MAX_PAGE = 50, 500


def read_corrections(call: Call) -> CorrectionList:
    """Those in force, newest first, with keyset paging."""
    reading = call.query.get("reading", "")
    if reading and reading not in READINGS:
        raise bad("query.reading", "is no reading that can be corrected", f"Send one of {', '.join(READINGS)}.")
    limit = read_number(call, "limit", PAGE, MAX_PAGE)
    before = read_number(call, "cursor", MAX_ID, MAX_ID)
    found = list(list_corrections(call.by.workspace, reading=reading, before=before)[: limit + 1])
    shown = found[:limit]
    return CorrectionList(corrections=tuple(map(_line, shown)), next=str(shown[-1].pk) if len(found) > limit else None)


def correct(call: Call) -> CorrectionLine:
    """Says what a reading of one post should have been, or takes the member's own word back (`value` null)."""
    wanted = read_object(read_body(call.request), CorrectionBody)
    post = _find_post(call, wanted.network, wanted.id)
    if wanted.value is not None:
        made = acts.correct(call.by, post, wanted.reading, wanted.value, now=call.now)
        return _line(made)
    own = in_force(call.by.workspace_id).filter(text_key=text_key(post.text), reading=wanted.reading, by=call.by)
    row = own.select_related("post__handle", "by__user").order_by("-pk").first()
    if row is None:
        raise InvalidInput(
            "The member that this token acts as has said nothing of this reading that can be taken back."
        )
    return _line(acts.withdraw(call.by, row, now=call.now))


def _find_post(call: Call, network: str, external_id: str) -> Post:
    rows = Post.objects.of(call.by.workspace_id).filter(network=network, external_id=external_id, deleted=False)
    found = rows.select_related("handle").first() if "\x00" not in network + external_id else None
    talks = desk.visible_conversations(call.by)
    if found is None or not talks.filter(pk=found.conversation_id or 0).exists():
        raise missing()
    return found


def _line(row: Correction) -> CorrectionLine:
    return CorrectionLine(
        id=row.pk,
        network=row.post.network,
        post=row.post.external_id,
        text=row.post.text,
        reading=row.reading,
        value=row.value,
        was=row.was,
        model=row.model,
        by=Named(row.by.pk, str(row.by)) if row.by else None,
        at=row.at,
        withdrawn_at=row.withdrawn_at,
    )
