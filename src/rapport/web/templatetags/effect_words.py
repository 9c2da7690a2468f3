"""What rules propose and did, in words for a person."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.actions.proposals import is_done_here
from rapport.core.tasks import read_task
from rapport.store.models import RuleEffect

register = template.Library()

#: verb -> what it would do; {argument} as the rule wrote it
_WORDS = {
    "basket": gettext_lazy("Move to {argument}"),
    "person": gettext_lazy("Give it to {argument}"),
    "priority": gettext_lazy("Set the priority to {argument}"),
    "quarantine": gettext_lazy("Put it into the quarantine"),
    "draft": gettext_lazy("Begin the answer from “{argument}”"),
    "note": gettext_lazy("Note: {argument}"),
    "notify": gettext_lazy("Tell {argument}"),
    "ticket": gettext_lazy("Open a ticket: {argument}"),
    "idea": gettext_lazy("Note an idea: {argument}"),
    "webhook": gettext_lazy("Tell the program behind {argument}"),
    "escalate": gettext_lazy("Step “{argument}” of the ladder"),
    "acknowledge": gettext_lazy("Send the automatic acknowledgement"),
    "ignore": gettext_lazy("Ignore this person"),
    "boost": gettext_lazy("Share their post"),
    "like": gettext_lazy("Like their post"),
    "follow": gettext_lazy("Follow them"),
    "survey": gettext_lazy("Put a link to the survey {argument} into my draft"),
    "tag": gettext_lazy("Tag it {argument}"),
    "skill": gettext_lazy("Ask for somebody good at {argument}"),
}
_ICONS = {
    "basket": "folder-input", "person": "user-plus", "priority": "arrow-up", "quarantine": "shield-alert",
    "draft": "message-square-text", "note": "sticky-note", "notify": "bell", "task": "calendar", "ticket": "tag",
    "idea": "star", "webhook": "plug", "escalate": "activity", "acknowledge": "bot", "ignore": "eye-off",
    "boost": "repeat-2", "like": "heart", "follow": "user-plus", "survey": "circle-help",
}  # fmt: skip
#: done by a person on the network, where it takes it from nobody else: taking the proposal notes who did it
BY_HAND = frozenset({"boost", "like", "follow"})
_STATES = {
    "noted": gettext_lazy("only observed"),
    "proposed": gettext_lazy("proposed"),
    "taken": gettext_lazy("taken"),
    "dismissed": gettext_lazy("dismissed"),
    "done": gettext_lazy("done"),
    "refused": gettext_lazy("refused"),
}


@register.filter
def effect_says(effect: RuleEffect) -> str:
    """ "Move to praise"."""
    if effect.verb == "task":
        asked = read_task(effect.argument)
        if asked.within is None:
            return _("Task: %(title)s") % {"title": asked.title}
        when = effect.argument.partition(":")[0].removeprefix("within ").strip()
        return _("Task within %(time)s: %(title)s") % {"time": when, "title": asked.title}
    if effect.verb == "person" and effect.argument == "known":
        return _("Give it to whoever knows them")
    return str(_WORDS.get(effect.verb, effect.verb)).replace("{argument}", effect.argument)


@register.filter
def effect_icon(effect: RuleEffect) -> str:
    """The icon of its verb."""
    return _ICONS.get(effect.verb, "workflow")


@register.filter
def effect_state(effect: RuleEffect) -> str:
    """ "refused"."""
    return str(_STATES.get(effect.state, effect.state))


@register.filter
def is_by_hand(effect: RuleEffect) -> bool:
    """Whether a person does it on the network, and says here that it is done."""
    return effect.verb in BY_HAND and not is_done_here(effect)
