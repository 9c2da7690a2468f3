"""Hearing: posts are stored with the cursor that moves, deletions and edits honoured, hidden authors hidden."""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
from django.db import transaction

from rapport.actions.audit import announce, write_audit
from rapport.actions.taken_down import forget_told, with_reposts
from rapport.bus.base import Bus
from rapport.core.errors import InvalidPost
from rapport.core.post import Post, admit
from rapport.networks.base import Gap, Page, Rechecked
from rapport.networks.payload import same_text
from rapport.store.extra import read_extra, write_extra
from rapport.store.mapping import post_of
from rapport.store.models import Channel, Cursor, Handle, Outcome, Received
from rapport.store.models import Gap as GapRow
from rapport.store.models import Post as PostRow
from rapport.store.queries.conversations import refresh
from rapport.store.queries.deleted import (
    AUTHOR,
    lift_tombstones,
    read_hidden_posts,
    read_tombstones,
    write_brief_tombstones,
    write_tombstones,
)
from rapport.store.queries.ingest import store_posts
from rapport.store.queries.recheck import RECHECK, read_known
from rapport.store.queries.rhythm import count_heard
from rapport.store.queries.sql import chunks
from rapport.store.queries.threads import Linked

log = logging.getLogger(__name__)


class Heard(msgspec.Struct, frozen=True):
    """What came of one call of `hear`."""

    new: int
    known: int
    changed: int = 0
    #: posts that were deleted on their network before they came
    gone: int = 0


def hear(
    channel: Channel,
    posts: Sequence[Post],
    bus: Bus,
    *,
    now: dt.datetime,
    stream: str = "",
    cursor: str | None = None,
    gap: Gap | None = None,
) -> Heard:
    """Store posts, move the cursor of `stream`, hand the new ones to the bus: all of it or nothing.

    Posts that are known already change nothing, except that an edit or a deletion on the network is taken over. A post
    that was deleted there stays out, however late its beginning comes.
    """
    with transaction.atomic():
        wanted, gone = _without_deleted(channel, posts, now) if posts else ([], 0)
        fresh = store_posts(channel, wanted, now) if wanted else []
        _hide_announced(channel, fresh, now)
        changed = _take_over_edits(channel, wanted, {row for row, _ in fresh}) if len(fresh) < len(wanted) else []
        fresh = _without_hidden(channel, fresh)
        if cursor is not None:
            _move_cursor(channel, stream, cursor, posts, now)
        if gap is not None:
            _note_gap(channel, stream, gap, now)
        if fresh:
            count_heard(channel, len(fresh), now)
        if fresh or changed:
            bus.append(channel.workspace_id, [*fresh, *changed], now)
            write_audit(
                channel.workspace_id,
                None,
                "posts.hear",
                channel,
                now,
                new=len(fresh),
                changed=len(changed),
                stream=stream,
            )
    return Heard(len(fresh), len(posts) - len(fresh) - gone, len(changed), gone)


def receive(channel: Channel, delivery: str, pages: Sequence[Page], bus: Bus, *, now: dt.datetime) -> Heard | None:
    """Store what a network brought to our door, once; None for a delivery that we have had.

    `delivery`: the network's id of it, "" where it names none (then the posts themselves are what comes once).
    """
    with transaction.atomic():
        if delivery:
            _, first = Received.objects.get_or_create(
                channel=channel,
                delivery=delivery[:200],
                defaults={"workspace_id": channel.workspace_id, "at": now},
            )
            if not first:
                return None
        heard = [hear_page(channel, page, bus, now=now) for page in pages]
    return Heard(
        sum(each.new for each in heard),
        sum(each.known for each in heard),
        sum(each.changed for each in heard),
        sum(each.gone for each in heard),
    )


def hear_page(channel: Channel, page: Page, bus: Bus, *, now: dt.datetime) -> Heard:
    """One page of a network with everything in it, and its cursor, in one transaction.

    Its posts are as the network's code read them: here they are admitted, and what may not be stored is logged.
    """
    for line in page.rejected:
        log.warning("channel %s: %s", channel.slug, line)
    posts = _admitted(channel, page.posts, now)
    with transaction.atomic():
        # deletions first: what a page brings and takes back is never seen
        if page.deleted:
            take_down(channel, page.deleted, now=now, known_only=page.known_only, young=page.young)
        if page.restored:
            show_authors(channel, page.restored, bus, now=now)
        heard = hear(channel, posts, bus, now=now, stream=page.stream, cursor=page.cursor, gap=page.gap)
        if page.suspended:
            hide_authors(channel, page.suspended, now=now)
    return heard


def take_down(
    channel: Channel, ids: Sequence[str], *, now: dt.datetime, known_only: bool = False, young: Sequence[str] = ()
) -> int:
    """Their authors deleted these posts: hide them at once and forget their words; returns how many we had.

    Those that we never had are remembered too, so that one that comes late stays out. `known_only`: of those only
    `young`, for a day (see `Page`).
    """
    with transaction.atomic():
        known = [
            row
            for part in chunks(list(dict.fromkeys(ids)), 500)
            for row in PostRow.objects.of(channel.workspace_id).filter(network=channel.network, external_id__in=part)
        ]
        remembered = [row.external_id for row in known] if known_only else ids
        write_tombstones(channel.workspace_id, [(channel.network, each) for each in remembered], now)
        write_brief_tombstones(channel.workspace_id, [(channel.network, each) for each in young], now)
        rows = [row for row in with_reposts(channel.network, known) if row.text or not row.deleted]
        if rows:
            _forget_words(channel, rows, now)
        if rows or not known_only:
            write_audit(channel.workspace_id, None, "posts.take_down", channel, now, count=len(rows))
    return len(rows)


def bring_back(channel: Channel, post: Post, bus: Bus, *, now: dt.datetime) -> bool:
    """The network has just taken a reply of ours under an id that was taken off it before: it stands there again.

    A review has one answer, which has the same id whenever it is written. True: there was one that had gone.
    """
    with transaction.atomic():
        rows = PostRow.objects.of(channel.workspace_id).filter(network=channel.network, external_id=post.id, ours=True)
        row = rows.filter(deleted=True).first()
        if row is None:
            return False
        lift_tombstones(channel.workspace_id, [(channel.network, post.id)])
        row.text, row.created_at, row.sort_at, row.edited_at = post.text, post.created_at, post.created_at, None
        row.visibility, row.extra, row.deleted = post.visibility, write_extra(post), False
        row.save(update_fields=["text", "created_at", "sort_at", "edited_at", "visibility", "extra", "deleted"])
        bus.append(channel.workspace_id, [(row.pk, post)], now)
        write_audit(channel.workspace_id, None, "posts.bring_back", channel, now, post=row.pk)
    return True


def settle_recheck(
    channel: Channel, found: Rechecked, bus: Bus, *, now: dt.datetime, progress: str | None = None, behind: str = ""
) -> int:
    """What a look at stored posts found, with how far these looks are (`progress`): all of it or nothing.

    `behind`: a sentence where the looks cannot keep up. Returns how many posts went, came back or read otherwise now.
    """
    with transaction.atomic():
        authors = {row.external_id: row.handle for row in read_known(channel, [*found.standing, *found.hidden])}
        seen = [authors[each] for each in found.standing if each in authors]
        back = {handle.external_id for handle in seen if handle.suspended_at is not None}
        hidden = {authors[each].external_id for each in found.hidden if each in authors}
        # an author of whom something stands is not gone, whatever became of another post
        hidden -= {handle.external_id for handle in seen}
        count = show_authors(channel, sorted(back), bus, now=now) if back else 0
        count += take_down(channel, found.deleted, now=now) if found.deleted else 0
        count += hide_authors(channel, sorted(hidden), now=now) if hidden else 0
        edited = _take_over_found(channel, _admitted(channel, found.changed, now), now)
        if edited:
            bus.append(channel.workspace_id, edited, now)
        if progress is not None:
            _move_cursor(channel, RECHECK, progress, (), now)
            Cursor.objects.of(channel.workspace_id).filter(channel=channel, stream=RECHECK).update(error=behind[:500])
        if count or edited:
            write_audit(
                channel.workspace_id, None, "posts.recheck", channel, now,
                looked=len(found.standing), deleted=len(found.deleted), changed=len(edited),
            )  # fmt: skip
    return count + len(edited)


def hide_authors(channel: Channel, keys: Sequence[str], *, now: dt.datetime) -> int:
    """The network shows these accounts to nobody: hide their words until they come back; returns how many posts."""
    with transaction.atomic():
        handles = Handle.objects.of(channel.workspace_id).filter(
            network=channel.network, external_id__in=list(keys), ours=False, suspended_at=None
        )
        chosen = list(handles.values_list("pk", flat=True))
        Handle.objects.filter(pk__in=chosen).update(suspended_at=now)
        # of some we have heard nothing yet; what comes late from them is hidden too
        write_tombstones(channel.workspace_id, [(channel.network, AUTHOR + key) for key in keys], now)
        rows = list(PostRow.objects.of(channel.workspace_id).filter(handle__in=chosen, deleted=False))
        _hide(channel, rows, now)
        if chosen:
            write_audit(channel.workspace_id, None, "authors.hide", channel, now, accounts=len(chosen), posts=len(rows))
    return len(rows)


def show_authors(channel: Channel, keys: Sequence[str], bus: Bus, *, now: dt.datetime) -> int:
    """These accounts are back: so are the words of theirs that nobody deleted; returns how many posts."""
    with transaction.atomic():
        handles = Handle.objects.of(channel.workspace_id).filter(
            network=channel.network, external_id__in=list(keys), suspended_at__isnull=False
        )
        chosen = list(handles.values_list("pk", flat=True))
        Handle.objects.filter(pk__in=chosen).update(suspended_at=None)
        lift_tombstones(channel.workspace_id, [(channel.network, AUTHOR + key) for key in keys])
        hidden = PostRow.objects.of(channel.workspace_id).filter(handle__in=chosen, deleted=True).exclude(text="")
        rows = list(hidden.select_related("handle"))
        PostRow.objects.filter(pk__in=[row.pk for row in rows]).update(deleted=False)
        for part in chunks(rows, 500):
            bus.append(
                channel.workspace_id,
                [(row.pk, msgspec.structs.replace(post_of(row), deleted=False)) for row in part],
                now,
            )
        if chosen:
            write_audit(channel.workspace_id, None, "authors.show", channel, now, accounts=len(chosen), posts=len(rows))
    return len(rows)


def _admitted(channel: Channel, posts: Iterable[Post], now: dt.datetime) -> list[Post]:
    """The posts that may be stored, bounded (`core.post.admit`)."""
    kept = []
    for post in posts:
        try:
            kept.append(admit(post, now))
        except InvalidPost as error:
            log.warning("channel %s: %s %s: %s", channel.slug, post.network, post.id, error)
    return kept


def _without_deleted(channel: Channel, posts: Sequence[Post], now: dt.datetime) -> tuple[list[Post], int]:
    """The posts that stand on their network, each once in its newest wording, and how many of the given are deleted.

    Those that say so of themselves are taken down.
    """
    going = [post.id for post in posts if post.deleted]
    if going:
        take_down(channel, going, now=now)
    gone = read_tombstones(channel.workspace_id, [(post.network, post.id) for post in posts])
    newest: dict[tuple[str, str], Post] = {}
    for post in posts:
        key = (post.network, post.id)
        if not post.deleted and key not in gone and (key not in newest or _is_newer(post, newest[key])):
            newest[key] = post
    left_out = sum(post.deleted or (post.network, post.id) in gone for post in posts)
    return list(newest.values()), left_out


def _is_newer(post: Post, than: Post) -> bool:
    """Whether it is a later wording: pages may tell of the same post several times, in any order."""
    return post.edited_at is not None and (than.edited_at is None or post.edited_at > than.edited_at)


def _hide_announced(channel: Channel, fresh: list[tuple[int, Post]], now: dt.datetime) -> None:
    """Suspend new authors of whom the network said so before we had heard a word of theirs."""
    authors = {(post.network, AUTHOR + post.author.key) for _, post in fresh}
    for network, key in read_tombstones(channel.workspace_id, authors):
        handles = Handle.objects.of(channel.workspace_id).filter(network=network, ours=False, suspended_at=None)
        handles.filter(external_id=key.removeprefix(AUTHOR)).update(suspended_at=now)


def _without_hidden(channel: Channel, fresh: list[tuple[int, Post]]) -> list[tuple[int, Post]]:
    """New posts but for those of hidden authors, which are stored out of sight and wait with the others."""
    hidden = read_hidden_posts(channel.workspace_id, [row for row, _ in fresh])
    if not hidden:
        return fresh
    PostRow.objects.filter(pk__in=hidden).update(deleted=True)
    return [(row, post) for row, post in fresh if row not in hidden]


def _take_over_edits(channel: Channel, posts: Sequence[Post], new: set[int]) -> list[tuple[int, Post]]:
    """Newer wordings of posts that we have; returned, because they must be read again."""
    notable = {(post.network, post.id): post for post in posts if post.edited_at}
    by_network: dict[str, list[str]] = defaultdict(list)
    for network, each in notable:
        by_network[network].append(each)
    again: list[tuple[int, Post]] = []
    for network, ids in by_network.items():
        for part in chunks(ids, 500):
            rows = PostRow.objects.of(channel.workspace_id).filter(network=network, external_id__in=part)
            # one that was deleted has a tombstone and did not come so far; one that is hidden may come back
            for row in rows.exclude(pk__in=new):
                post = notable[network, row.external_id]
                if post.edited_at and (row.edited_at is None or post.edited_at > row.edited_at):
                    row.text, row.edited_at, row.visibility = post.text, post.edited_at, post.visibility
                    row.extra = write_extra(post)
                    row.save(update_fields=["text", "edited_at", "visibility", "extra"])
                    if not row.deleted:
                        again.append((row.pk, post))
    return again


def _take_over_found(channel: Channel, posts: Sequence[Post], now: dt.datetime) -> list[tuple[int, Post]]:
    """Newer wordings that a look at stored posts found, with our own rows of their authors; to be read again.

    A network that tells no time of an edit is taken at its words: others than ours are an edit, noticed now.
    """
    told = {post.id: post for post in posts}
    again = []
    for row in read_known(channel, list(told)):
        post = told[row.external_id]
        if post.edited_at is None:
            is_news = bool(post.text) and not same_text(post.text, row.text)
        else:
            is_news = row.edited_at is None or post.edited_at > row.edited_at
        if is_news:
            # such an answer may leave out what is attached
            post = msgspec.structs.replace(post, media=post.media or read_extra(row.extra).media)
            row.text, row.edited_at, row.visibility = post.text, post.edited_at or now, post.visibility
            row.extra = write_extra(post)
            row.save(update_fields=["text", "edited_at", "visibility", "extra"])
            if not row.deleted:
                again.append((row.pk, post_of(row)))
    return again


def _move_cursor(channel: Channel, stream: str, value: str, posts: Iterable[Post], now: dt.datetime) -> None:
    said = max((min(post.created_at, now) for post in posts), default=None)
    known = Cursor.objects.of(channel.workspace_id).filter(channel=channel, stream=stream).first()
    row = known or Cursor(workspace_id=channel.workspace_id, channel=channel, stream=stream)
    if row.value != value or known is None:
        row.value, row.moved_at = value, now
    row.checked_at, row.paused_until, row.error = now, None, ""
    if said is not None and (row.last_post_at is None or said > row.last_post_at):
        row.last_post_at = said
    row.save()


def _note_gap(channel: Channel, stream: str, gap: Gap, now: dt.datetime) -> None:
    """Write a gap down, once: a look that is repeated after a crash finds the same one again."""
    GapRow.objects.get_or_create(
        workspace_id=channel.workspace_id,
        channel=channel,
        stream=stream,
        reason=gap.reason[:300],
        since=gap.since,
        until=gap.until,
        seen_at=None,
        defaults={"noticed_at": now},
    )
    announce(channel.workspace_id, now, kind="config")


def _forget_words(channel: Channel, rows: list[PostRow], now: dt.datetime) -> None:
    PostRow.objects.filter(pk__in=[row.pk for row in rows]).update(text="", extra="{}")
    forget_told(channel.workspace_id, rows)
    _hide(channel, rows, now)


def _hide(channel: Channel, rows: list[PostRow], now: dt.datetime) -> None:
    """Out of every list and count at once; what was read in their words goes with them."""
    PostRow.objects.filter(pk__in=[row.pk for row in rows]).update(deleted=True)
    Outcome.objects.filter(post__in=rows).delete()
    linked = Linked()
    linked.conversations = {row.pk: row.conversation_id for row in rows if row.conversation_id}
    refresh(channel.workspace_id, linked, {}, now)
    announce(channel.workspace_id, now, [row.conversation_id for row in rows if row.conversation_id])
