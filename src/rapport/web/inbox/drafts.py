"""Drafts besides the box: what one began, earlier words, showing them to colleagues, what to begin from."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import drafts as acts
from rapport.core.errors import InvalidInput
from rapport.store.models import Draft, DraftVersion
from rapport.store.queries import drafts as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.conversation import change, done, find_conversation, list_beside
from rapport.web.inbox.conversation import show as show_conversation
from rapport.web.told import told


@require_safe
@desk("draft")
def index(request: DeskRequest) -> HttpResponse:
    """What this person began and did not send, and what colleagues show."""
    member = request.membership
    return render(request, "desk/drafts.html", {"own": reads.own_drafts(member), "shared": reads.shared_drafts(member)})


@require_safe
@desk("draft")
def begin_from(request: DeskRequest, pk: int) -> HttpResponse:
    """What an answer may begin from, the nearest first: for the menu of the box, or as a page."""
    row = find_conversation(request, pk)
    part = bool(request.headers.get("HX-Request"))
    found = reads.offered(row, request.membership)
    context = {
        # in the menu the prepared replies stand below, those that fit first
        "offers": [each for each in found if not part or each.source not in {"rule", "snippet"}],
        "here": f"/w/{request.workspace.slug}/c/{row.pk}/",
        "beside": list_beside(request, row).beside(),
    }
    return render(request, "desk/begin_from.html" if part else "desk/begin_from_page.html", context)


@require_safe
@desk("draft")
def versions(request: DeskRequest, pk: int) -> HttpResponse:
    """Earlier words of one's own draft."""
    row, member = find_conversation(request, pk), request.membership
    context = {
        "versions": reads.versions_of(row, member),
        "draft": Draft.objects.of(request.workspace).filter(conversation=row, author=member).first(),
        "here": f"/w/{request.workspace.slug}/c/{row.pk}/",
    }
    return render(request, "desk/versions.html", context)


@require_POST
@desk("draft")
def restore(request: DeskRequest, pk: int) -> HttpResponse:
    """Put earlier words (`version`) back into the box."""
    row = find_conversation(request, pk)
    own = DraftVersion.objects.of(request.workspace).filter(conversation=row, author=request.membership)
    version = find(own, number(request.POST.get("version", "")))
    acts.restore_draft(request.membership, row, version, now=timezone.now())
    messages.success(request, _("Your earlier words are back in the box."))
    return redirect("inbox:conversation", slug=request.workspace.slug, pk=row.pk)


@require_POST
@desk("draft")
def share(request: DeskRequest, pk: int) -> HttpResponse:
    """Show one's draft to colleagues (`shared`), or to nobody any more; with `text` it is kept first."""
    shared, member = bool(request.POST.get("shared")), request.membership
    row, now = find_conversation(request, pk), timezone.now()
    if request.POST.get("text", "").strip():
        acts.save_draft(member, row, request.POST["text"], begun=request.POST.get("begun", ""), now=now)
    said = (
        _("Colleagues who see this conversation see your draft.") if shared else _("Nobody else sees your draft now.")
    )
    return change(request, pk, lambda talk, at: acts.share_draft(member, talk, shared, now=at), said)


@require_POST
@desk("draft")
def confirm(request: DeskRequest, pk: int) -> HttpResponse:
    """Say of a service's words (`text`) that they stand as they are."""
    row = find_conversation(request, pk)
    try:
        acts.confirm_draft(request.membership, row, request.POST.get("text", ""), now=timezone.now())
    except InvalidInput as error:
        return show_conversation(request, row, 422, typed=request.POST, problem=told(error))
    return done(request, row, _("Confirmed. Now it can be sent."))
