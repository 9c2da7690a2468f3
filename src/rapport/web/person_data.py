"""Everything of a person: put in a file, or taken away, with what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from rapport.actions.erasure import ask_erasure, word_to_type
from rapport.actions.export_files import export_file
from rapport.actions.exports import ask_export, note_fetched
from rapport.actions.purges import ask_purge
from rapport.core.errors import InvalidInput
from rapport.store.models import Channel, Person, PersonJob
from rapport.store.queries import people as reads
from rapport.store.queries.erasure import HOLDERS
from rapport.store.queries.person_export import count_kept
from rapport.web.access import DeskRequest, desk, find
from rapport.web.person_named import still_named
from rapport.web.told import told

#: jobs on one page
SHOWN = 50
#: table, or part of an export, -> what people call it
NAMES: dict[str, Any] = {
    "Acknowledgement": gettext_lazy("Acknowledgements by a machine"),
    "Approval": gettext_lazy("Entries of the ledger"),
    "Attachment": gettext_lazy("Images"),
    "Attempt": gettext_lazy("Tries to send"),
    "AuditEntry": gettext_lazy("Entries of the audit"),
    "BrandHandle": gettext_lazy("Accounts of other firms"),
    "BusMessage": gettext_lazy("Posts on their way through the line"),
    "CampaignPost": gettext_lazy("Posts in campaigns"),
    "Check": gettext_lazy("Samples of what was put aside"),
    "ComposerClaim": gettext_lazy("Who was writing"),
    "Consent": gettext_lazy("What they allowed or refused"),
    "Conversation": gettext_lazy("Conversations"),
    "ConversationTag": gettext_lazy("Tags"),
    "Correction": gettext_lazy("Corrections of what the machine read"),
    "Deed": gettext_lazy("What colleagues could still take back"),
    "Delivery": gettext_lazy("Replies on their way to a network"),
    "DeliveryPart": gettext_lazy("Parts of replies"),
    "Draft": gettext_lazy("Drafts"),
    "DraftReturn": gettext_lazy("Drafts that were given back"),
    "DraftUse": gettext_lazy("What became of drafts"),
    "DraftVersion": gettext_lazy("Earlier words of drafts"),
    "Escalation": gettext_lazy("Steps of the ladder"),
    "Fingerprint": gettext_lazy("Fingerprints of texts"),
    "Handle": gettext_lazy("Accounts"),
    "Ignoring": gettext_lazy("Decisions to ignore them"),
    "Invitation": gettext_lazy("Invitations to surveys"),
    "KeptAnswer": gettext_lazy("Answers to programs"),
    "Note": gettext_lazy("Notes in conversations"),
    "NoteMention": gettext_lazy("Colleagues named in notes"),
    "Notification": gettext_lazy("Notices to colleagues"),
    "Offer": gettext_lazy("Offers"),
    "Outcome": gettext_lazy("Readings of posts"),
    "Person": gettext_lazy("The person"),
    "PersonJob": gettext_lazy("Files of earlier exports"),
    "PersonMerge": gettext_lazy("Joins of what was taken for several people"),
    "PersonNote": gettext_lazy("Notes on the person"),
    "PersonValue": gettext_lazy("Fields of the person"),
    "Post": gettext_lazy("Posts"),
    "Presence": gettext_lazy("Who was looking"),
    "Promise": gettext_lazy("Promises of time"),
    "RuleDay": gettext_lazy("Rules that broke on a post of theirs"),
    "RuleEffect": gettext_lazy("What rules did"),
    "ScoreCorrection": gettext_lazy("Corrections of the score"),
    "Suppression": gettext_lazy("Accounts that nothing goes to"),
    "SurveyAnswer": gettext_lazy("Answers to surveys"),
    "Task": gettext_lazy("Tasks"),
    "ThreadLink": gettext_lazy("Links between posts"),
    "Tombstone": gettext_lazy("Posts that were deleted on their network"),
    "TopicMatch": gettext_lazy("Topics that matched"),
    "WebhookCall": gettext_lazy("Calls of other programs"),
    "accounts": gettext_lazy("Accounts"),
    "answers": gettext_lazy("Replies to them"),
    "consents": gettext_lazy("What they allowed or refused"),
    "conversations": gettext_lazy("Conversations"),
    "escalations": gettext_lazy("Steps of the ladder"),
    "fields": gettext_lazy("Fields of the person"),
    "joins": gettext_lazy("Joins of what was taken for several people"),
    "left_alone": gettext_lazy("Decisions to leave them alone"),
    "notes": gettext_lazy("Notes"),
    "offers": gettext_lazy("Offers"),
    "posts": gettext_lazy("Posts"),
    "surveys": gettext_lazy("Surveys"),
    "tasks": gettext_lazy("Tasks"),
}
#: store.queries.erasure.UNREACHED in words, with what to do about it
UNREACHED: dict[str, Any] = {
    "backups": gettext_lazy("Copies of the database that were made before. Delete them when their time is over."),
    "networks": gettext_lazy(
        "The networks themselves: what they said there, and what was sent to them, stands until it is deleted there."
    ),
    "others": gettext_lazy("What other people said of them, and where others named them: those are their words."),
    "receivers": gettext_lazy("Programs that webhooks told of them. Ask whoever runs these."),
    "mail": gettext_lazy("Notices that went out by mail or push: they lie in the mailboxes of colleagues."),
    "logs": gettext_lazy("Logs of the machine. They hold no text, but may hold ids; they go when they are rotated."),
    "exports": gettext_lazy("Files that somebody fetched from here."),
}


@require_safe
@desk("export")
def index(request: DeskRequest, pk: int) -> HttpResponse:
    """What is kept of a person, the way to a file with all of it, and the way to erase it."""
    return _page(request, find(reads.visible_people(request.membership), pk))


def _page(request: DeskRequest, row: Person, problem: str = "", part: str = "", status: int = 200) -> HttpResponse:
    jobs = PersonJob.objects.of(request.workspace).filter(person=row.pk).select_related("asked_by__user")
    context = {
        "person": row,
        "kept": [(NAMES[name], count) for name, count in count_kept(row).items()],
        "jobs": jobs.order_by("-asked_at")[:SHOWN],
        "word": word_to_type(row),
        "unreached": UNREACHED.values(),
        "problem": problem,
        "part": part,
        "given": {name: request.POST.get(name, "")[:300] for name in ("reason", "typed")},
        "can_erase": request.membership.may("erase"),
    }
    return render(request, "people/data.html", context, status=status)


@require_POST
@desk("export")
def export(request: DeskRequest, pk: int) -> HttpResponse:
    """Ask for a file (`reason`)."""
    row = find(reads.visible_people(request.membership), pk)
    try:
        job = ask_export(request.membership, row, request.POST.get("reason", ""), now=timezone.now())
    except InvalidInput as error:
        return _page(request, row, told(error), "export", 422)
    return _to_job(request, job)


@require_POST
@desk("erase")
def erase(request: DeskRequest, pk: int) -> HttpResponse:
    """Ask for an erasure (`reason`, `typed`: the name of the person)."""
    row = find(reads.visible_people(request.membership), pk)
    reason, typed = request.POST.get("reason", ""), request.POST.get("typed", "")[:1000]
    try:
        job = ask_erasure(request.membership, row, reason, typed, now=timezone.now())
    except InvalidInput as error:
        return _page(request, row, told(error), "erase", 422)
    return _to_job(request, job)


def _to_job(request: DeskRequest, job: PersonJob) -> HttpResponse:
    return HttpResponseRedirect(f"/w/{request.workspace.slug}/person-jobs/{job.pk}/")


@require_safe
@desk("export")
def jobs(request: DeskRequest) -> HttpResponse:
    """Every export and erasure, newest first."""
    rows = PersonJob.objects.of(request.workspace).select_related("asked_by__user").order_by("-asked_at")
    return render(request, "people/jobs.html", {"jobs": rows[:SHOWN]})


@require_safe
@desk("export")
def job(request: DeskRequest, pk: int) -> HttpResponse:
    """How far one is, and what came of it; with `?as=json` as JSON."""
    row = find(PersonJob.objects.of(request.workspace).select_related("asked_by__user"), pk)
    if request.GET.get("as") == "json":
        return JsonResponse(_told(row), json_dumps_params={"indent": 2})
    report = row.report
    context = {
        "job": row,
        "is_going": row.state in {PersonJob.State.WAITING, PersonJob.State.RUNNING},
        "removed": _counted(report.get("removed", {})),
        "blanked": _counted(report.get("blanked", {})),
        "held": _counted(report.get("held", {})),
        "progress": _progress(row),
        "named": still_named(request.membership, row) if "named_in" in report else None,
        "unreached": [UNREACHED[each] for each in report.get("unreached", []) if each in UNREACHED],
        "file": export_file(row) if row.expires_at and row.expires_at > timezone.now() else None,
        "is_there": Person.objects.of(request.workspace).filter(pk=row.person).exists(),
    }
    fragment = request.headers.get("HX-Request") == "true"
    return render(request, "people/job_found.html" if fragment else "people/job.html", context)


def _progress(row: PersonJob) -> tuple[int, int] | None:
    """(entries read, of how many) of an export under way; None where nobody knows yet."""
    read, of = row.report.get("read"), row.report.get("of")
    if row.state != PersonJob.State.RUNNING or not isinstance(read, int) or not isinstance(of, int) or of < 1:
        return None
    return min(read, of), of  # what came in meanwhile is not counted


def _counted(report: dict[str, int]) -> list[tuple[Any, int]]:
    """The most first."""
    rows = sorted(report.items(), key=lambda each: (-each[1], each[0]))
    return [(NAMES.get(name, name), count) for name, count in rows]


def _told(row: PersonJob) -> dict[str, Any]:
    return {
        "format": "rapport.person-job", "version": 1, "id": row.pk, "kind": row.kind, "state": row.state,
        "person": row.person, "reason": row.reason, "asked_at": row.asked_at, "done_at": row.done_at,
        "problem": row.problem, "report": row.report,
        "what_becomes_of_each": {each.table: each.said for each in HOLDERS} if row.kind == "erase" else {},
    }  # fmt: skip


@require_safe
@desk("export")
def file(request: DeskRequest, pk: int) -> HttpResponseBase:
    """The file of an export, while it lies there. Fetching it is on record."""
    row = find(PersonJob.objects.of(request.workspace).filter(kind=PersonJob.Kind.EXPORT), pk)
    try:
        note_fetched(request.membership, row, now=timezone.now())
    except InvalidInput as error:
        messages.error(request, told(error))
        return _to_job(request, row)
    path = export_file(row)
    if path is None:
        raise Http404
    answer = FileResponse(path.open("rb"), as_attachment=True, filename=f"person-{row.person}.zip")
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@desk("erase")
def forget(request: DeskRequest, pk: int) -> HttpResponse:
    """Delete everything that was heard through a disconnected account (`typed`: its name)."""
    row = find(Channel.objects.of(request.workspace), pk)
    try:
        ask_purge(request.membership, row, request.POST.get("typed", "")[:1000], now=timezone.now())
    except InvalidInput as error:
        messages.error(request, told(error))
    else:
        messages.success(request, _("What was heard through it is being deleted. This takes some minutes."))
    return HttpResponseRedirect(reverse("channel", kwargs={"slug": request.workspace.slug, "pk": row.pk}))
