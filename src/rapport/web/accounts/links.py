"""One-time sign-in links: for the first start, for invitations, for people who lost their password."""

from __future__ import annotations

import time
from typing import cast

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import SetPasswordForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from rapport.actions import accounts
from rapport.core.errors import InvalidInput
from rapport.web.access import PersonRequest, signed_in
from rapport.web.told import told

#: session key: until when (seconds since 1970) a new password may be chosen without the old one
CHOOSE_UNTIL = "choose_password_until"
CHOOSE_SECONDS = 15 * 60


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET asks, POST redeems: programs that look into mails follow links, and must not use this one up.

    A second factor is asked for all the same. A dead link answers 410 with what to do.
    """
    now = timezone.now()
    if request.method == "GET":
        link = accounts.find_sign_in_link(token, now=now)
        return render(request, "account/sign_in_link.html", {"link": link}, status=200 if link else 410)
    try:
        user = accounts.redeem_sign_in_link(token, now=now)
    except InvalidInput as error:
        return render(request, "account/sign_in_link.html", {"error": told(error)}, status=410)
    request.session.flush()
    request.session[CHOOSE_UNTIL] = time.time() + CHOOSE_SECONDS
    record_authentication(request, user, method="link")
    return cast("HttpResponse", perform_login(request, Login(user=user, redirect_url=reverse("choose_password"))))


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@signed_in
def choose_password(request: PersonRequest) -> HttpResponse:
    """The page after a sign-in link: a password for the next time, without the old one, for a quarter of an hour."""
    if request.session.get(CHOOSE_UNTIL, 0) < time.time():
        return redirect("account_change_password" if request.user.has_usable_password() else "account_set_password")
    form = SetPasswordForm(request.user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        del request.session[CHOOSE_UNTIL]
        update_session_auth_hash(request, request.user)
        messages.success(request, _("Your password is set. From now on, sign in with your address and this password."))
        return redirect("home")
    return render(request, "account/choose_password.html", {"form": form})


def closed(request: HttpRequest) -> HttpResponse:
    """There is no open sign-up: people come by invitation."""
    raise Http404
