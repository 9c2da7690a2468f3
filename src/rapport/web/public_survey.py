"""The page behind the link of a survey: open to whoever has the link, without a session, a cookie or a script.

Whatever cannot be answered says the same: unknown, expired, answered, taken back. A look does not use the link up:
networks look into links by themselves.
"""

from __future__ import annotations

from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rapport.actions.surveys import answer_survey
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.surveys import SCORES, TOKEN, direction_of, read_questions, words_of
from rapport.store.models import Invitation
from rapport.store.queries.surveys import find_open

#: own style alone: no script, no picture from elsewhere, and nobody puts it into a frame
POLICY = "; ".join(
    (
        "default-src 'none'", "style-src 'self'", "font-src 'self'", "img-src 'self'", "form-action 'self'",
        "frame-ancestors 'none'", "base-uri 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    # the address is the key: nobody learns it from a link on the page
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
}
#: looks and answers of one address in a minute: whoever tries keys is slowed down, a firm behind one address is not
RATES = {"look": "120/m/ip", "answer": "30/m/ip"}
#: characters of a form: five answers of their full length fit
MOST = 40_000


@csrf_exempt  # there is no session that somebody else's page could use: the address is the key
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the questions, POST takes the one answer."""
    now = timezone.now()
    asked = "answer" if request.method == "POST" else "look"
    language = (request.headers.get("Accept-Language") or "en")[:2].lower()
    if not ratelimit.consume(request, app="rapport.survey", action=asked, config=RATES, limit_get=True):
        return _page(429, language, said=words_of(language).slow)
    found = find_open(token, now) if len(token) == TOKEN else None
    if found is None:
        return _page(410, language, said=words_of(language).over)
    language = found.survey.language or language
    if request.method != "POST":
        return _ask(found, language)
    try:
        too_much = int(request.headers.get("Content-Length") or 0) > MOST
        typed = {} if too_much else {name: str(value) for name, value in request.POST.items()}
        answer_survey(token, typed, now=now)
    except InvalidInput as error:
        words = words_of(language)
        return _ask(found, language, words.nothing if str(error) == "nothing" else words.wrong, typed, 422)
    except NotAllowed:
        return _page(410, language, said=words_of(language).over)
    return _page(200, language, said=found.survey.thanks or words_of(language).thanks, name=found.workspace.name)


def _ask(
    found: Invitation, language: str, problem: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    questions = [
        (f"q{number}", question, (typed or {}).get(f"q{number}", ""))
        for number, question in enumerate(read_questions(found.questions))
    ]
    by = words_of(language).read_by.format(name=found.workspace.name.replace("{", "").replace("}", ""))
    return _page(
        status, language, name=found.workspace.name, title=found.survey.name, questions=questions, problem=problem,
        read_by=by,
    )  # fmt: skip


def _page(status: int, language: str, **shown: Any) -> HttpResponse:
    """The page in one language; no request goes into it, so that it cannot tell who asks."""
    context = {
        "name": "",
        "title": "",
        "said": "",
        "problem": "",
        "language": language,
        "direction": direction_of(language),
        "words": words_of(language),
        "scores": [str(score) for score in SCORES],
        **shown,
    }
    response = HttpResponse(render_to_string("surveys/public.html", context), status=status)
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers["Content-Language"] = language
    return response
