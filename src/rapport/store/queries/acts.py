"""Acts beside replies: as they would go out, what the guard weighs of them, what became of each in a conversation."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

import msgspec
from django.db.models import Q

from rapport.core.guard import GuardFacts
from rapport.core.parts import whole
from rapport.core.reply import Act, ActKind, Picture
from rapport.store.models import Approval, Channel, Delivery, Handle, Person, Post
from rapport.store.queries.apps import app_times
from rapport.store.queries.outbound import ALIVE, recent_texts, sent_lately, was_let_through, why_automated
from rapport.store.queries.parts import parts_sent
from rapport.store.queries.spend import spent_by

#: kinds that `approve_act` knows, each with what takes it back
TAKEN_BACK_BY = {"like": "unlike", "boost": "unboost", "follow": "unfollow"}
ON_SENT = ("delete", "edit")
#: no row id of a person
_NOBODY = -1
KINDS = (*TAKEN_BACK_BY, *TAKEN_BACK_BY.values(), *ON_SENT, "post")


def act_of(approval: Approval) -> Act:
    """The act as it would go out now, made from the approval and the rows as they are."""
    return Act(
        kind=_kind(approval),
        network=approval.channel.network,
        channel=approval.channel_id,
        target=_target(approval),
        handle=approval.handle.external_id if approval.handle else "",
        text=approval.text,
        visibility=approval.visibility,
        media=tuple(Picture(each["digest"], each["alt"]) for each in approval.media or ()),
        parts=tuple(approval.parts or ()),
        approved_by=approval.person_id,
    )


def _kind(approval: Approval) -> ActKind:
    return approval.act  # type: ignore[return-value]  # one of `KINDS`, which the caller has looked at


def _target(approval: Approval) -> str:
    if approval.kind == Approval.Kind.POST:
        return str(approval.to[0]) if approval.to else ""
    if approval.subject is not None:
        return place_of(approval.subject, approval)
    return approval.target.external_id if approval.target else ""


def place_of(sent: Delivery, before: Approval | None = None) -> str:
    """Id on the network of what a delivery sent: an edit may have put another post in its place.

    `before`: as it was when this entry was approved.
    """
    edits = Delivery.objects.filter(
        approval__subject=sent, approval__kind=Approval.Kind.EDIT, state=Delivery.State.SENT
    )
    if before is not None and before.sequence is not None:
        edits = edits.filter(approval__sequence__lt=before.sequence)
    newest = edits.exclude(external_id="").order_by("-approval__sequence").first()
    return newest.external_id if newest else sent.external_id


def words_now(sent: Delivery) -> str:
    """What a sent reply says by its newest edit that the network took."""
    edits = Delivery.objects.filter(
        approval__subject=sent, approval__kind=Approval.Kind.EDIT, state=Delivery.State.SENT
    )
    newest = edits.select_related("approval").order_by("-approval__sequence").first()
    return newest.approval.text if newest else sent.approval.text


def person_of(approval: Approval) -> Person | None:
    """Whom an act concerns: who wrote the post, whom we follow, whom the reply went to."""
    if approval.handle is not None:
        return approval.handle.person
    about = approval.subject.approval.target if approval.subject else approval.target
    return about.handle.person if about else None


def handle_of(approval: Approval) -> Handle | None:
    """As `person_of`: the account."""
    about = approval.subject.approval.target if approval.subject else approval.target
    return approval.handle or (about.handle if about else None)


def read_act_guard(approval: Approval, now: dt.datetime, besides: Delivery | None = None) -> GuardFacts:
    """What the guard weighs of an act; `besides`: its own delivery, just before it leaves."""
    channel, workspace = approval.channel, approval.workspace
    alive = Delivery.objects.of(workspace).filter(state__in=ALIVE)
    if besides is not None:
        alive = alive.exclude(pk=besides.pk).filter(Q(pushed_at__isnull=False) | Q(pk__lt=besides.pk))
    handle, person = handle_of(approval), person_of(approval)
    suppressed = person is not None and (
        person.suppressed_reason or ("a colleague decided to ignore them" if person.ignored else "")
    )
    sent, spent = sent_lately(channel, alive, now), spent_by(channel, now)
    is_post = approval.kind == Approval.Kind.POST
    said = whole(approval.parts or (), approval.text) if is_post or approval.kind == Approval.Kind.EDIT else ""
    # a post of our own is to nobody: whatever was said before, to anybody or to nobody, counts as said to another
    whom = _NOBODY if is_post else person.pk if person else None
    return GuardFacts(
        sent_times=tuple(at for at, _ in sent),
        sent_kinds=tuple(kind for _, kind in sent),
        app_times=app_times(channel, ALIVE, besides, now) if approval.kind == "post" else (),
        recent_texts=recent_texts(channel, alive, now, said, whom) if said else (),
        person=whom,
        person_suppressed=suppressed or "",
        person_bot=handle is not None and handle.automated,
        person_bot_reason=why_automated(handle) if handle is not None and handle.automated else "",
        hold_reason=workspace.hold_reason if workspace.held_at else "",
        let_through=besides is not None and was_let_through(besides, workspace),
        target_deleted=approval.target is not None and approval.target.deleted,
        channel_state=channel.state,
        channel_reason=channel.state_reason,
        max_length=channel.settings.get("max_length"),
        despite=frozenset(approval.despite if is_post else ()),
        spent_today=spent.today,
        spent_this_month=spent.this_month,
        parts_sent=parts_sent(besides) if besides is not None and is_post else 0,
    )


# ---------------------------------------------------------------- what a conversation shows


class DoneHere(msgspec.Struct, frozen=True):
    """What was done with one post of theirs, newest first of each kind and account."""

    #: like, boost -> the newest act of that pair ("like" or "unlike") that was not taken back before it left
    newest: dict[str, Delivery]

    @property
    def liked(self) -> bool:
        return self._stands("like")

    @property
    def boosted(self) -> bool:
        return self._stands("boost")

    def _stands(self, kind: str) -> bool:
        found = self.newest.get(kind)
        return found is not None and found.approval.kind == kind and found.state != Delivery.State.FAILED


class Changed(msgspec.Struct):
    """What was done with one of our replies after it was sent, oldest first."""

    edits: list[Delivery] = msgspec.field(default_factory=list)
    #: the newest deletion that was not taken back before it left
    deletion: Delivery | None = None

    @property
    def deleted(self) -> bool:
        """Whether the network has taken it off."""
        return self.deletion is not None and self.deletion.state == Delivery.State.SENT

    @property
    def waits(self) -> Delivery | None:
        """The one that is on its way, or stopped on it: nothing else can be asked for before it is settled."""
        ways = [*self.edits, *([self.deletion] if self.deletion else [])]
        return next((each for each in reversed(ways) if each.state != Delivery.State.SENT), None)

    @property
    def text(self) -> str | None:
        """What it says now; None while no edit has arrived."""
        return self.sent_edits[-1].approval.text if self.sent_edits else None

    @property
    def sent_edits(self) -> list[Delivery]:
        return [each for each in self.edits if each.state == Delivery.State.SENT]


class Acts(msgspec.Struct, frozen=True):
    """All that was done in a conversation beside answering."""

    #: row id of a post of theirs
    on_posts: dict[int, DoneHere]
    #: row id of a delivery of ours
    on_sent: dict[int, Changed]
    #: row id of an account -> the newest follow or unfollow
    follows: dict[int, Delivery]


NO_ACTS = Acts({}, {}, {})
_PAIR = {**{kind: kind for kind in TAKEN_BACK_BY}, **{back: kind for kind, back in TAKEN_BACK_BY.items()}}


def sort_acts(deliveries: Sequence[Delivery]) -> Acts:
    """What the acts among these come to; each with its approval. What was taken back before it left counts as none."""
    posts: dict[int, dict[str, Delivery]] = defaultdict(dict)
    sent: dict[int, Changed] = defaultdict(Changed)
    follows: dict[int, Delivery] = {}
    for each in sorted(deliveries, key=lambda row: row.pk):
        approval = each.approval
        if approval.kind is None or each.state == Delivery.State.CANCELLED:
            continue
        if approval.kind == Approval.Kind.EDIT and approval.subject_id:
            sent[approval.subject_id].edits.append(each)
        elif approval.kind == Approval.Kind.DELETE and approval.subject_id:
            sent[approval.subject_id].deletion = each
        elif approval.target_id and approval.kind in _PAIR:
            posts[approval.target_id][_PAIR[approval.kind]] = each
        elif approval.handle_id:
            follows[approval.handle_id] = each
    return Acts({pk: DoneHere(found) for pk, found in posts.items()}, dict(sent), follows)


def newest_act(channel: Channel, kind: str, post: Post | None, handle: Handle | None) -> Delivery | None:
    """The newest act of this pair of kinds on a post or an account, from this account of ours; none that was taken
    back before it left.
    """
    pair = _PAIR[kind]
    rows = Delivery.objects.of(channel.workspace_id).filter(
        channel=channel, approval__kind__in=[pair, TAKEN_BACK_BY[pair]], approval__target=post,
        approval__handle=handle,
    )  # fmt: skip
    return rows.exclude(state=Delivery.State.CANCELLED).select_related("approval").order_by("-pk").first()
