"""Taking back what one did: from the sentence that said it was done, or by its key."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from rapport.actions import undo as acts
from rapport.core.errors import RapportError
from rapport.store.models import Deed
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.told import told

#: what was taken back, by verb of its audit entry; others are named in general
WORDS = {
    "conversation.assign": lambda: _("the assignment"),
    "conversation.snooze": lambda: _("the snooze"),
    "conversation.resolve": lambda: _("the resolving"),
    "conversation.reopen": lambda: _("the reopening"),
    "conversation.move": lambda: _("the move"),
    "conversation.prioritise": lambda: _("the priority"),
    "conversation.note": lambda: _("the note"),
    "conversation.tag": lambda: _("the tag"),
    "conversation.untag": lambda: _("taking the tag away"),
    "score.set": lambda: _("the score"),
    "score.clear": lambda: _("the score"),
    "person.relationship": lambda: _("what they are to us"),
    "person.lift_suppression": lambda: _("that they may be written to"),
    "person.note": lambda: _("the note on the person"),
    "person.remove_note": lambda: _("taking the note away"),
    "person.field": lambda: _("the field of the person"),
    "person.consent": lambda: _("what they allowed"),
    "person.withdraw_consent": lambda: _("that they took it back"),
    "task.make": lambda: _("the task"),
    "task.change": lambda: _("the change of the task"),
    "task.finish": lambda: _("that the task is done"),
    "task.drop": lambda: _("that the task will not be done"),
    "task.reopen": lambda: _("reopening the task"),
}
#: deeds of one call: what one act on many conversations is sent in
MOST = 20


@require_POST
@desk("note")
def undo(request: DeskRequest) -> HttpResponse:
    """Take back the deeds that are named (`deed`, any number), else the newest one that can be."""
    member, now = request.membership, timezone.now()
    wanted = [number(each) for each in request.POST.getlist("deed")[:MOST]]
    newest = acts.newest_deed(member, now=now)
    deeds = [find(Deed.objects.of(member.workspace_id).filter(by=member), pk) for pk in wanted]
    if not wanted:
        deeds = [newest] if newest else []
    restored: set[int] = set()
    left: set[int] = set()
    verbs: list[str] = []
    others: list[tuple[str, int]] = []
    problem = _("There is nothing to undo.")
    for deed in deeds:
        try:
            undone = acts.undo(member, deed, now=now)
        except RapportError as error:
            problem = told(error)
            continue
        restored |= set(undone.restored)
        left |= set(undone.left)
        verbs += undone.verbs
        others += undone.others
    if not restored and not others:
        return said(request, problem, wrong=True)
    return said(request, sentence(verbs, len(restored), len(left)), where=_place(restored, others))


def _place(restored: set[int], others: list[tuple[str, int]]) -> str:
    """The page of what was put back, behind /w/SLUG/."""
    if restored:
        return f"c/{min(restored)}/"
    kind, pk = others[-1]
    return f"people/{pk}/" if kind == "person" else "tasks/"


def sentence(verbs: list[str], restored: int, left: int) -> str:
    """What was taken back, and what was left because it had changed since."""
    name = WORDS.get(verbs[-1], lambda: _("the last act"))()
    line = _("Undone: %(what)s.") % {"what": name}
    if restored > 1:
        line = ngettext(
            "Undone on %(n)d conversation: %(what)s.", "Undone on %(n)d conversations: %(what)s.", restored
        ) % {"n": restored, "what": name}
    if left:
        rest = ngettext("%(n)d has changed since and stays.", "%(n)d have changed since and stay.", left) % {"n": left}
        line = f"{line} {rest}"
    return line


def said(request: DeskRequest, text: str, *, where: str = "", wrong: bool = False) -> HttpResponse:
    """A sentence for an open page, or for the page that comes next."""
    if request.headers.get("HX-Request"):
        event = {"desk-problem": {"say": text}} if wrong else {"desk-changed": {"say": text, "talk": True}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(event)})
    (messages.warning if wrong else messages.success)(request, text)
    return HttpResponseRedirect(f"/w/{request.workspace.slug}/{where}", status=303)
