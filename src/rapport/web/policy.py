"""Discretion on the desk: articles, what each role may offer, offers of a conversation, queue and report of leads."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast, get_args

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import articles as acts
from rapport.actions import offers
from rapport.core.errors import InvalidInput, RapportError
from rapport.core.offers import CURRENCIES, read_amount
from rapport.core.roles import ROLES
from rapport.store.models import Allowance, Article, Offer, Topic
from rapport.store.queries import policy as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.inbox.conversation import change, find_conversation
from rapport.web.inbox.events import stream_address
from rapport.web.templatetags.policy_words import THINGS
from rapport.web.told import told

KINDS = [
    ("policy", gettext_lazy("Policy: for colleagues alone")),
    ("help", gettext_lazy("Help: fit to be said to people outside")),
]
LANGUAGES = [
    ("", gettext_lazy("Every language")), ("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"),
    ("it", "Italiano"), ("pt", "Português"), ("nl", "Nederlands"), ("pl", "Polski"), ("tr", "Türkçe"),
    ("ar", "العربية"), ("he", "עברית"), ("hi", "हिन्दी"), ("ja", "日本語"), ("zh", "中文"),
]  # fmt: skip
ROLE_NAMES = {
    "owner": gettext_lazy("Owner"), "admin": gettext_lazy("Admin"), "lead": gettext_lazy("Lead"),
    "agent": gettext_lazy("Agent"), "restricted": gettext_lazy("Restricted agent"),
    "advocate": gettext_lazy("Advocate"),
}  # fmt: skip
#: days that a report looks back
DAYS = (7, 30, 90, 365)


# ---------------------------------------------------------------- articles


class ArticleForm(ExactForm):
    """What an article says, and where it shows."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    kind = forms.ChoiceField(label=gettext_lazy("For whom"), choices=KINDS)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=acts.MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("Short enough to be read while somebody waits: what holds, and what may be done."),
    )
    link = forms.CharField(label=gettext_lazy("Where the whole of it stands"), required=False, max_length=2_000)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES, required=False)
    topics = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Shown beside conversations about"),
        queryset=Topic.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("A conversation is about a topic when one of its posts matches it."),
    )
    active = forms.BooleanField(label=gettext_lazy("Show it"), required=False)


@desk(right="policy")
@require_safe
def articles(request: DeskRequest) -> HttpResponse:
    """Every article, by title."""
    rows = Article.objects.of(request.workspace).prefetch_related("topics__topic").order_by("title")
    return render(request, "policy/articles.html", {"articles": rows})


@desk(right="policy")
@require_http_methods(["GET", "POST"])
def article_new(request: DeskRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@desk(right="policy")
@require_http_methods(["GET", "POST"])
def article(request: DeskRequest, pk: int) -> HttpResponse:
    """One that exists."""
    return _edit(request, find(Article.objects.of(request.workspace), pk))


@desk(right="policy")
@require_POST
def article_delete(request: DeskRequest, pk: int) -> HttpResponse:
    """Take it away for good."""
    row = find(Article.objects.of(request.workspace), pk)
    acts.delete_article(request.membership, row, now=timezone.now())
    messages.success(request, _("%(name)s is deleted.") % {"name": row.title})
    return redirect("articles", slug=request.workspace.slug)


def _edit(request: DeskRequest, row: Article | None) -> HttpResponse:
    start: dict[str, Any] = {"kind": "policy", "active": True}
    if row is not None:
        start = {name: getattr(row, name) for name in ("title", "kind", "text", "link", "language", "active")}
        start["topics"] = list(row.topics.values_list("topic", flat=True))
    form = ArticleForm(request.POST if request.method == "POST" else None, initial=start)
    form.fields["topics"].queryset = Topic.objects.of(request.workspace).order_by("name")  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            acts.save_article(request.membership, row, **form.cleaned_data, now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("articles", slug=request.workspace.slug)
    return render(request, "policy/article.html", {"form": form, "row": row}, status=422 if form.errors else 200)


# ---------------------------------------------------------------- allowances


@desk(right="policy")
@require_http_methods(["GET", "POST"])
def allowances(request: DeskRequest) -> HttpResponse:
    """What each role may offer by itself; the form adds one or changes it."""
    problem, typed = "", {"role": "agent"}
    if request.method == "POST":
        typed = request.POST.dict()
        try:
            acts.save_allowance(
                request.membership, typed.get("role", ""), typed.get("what", ""), read_amount(typed.get("most", "")),
                typed.get("currency", ""), typed.get("note", ""), now=timezone.now(),
            )  # fmt: skip
        except InvalidInput as error:
            problem = told(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("allowances", slug=request.workspace.slug)
    rows = sorted(Allowance.objects.of(request.workspace), key=lambda row: (row.what, -ROLES.index(row.role)))
    context = {
        "rows": [(row, ROLE_NAMES.get(row.role, row.role)) for row in rows],
        "roles": [(role, ROLE_NAMES[role]) for role in reversed(ROLES) if role in ROLE_NAMES],
        "things": sorted({*THINGS, *(row.what for row in rows)}),
        "currencies": CURRENCIES,
        "problem": problem,
        "typed": typed,
    }
    return render(request, "policy/allowances.html", context, status=422 if problem else 200)


@desk(right="policy")
@require_POST
def allowance_delete(request: DeskRequest, pk: int) -> HttpResponse:
    """The role asks from now on."""
    row = find(Allowance.objects.of(request.workspace), pk)
    acts.delete_allowance(request.membership, row, now=timezone.now())
    messages.success(request, _("Whoever has this role asks a lead from now on."))
    return redirect("allowances", slug=request.workspace.slug)


# ---------------------------------------------------------------- offers


@desk(right="draft")
@require_POST
def offer(request: DeskRequest, pk: int) -> HttpResponse:
    """Set down an offer (`what`, `amount`, `currency`, `reason`); `ask`: it is above the limit, a lead decides."""
    asked, ask = request.POST, "ask" in request.POST
    said = _("A lead is asked; you are told.") if ask else _("Set down as offered.")

    def act(row: Any, now: dt.datetime) -> None:
        offers.make_offer(
            request.membership, row, asked.get("what", ""), read_amount(asked.get("amount", "")),
            asked.get("currency", ""), asked.get("reason", ""), ask=ask, now=now,
        )  # fmt: skip

    return change(request, pk, act, said)


@desk(right="draft")
@require_POST
def offer_answer(request: DeskRequest, pk: int, offer: int) -> HttpResponse:
    """What became of it (`becomes`, with `words` and, once they agreed, `ask_at`: the day on which it is asked)."""
    row = find_conversation(request, pk)
    found = find(Offer.objects.of(request.workspace).filter(conversation=row), offer)
    becomes, words = request.POST.get("becomes", ""), request.POST.get("words", "")
    if becomes not in get_args(offers.Answer):
        raise InvalidInput(_("Say what became of it."))
    day = _day(request.POST.get("ask_at", ""))

    def act(_row: Any, now: dt.datetime) -> None:
        offers.answer_offer(request.membership, found, cast("offers.Answer", becomes), words, day, now=now)

    return change(request, pk, act, _("Written down."))


@desk(right="allow")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """What waits for a decision, what stands open, what is over (`tab`)."""
    return _page(request)


@desk(right="allow")
@require_POST
def decide(request: DeskRequest, pk: int) -> HttpResponse:
    """Allow what a colleague asked for (`how=allow`), or refuse it with `words`."""
    row = find(
        reads.visible_offers(request.membership).select_related("conversation__basket", "by__user", "person"), pk
    )
    allow = request.POST.get("how") == "allow"
    try:
        offers.decide_offer(request.membership, row, allow, request.POST.get("words", ""), now=timezone.now())
    except RapportError as error:
        return _page(request, 422, about=row.pk, problem=told(error))
    messages.success(request, _("Allowed; they are told.") if allow else _("Refused; they are told why."))
    return redirect("offers", slug=request.workspace.slug)


def _page(request: DeskRequest, status: int = 200, **said: Any) -> HttpResponse:
    wanted = request.GET.get("tab", "asked")
    tab = wanted if wanted in reads.TABS else "asked"
    context = {
        "tab": tab,
        "tabs": [("asked", _("To decide")), ("open", _("Open")), ("past", _("Over"))],
        "asked": reads.count_asked(request.membership),
        "offers": reads.list_offers(request.membership, tab),
        "live": stream_address(request.membership),
        **said,
    }
    return render(request, "policy/offers.html", context, status=status)


@desk(right="allow")
@require_safe
def report(request: DeskRequest) -> HttpResponse:
    """What became of the offers of the last `days`."""
    wanted = request.GET.get("days", "")
    days = next((each for each in DAYS if str(each) == wanted), 30)
    now = timezone.now()
    results = reads.report(request.workspace.pk, now - dt.timedelta(days=days), now)
    return render(request, "policy/report.html", {"results": results, "days": days, "spans": DAYS})


def _day(text: str) -> dt.datetime | None:
    """Nine in the morning of a day in the person's zone. Raises `InvalidInput` for what is no day."""
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise InvalidInput(_("Choose a day."))
    return timezone.make_aware(dt.datetime.combine(day, dt.time(9)))
