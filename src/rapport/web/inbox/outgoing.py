"""What goes out besides the words of one post: the words of a thread, and images."""

from __future__ import annotations

import json
import logging

from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import attachments as acts
from rapport.actions.parts import takes_threads
from rapport.core.errors import InvalidInput, RapportError
from rapport.core.images import MOST_BYTES
from rapport.core.parts import put_together
from rapport.store.models import Attachment, Channel, Conversation, Post
from rapport.store.queries.attachments import unsent_images
from rapport.store.queries.spend import policy_of
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.conversation import find_conversation, show
from rapport.web.pieces import thread_of
from rapport.web.told import told

log = logging.getLogger(__name__)


@require_POST
@desk("draft")
def thread(request: DeskRequest, pk: int) -> HttpResponse:
    """Cut the words of the box into posts that fit. A script gets them as JSON, else the page comes back with them."""
    row = find_conversation(request, pk)
    text = request.POST.get("text", "").replace("\r\n", "\n").strip()
    target, channel = _place(request, row)
    if channel is None or not takes_threads(channel.network):
        raise Http404
    try:
        parts = thread_of(text, channel, target, policy_of(channel))
    except InvalidInput as error:
        return _say_problem(request, row, error)
    cut = put_together(parts)
    if request.headers.get("HX-Request"):
        told = ngettext("%(n)d post; change what you like.", "%(n)d posts; change what you like.", len(parts))
        return JsonResponse({"text": cut, "say": told % {"n": len(parts)}})
    typed = request.POST.copy()
    typed["text"] = cut
    return show(request, row, 200, typed=typed)


def _place(request: DeskRequest, row: Conversation) -> tuple[Post | None, Channel | None]:
    channels = Channel.objects.of(request.workspace).filter(network=row.network)
    posts = Post.objects.of(request.workspace).filter(conversation_id=row.pk, ours=False).select_related("handle")
    target = posts.filter(pk=number(request.POST.get("target", ""))).first()
    return target, channels.filter(pk=number(request.POST.get("channel", ""))).first()


# ---------------------------------------------------------------- images


def typed_images(request: DeskRequest, row: Conversation) -> list[Attachment]:
    """The images that the form of the composer names, with what it says of each kept. Raises 404 for a foreign one."""
    member, now = request.membership, timezone.now()
    named = list(dict.fromkeys(request.POST.getlist("image")))
    if not named:
        return []
    rows = unsent_images(row, member).select_related("conversation")
    found = [find(rows, number(each)) for each in named]
    for image in found:
        alt = request.POST.get(f"alt-{image.pk}")
        none = f"no-alt-{image.pk}" in request.POST
        if alt is not None and (" ".join(alt.split()), none) != (image.alt, image.no_alt):
            acts.describe_image(member, image, alt, needs_none=none, now=now)
    return found


@require_POST
@desk("draft")
def add_image(request: DeskRequest, pk: int) -> HttpResponse:
    """Take an image (`file`, a form with a file and nothing else) into the composer."""
    row = find_conversation(request, pk)
    if request.content_type != "multipart/form-data":
        return HttpResponse(_("Send the image as a file of a form."), status=415, content_type="text/plain")
    try:
        typed_images(request, row)
        file = request.FILES.get("file")
        if file is None:
            raise InvalidInput(_("Choose an image first."))
        # a byte more than is taken, so that the reason is told
        acts.keep_image(request.membership, row, file.read(MOST_BYTES + 1), now=timezone.now())
    except RapportError as error:
        return _say_problem(request, row, error)
    except OSError:
        log.exception("an image could not be written to the data folder")
        return _say(request, row, _("The desk has no room for this image now: tell whoever runs it, try later."), 507)
    return _strip(request, row)


@require_POST
@desk("draft")
def drop_image(request: DeskRequest, pk: int, image: int) -> HttpResponse:
    """Take an image out of the composer again."""
    row = find_conversation(request, pk)
    chosen = find(unsent_images(row, request.membership).select_related("conversation"), image)
    try:
        typed_images(request, row)
        acts.drop_image(request.membership, chosen, now=timezone.now())
    except RapportError as error:
        return _say_problem(request, row, error)
    return _strip(request, row)


@require_safe
@desk("read")
def image(request: DeskRequest, pk: int) -> HttpResponse | FileResponse:
    """The file of an image, for those who may read its conversation; it was made anew, so it is what it says."""
    row = find(Attachment.objects.of(request.workspace), pk)
    find_conversation(request, row.conversation_id or 0)
    content = acts.content_of(row)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type=row.mime)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = f'inline; filename="image-{row.pk}.{row.mime.rpartition("/")[2]}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _strip(request: DeskRequest, row: Conversation) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return show(request, row, 200, typed=request.POST)
    here = f"/w/{request.workspace.slug}/c/{row.pk}/"
    context = {"conversation": row, "here": here, "beside": request.GET.urlencode()}
    return render(request, "desk/images.html", context)


def _say_problem(request: DeskRequest, row: Conversation, error: RapportError) -> HttpResponse:
    return _say(request, row, told(error), 422)


def _say(request: DeskRequest, row: Conversation, said: str, status: int) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return show(request, row, status, typed=request.POST, problem=said)
    trigger = json.dumps({"desk-problem": {"say": said}})
    return HttpResponse(said, status=status, content_type="text/plain", headers={"HX-Trigger": trigger})
