"""Who has to approve what others write: rules by role, basket, channel and condition."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import approval_rules as acts
from rapport.core.errors import InvalidInput
from rapport.core.roles import ROLES, may
from rapport.store.models import ApprovalRule, Basket, Channel
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm, number
from rapport.web.role_words import ROLE_NAMES
from rapport.web.told import told


class RuleForm(ExactForm):
    """One rule; what is left open narrows nothing."""

    role = forms.ChoiceField(label=gettext_lazy("What is written by"), required=False)
    basket = forms.ChoiceField(label=gettext_lazy("In the basket"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("From the account"), required=False)
    condition = forms.CharField(
        label=gettext_lazy("Only where"),
        required=False,
        max_length=acts.MAX_CONDITION,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "An expression of the rules about the post that is answered, as “complaint >= 0.7 and "
            "author.followers > 5000”. Empty: always."
        ),
    )
    approver = forms.ChoiceField(
        label=gettext_lazy("Is approved by"),
        choices=[("lead", gettext_lazy("a lead, or an admin")), ("admin", gettext_lazy("an admin"))],
    )
    four_eyes = forms.BooleanField(
        label=gettext_lazy("Four eyes: never by its author, whatever their role"), required=False, initial=True
    )
    active = forms.BooleanField(label=gettext_lazy("In force"), required=False, initial=True)


@require_safe
@desk("team")
def index(request: DeskRequest) -> HttpResponse:
    """The rules in their order."""
    rows = ApprovalRule.objects.of(request.workspace).select_related("basket", "channel")
    return render(
        request, "settings/approval_rules.html", {"rows": [(row, ROLE_NAMES.get(row.role, "")) for row in rows]}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk("team")
def create(request: DeskRequest) -> HttpResponse:
    """A new rule, at the end."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@desk("team")
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One rule."""
    return _edit(request, find(ApprovalRule.objects.of(request.workspace), pk))


@require_POST
@desk("team")
def act(request: DeskRequest, pk: int) -> HttpResponse:
    """Move a rule (`do` = "up", "down") or take it away ("delete")."""
    row, do, now = find(ApprovalRule.objects.of(request.workspace), pk), request.POST.get("do", ""), timezone.now()
    if do == "delete":
        acts.delete_approval_rule(request.membership, row, now=now)
        messages.success(request, _("The rule is gone."))
    elif do in {"up", "down"}:
        acts.move_approval_rule(request.membership, row, up=do == "up", now=now)
    return redirect("approval_rules", slug=request.workspace.slug)


def _edit(request: DeskRequest, row: ApprovalRule | None) -> HttpResponse:
    form = _form(request, row)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        workspace = request.workspace
        try:
            acts.save_approval_rule(
                request.membership, row, role=said["role"],
                basket=Basket.objects.of(workspace).filter(pk=number(said["basket"])).first(),
                channel=Channel.objects.of(workspace).filter(pk=number(said["channel"])).first(),
                condition=said["condition"], approver=said["approver"], four_eyes=said["four_eyes"],
                active=said["active"], now=timezone.now(),
            )  # fmt: skip
        except InvalidInput as error:
            form.add_error("condition", told(error))
        else:
            messages.success(request, _("Saved. It counts from now on."))
            return redirect("approval_rules", slug=workspace.slug)
    return render(
        request, "settings/approval_rule.html", {"form": form, "row": row}, status=422 if form.errors else 200
    )


def _form(request: DeskRequest, row: ApprovalRule | None) -> RuleForm:
    start: dict[str, Any] = {}
    if row is not None:
        start = {
            "role": row.role, "basket": str(row.basket_id or ""), "channel": str(row.channel_id or ""),
            "condition": row.condition, "approver": row.approver, "four_eyes": row.four_eyes, "active": row.active,
        }  # fmt: skip
    form = RuleForm(request.POST if request.method == "POST" else None, initial=start, label_suffix="")
    roles = [(role, ROLE_NAMES[role]) for role in ROLES if may(role, "send")]
    baskets = [(str(basket.pk), basket.name) for basket in Basket.objects.of(request.workspace)]
    channels = Channel.objects.of(request.workspace).exclude(handle="").order_by("name")
    for name, first, choices in (
        ("role", _("anybody"), roles),
        ("basket", _("any"), baskets),
        ("channel", _("any"), [(str(channel.pk), f"{channel.name} ({channel.network})") for channel in channels]),
    ):
        field = form.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", first), *choices]
    return form
