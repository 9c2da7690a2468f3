"""Writing a post of our own: the words, where they go, images, what the guard says; sent, or asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from rapport.actions import attachments
from rapport.actions import own_posts as acts
from rapport.actions import post_sheet as reads
from rapport.core.approvals import may_approve
from rapport.core.errors import GuardRefused, InvalidInput, RapportError, Stale
from rapport.core.guard import length
from rapport.core.images import MOST_BYTES
from rapport.core.parts import cut_apart, is_cut, make_thread, put_together
from rapport.core.reply import Verdict
from rapport.store.models import Attachment, Channel, Delivery, PostDraft
from rapport.store.queries.approval_rules import rules_of
from rapport.store.queries.spend import policy_of
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.pieces import fit_in, most_of
from rapport.web.told import told

log = logging.getLogger(__name__)


class Way(msgspec.Struct, frozen=True):
    """One account, as the form offers it."""

    channel: Channel
    chosen: bool
    place: str
    #: "", "room" or "topic"
    asks: str
    #: places that are known of it
    known: tuple[str, ...]
    #: characters that are left in its longest post; below 0: too many
    left: int
    #: the guard's word; None where it was not asked
    verdict: Verdict | None = None
    problem: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@desk("draft")
def new(request: DeskRequest) -> HttpResponse:
    """An empty sheet; it is kept from the first word on."""
    if request.method != "POST":
        return _sheet(request, None)
    try:
        made = acts.save_post(request.membership, None, _typed(request), now=timezone.now())
    except RapportError as error:
        return _sheet(request, None, problem=told(error), status=422)
    return _do(request, made)


@require_http_methods(["GET", "HEAD", "POST"])
@desk("draft")
def draft(request: DeskRequest, pk: int) -> HttpResponse:
    """One that is kept: one's own, or of a colleague who asks."""
    row = _find(request, pk)
    if request.method != "POST":
        return _sheet(request, row)
    version = number(request.POST.get("version", "")) or None
    if version and version != row.version and request.POST.get("do") == "send":
        said = _("A colleague has changed these words since you looked. Read them, then send again.")
        return _sheet(request, row, problem=said, status=409)
    if request.POST.get("do") not in ("return", "drop"):
        try:
            row = acts.save_post(request.membership, row, _typed(request), version=version, now=timezone.now())
        except Stale as error:
            return _sheet(request, _find(request, pk), problem=told(error), status=409)
        except RapportError as error:
            return _sheet(request, row, problem=told(error), status=422)
    return _do(request, row)


def _find(request: DeskRequest, pk: int) -> PostDraft:
    row = next((each for each in reads.seen_drafts(request.membership) if each.pk == pk), None)
    if row is None:
        raise Http404
    return row


def _typed(request: DeskRequest) -> acts.Typed:
    chosen = {number(each) for each in request.POST.getlist("channel")}
    ways = [
        (channel, request.POST.get(f"place-{channel.pk}", ""))
        for channel in reads.posting_channels(request.workspace)
        if channel.pk in chosen
    ]
    return acts.Typed(
        text=request.POST.get("text", ""), ways=ways, visibility=request.POST.get("visibility", "public"),
        signed="signed" in request.POST,
    )  # fmt: skip


def _do(request: DeskRequest, row: PostDraft) -> HttpResponse:
    """What was pressed, with the words of the form kept already."""
    do = request.POST.get("do", "")
    try:
        _describe_images(request, row)
        done = _leave(request, row, do)
        if done is not None:
            return done
        row = _change(request, row, do)
    except (Stale, RapportError) as error:
        return _refuse(request, row, error)
    except OSError:
        log.exception("an image could not be written to the data folder")
        said = _("The desk has no room for this image now: tell whoever runs it, try later.")
        return _sheet(request, row, problem=said, status=507)
    if request.headers.get("HX-Request"):
        return _checks(request, row)
    return redirect("post_draft", slug=request.workspace.slug, pk=row.pk)


def _leave(request: DeskRequest, row: PostDraft, do: str) -> HttpResponse | None:
    """What ends the work on it; None where it goes on."""
    member, now = request.membership, timezone.now()
    match do:
        case "send":
            despite = request.POST.getlist("despite")
            return _sent(request, acts.send_post(member, row, version=row.version, despite=despite, now=now))
        case "propose":
            acts.propose_post(member, row, now=now)
            messages.success(request, _("Asked. Whoever may send it was told."))
        case "return":
            acts.return_post(member, row, request.POST.get("reason", ""), now=now)
            messages.success(request, _("Given back to %(name)s.") % {"name": row.author})
        case "drop":
            acts.drop_post(member, row, now=now)
        case _:
            return None
    return redirect("posts", slug=request.workspace.slug)


def _change(request: DeskRequest, row: PostDraft, do: str) -> PostDraft:
    what, _dash, about = do.partition("-")
    if what == "cut":
        return _cut(request, row)
    if what == "add":
        _add_image(request, row)
    elif what == "out":
        chosen = find(row.images.filter(approval__isnull=True), number(about))
        attachments.drop_image(request.membership, chosen, now=timezone.now())
    return row


def _refuse(request: DeskRequest, row: PostDraft, error: Exception) -> HttpResponse:
    if isinstance(error, GuardRefused):
        return _sheet(request, row, problem=_("The guard refuses it; the reason stands below."), status=422, of=error)
    status = 409 if isinstance(error, Stale) else 422
    return _sheet(request, row, problem=told(error), status=status)


def _sent(request: DeskRequest, sent: Sequence[Delivery]) -> HttpResponse:
    held = sum(each.state == Delivery.State.HELD for each in sent)
    if held:
        said = ngettext("%(n)d is held by the guard; the reason stands beside it.",
                        "%(n)d are held by the guard; the reason stands beside them.", held)  # fmt: skip
        messages.warning(request, said % {"n": held})
    else:
        messages.success(request, _("On its way."))
    return redirect("posts", slug=request.workspace.slug)


def _cut(request: DeskRequest, row: PostDraft) -> PostDraft:
    """The words as a thread whose posts fit every account that is chosen."""
    chosen = [channel for channel, _place in reads.ways_of(row)]
    takes = [channel for channel in chosen if reads.network_of(channel).capabilities.threads]
    if not takes:
        raise InvalidInput(_("Choose an account that takes threads first."))
    fits = [fit_in(channel, policy_of(channel)) for channel in takes]
    parts = make_thread(row.text, lambda text: all(each(text) for each in fits))
    typed = acts.Typed(put_together(parts), reads.ways_of(row), row.visibility, row.signed)
    return acts.save_post(request.membership, row, typed, now=timezone.now())


def _add_image(request: DeskRequest, row: PostDraft) -> None:
    file = request.FILES.get("file")
    if file is None:
        raise InvalidInput(_("Choose an image first."))
    attachments.keep_post_image(request.membership, row, file.read(MOST_BYTES + 1), now=timezone.now())


def _describe_images(request: DeskRequest, row: PostDraft) -> None:
    for image in reads.images_of(row):
        alt, none = request.POST.get(f"alt-{image.pk}"), f"no-alt-{image.pk}" in request.POST
        if alt is not None and (" ".join(alt.split()), none) != (image.alt, image.no_alt):
            attachments.describe_image(request.membership, image, alt, needs_none=none, now=timezone.now())


# ------------------------------------------------------------------ what is shown


def _sheet(
    request: DeskRequest, row: PostDraft | None, *, problem: str = "", status: int = 200, of: GuardRefused | None = None
) -> HttpResponse:
    if problem and request.headers.get("HX-Request"):
        return HttpResponse(problem, status=status, content_type="text/plain; charset=utf-8")
    typed = request.POST.get("text", "").replace("\r\n", "\n")
    shown = {
        **_context(request, row), "problem": problem, "findings": of.verdict.findings if of else (),
        # what stands is a colleague's: whoever typed keeps their own words beside it
        "typed": typed if status == 409 and row is not None and typed != row.text else "",
    }  # fmt: skip
    return render(request, "posts/write.html", shown, status=status)


def _checks(request: DeskRequest, row: PostDraft) -> HttpResponse:
    answer = render(request, "posts/checks.html", _context(request, row))
    # the sheet of a new post goes on as the one that is kept
    answer.headers["X-Draft"] = f"/w/{request.workspace.slug}/posts/draft/{row.pk}/"
    answer.headers["X-Version"] = str(row.version)
    return answer


def _context(request: DeskRequest, row: PostDraft | None) -> dict[str, Any]:
    member = request.membership
    images = reads.images_of(row) if row else []
    own = row is None or row.author_id == member.pk
    ways = _ways(request, row, images)
    chosen = [way for way in ways if way.chosen]
    rules = rules_of(member.workspace_id)
    author = member if row is None else row.author
    asked = [rule for way in chosen if (rule := reads.asked_for_post(author, way.channel, rules)) is not None]
    may = member.may("send") and all(may_approve(rule, member.role, own_words=own) for rule in asked)
    posts = cut_apart(reads.said_by(row)) if row and is_cut(row.text) else ()
    offered = {each for channel in _channels(ways) for each in reads.network_of(channel).capabilities.posts}
    return {
        "row": row, "ways": ways, "images": images, "own": own, "may_send": may, "posts": posts, "author": author,
        "visibilities": [each for each in ("public", "unlisted", "private") if each in offered],
        "most_alt": attachments.MAX_ALT,
        "too_long": any(way.chosen and way.left < 0 for way in ways),
        "said": reads.said_by(row) if row else "",
        "may_set_aside": member.may("configure"),
    }  # fmt: skip


def _channels(ways: Sequence[Way]) -> list[Channel]:
    return [way.channel for way in ways]


def _ways(request: DeskRequest, row: PostDraft | None, images: Sequence[Attachment]) -> list[Way]:
    channels = reads.posting_channels(request.workspace)
    places = {each["channel"]: each.get("place", "") for each in row.channels} if row else {}
    if row is None and len(channels) == 1:
        places = {channels[0].pk: ""}
    return [_way(request, row, images, channel, places) for channel in channels]


def _way(
    request: DeskRequest, row: PostDraft | None, images: Sequence[Attachment], channel: Channel, places: dict[int, str]
) -> Way:
    offers, policy = reads.network_of(channel).capabilities, policy_of(channel)
    posts = cut_apart(reads.said_by(row)) if row else ("",)
    left = min(most_of(channel, policy) - length(post, channel.network) for post in posts)
    known = channel.settings.get("rooms") if offers.post_place == "room" else None
    way = Way(
        channel, channel.pk in places, places.get(channel.pk, ""), offers.post_place,
        tuple(map(str, known)) if isinstance(known, list) else (), left,
    )  # fmt: skip
    if row is None or not way.chosen or not row.text.strip():
        return way
    now = timezone.now()
    try:
        place = acts.read_place(channel, way.place)
        entry = reads.entry_of(row, request.membership, channel, place, images, (), now)
        return msgspec.structs.replace(way, verdict=reads.judge_entry(entry, images, now))
    except InvalidInput as error:
        return msgspec.structs.replace(way, problem=told(error))


@require_safe
@desk("read")
def image(request: DeskRequest, pk: int, image: int) -> HttpResponse | FileResponse:
    """The file of an image of a draft that this person sees."""
    found = find(_find(request, pk).images.all(), image)
    content = attachments.content_of(found)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type=found.mime)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = f'inline; filename="image-{found.pk}.{found.mime.rpartition("/")[2]}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response
