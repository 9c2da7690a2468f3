"""What a rule can do: the table of actions, the reader of one, and how far each goes by itself."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Literal, get_args

import msgspec

from rapport.core.decision import AUTONOMIES, PRIORITIES, Autonomy
from rapport.core.rules.syntax import SECONDS, Fault, nearest

Verb = Literal[
    "basket", "person", "priority", "skill", "tag", "quarantine", "draft",
    "notify", "note", "task", "ticket", "idea", "escalate", "acknowledge", "webhook",
    "boost", "like", "follow", "survey", "ignore",
]  # fmt: skip
#: nothing; a name of letters, digits and hyphens; a free text; a duration, a colon and a free text
Argument = Literal["none", "name", "person", "priority", "notify", "text", "task"]

#: Characters of a note: the store keeps as many of an argument.
MAX_WORDS = 500
#: Characters of what is to be done in a task, and of the title of a ticket or an idea.
MAX_TITLE = 300
#: How far ahead a rule may set a task.
MAX_AHEAD = dt.timedelta(days=365)


class Form(msgspec.Struct, frozen=True):
    """One line of the table of actions."""

    #: how it is written
    form: str
    meaning: str
    argument: Argument
    #: as far as it ever goes by itself, whatever the rule says
    highest: Autonomy = "act"
    #: it sorts: it makes up the decision itself, where other actions follow from it
    sorts: bool = False
    #: a rule says it once, and the first matching rule wins
    single: bool = False


class Action(msgspec.Struct, frozen=True):
    """One thing that a rule does; `argument` is empty for an action that takes none."""

    verb: Verb
    argument: str
    #: as it stands in the document
    written: str


class Known(msgspec.Struct, frozen=True):
    """The names that exist in a workspace; None: not known, and any may be used."""

    baskets: Collection[str] | None = None
    #: addresses of colleagues
    people: Collection[str] | None = None
    webhooks: Collection[str] | None = None
    #: slugs of the prepared replies
    replies: Collection[str] | None = None
    #: slugs of the surveys
    surveys: Collection[str] | None = None

    def of(self, verb: Verb) -> tuple[str, Collection[str] | None]:
        """What the argument of a verb names ("basket"), and which of these there are."""
        match verb:
            case "basket":
                return "basket", self.baskets
            case "person" | "notify":
                return "colleague", self.people
            case "webhook":
                return "webhook", self.webhooks
            case "draft":
                return "prepared reply", self.replies
            case "survey":
                return "survey", self.surveys
        return "", None


#: In the order of the reference page.
ACTIONS: dict[Verb, Form] = {
    "basket": Form(
        "basket:SLUG", "put the conversation into this basket; the first rule that names one wins", "name",
        sorts=True, single=True,
    ),
    "person": Form(
        "person:ADDRESS", "give it to this colleague, or with `person:known` to whoever knows the author; the first "
        "rule wins; somebody who is away or has no room is passed over", "person", sorts=True, single=True,
    ),
    "priority": Form(
        f"priority:{'|'.join(PRIORITIES)}",
        "how soon it should be answered; the first rule that names one wins; medium when none does", "priority",
        sorts=True, single=True,
    ),
    "skill": Form(
        "skill:NAME", "whoever takes it should be good at this; every matching rule adds to it", "name", sorts=True
    ),
    "tag": Form("tag:NAME", "put a tag on it; every matching rule adds to it", "name", sorts=True),
    "quarantine": Form(
        "quarantine", "keep it out of sight on the quarantine page; nothing is ever deleted", "none", sorts=True
    ),
    "draft": Form(
        "draft:SLUG", "prepare an answer from this prepared reply for a person to edit and send; the first rule wins",
        "name", "draft", sorts=True, single=True,
    ),
    "notify": Form("notify:NAME", "tell this group, or the colleague with this address", "notify"),
    "note": Form("note:TEXT", "leave a note for colleagues on the conversation", "text"),
    "task": Form("task:DURATION:TEXT", "a task that is due after this time: `task:2 days:Call them back`", "task"),
    "ticket": Form("ticket:TITLE", "open a ticket for the conversation", "text"),
    "idea": Form("idea:TITLE", "note an idea for the product that the conversation speaks for", "text"),
    "escalate": Form("escalate:STEP", "the person has reached this step of the escalation ladder", "name"),
    "acknowledge": Form(
        "acknowledge", "send the automatic acknowledgement, where an administrator has turned it on; once in a "
        "conversation", "none",
    ),
    "webhook": Form("webhook:SLUG", "tell another program of the conversation", "name"),
    "boost": Form("boost", "propose to share the post", "none", "draft"),
    "like": Form("like", "propose to like the post", "none", "draft"),
    "follow": Form("follow", "propose to follow the author", "none", "draft"),
    "survey": Form("survey:SLUG", "prepare an invitation to this survey for a person to send", "name", "draft"),
    "ignore": Form("ignore", "propose to ignore the person from now on", "none", "suggest"),
}  # fmt: skip
assert set(ACTIONS) == set(get_args(Verb))

#: Set by the evaluator on a post for which a rule broke, so that it can be found.
ERROR_TAG = "rule-error"

_NAME = re.compile(r"[\w][\w.-]{0,62}\Z")
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}\Z")
_DURATION = re.compile(r"([0-9]{1,4}) ?(minute|hour|day|week)s?")


def level_of(verb: Verb, autonomy: Autonomy) -> Autonomy:
    """How far this action of a rule with this autonomy goes: the lower of the two."""
    return min(autonomy, ACTIONS[verb].highest, key=AUTONOMIES.index)


def takes_effect(autonomy: Autonomy) -> bool:
    """Whether a rule of this autonomy sorts by itself: what it makes ready stands on a sorted conversation."""
    return autonomy in ("draft", "act")


def read_action(written: str, known: Known) -> Action:
    """ "priority:high" -> its `Action`. Raises `Fault` (offsets within `written`) for anything unknown."""
    verb, colon, argument = written.partition(":")
    if verb not in ACTIONS:
        guess = nearest(verb, ACTIONS)
        raise Fault(f"there is no action {verb[:60]!r}", 0, ACTIONS[guess].form if guess else "")  # type: ignore[index]
    form = ACTIONS[verb]
    start = len(verb) + 1
    if form.argument == "none":
        if colon:
            raise Fault(f"{verb} takes no argument", len(verb), form.form)
    elif not argument:
        raise Fault(f"{verb} needs an argument", len(verb), form.form)
    else:
        argument = _read_argument(verb, argument, start, known)
    return Action(verb=verb, argument=argument, written=written)


def _read_argument(verb: Verb, argument: str, start: int, known: Known) -> str:
    form = ACTIONS[verb]
    match form.argument:
        case "priority":
            if argument not in PRIORITIES:
                raise Fault(f"there is no priority {argument[:60]}", start, nearest(argument, PRIORITIES) or form.form)
        case "person":
            if argument != "known":
                _check_address(verb, argument, start, known)
        case "notify":
            if "@" in argument:
                _check_address(verb, argument, start, known)
            else:
                _check_name(argument, start)
        case "text":
            return _words(argument, start, MAX_TITLE if verb in ("ticket", "idea") else MAX_WORDS)
        case "task":
            return _task(argument, start)
        case _:
            _check_name(argument, start)
            what, there = known.of(verb)
            if there is not None and argument not in there:
                raise Fault(f"there is no {what} {argument}", start, nearest(argument, there))
    return argument


def _check_name(argument: str, start: int) -> None:
    if not _NAME.match(argument):
        raise Fault(f"{argument[:60]!r} is no name: letters, digits, hyphens, at most 63", start)


def _check_address(verb: Verb, argument: str, start: int, known: Known) -> None:
    if not _ADDRESS.match(argument) or not argument.isprintable():
        raise Fault(f"{argument[:60]!r} is no address of a colleague", start, ACTIONS[verb].form)
    _, there = known.of(verb)
    if there is not None and argument.casefold() not in {address.casefold() for address in there}:
        raise Fault(f"there is no colleague {argument[:60]}", start, nearest(argument, there))


def _words(argument: str, start: int, most: int) -> str:
    words = argument.strip()
    if not words:
        raise Fault("the text is empty", start)
    if len(words) > most:
        raise Fault(f"the text has {len(words):,} characters; at most {most} are kept", start)
    # a tab or a control character in it is a slip, and it would stand in front of people
    broken = next((at for at, letter in enumerate(argument) if not letter.isprintable()), None)
    if broken is not None:
        raise Fault("the text is one line without control characters", start + broken)
    return words


def _task(argument: str, start: int) -> str:
    form = ACTIONS["task"].form
    duration, colon, text = argument.partition(":")
    found = _DURATION.fullmatch(duration.strip())
    if found is None:
        raise Fault(f"{duration[:60]!r} is no time from now", start, "task:2 days:Call them back")
    ahead = dt.timedelta(seconds=int(found[1]) * SECONDS[found[2]])
    if not dt.timedelta(0) < ahead <= MAX_AHEAD:
        raise Fault(f"a task is due after now and within {MAX_AHEAD.days} days", start, "2 days")
    if not colon:
        raise Fault("a task needs its text", start + len(argument), form)
    return f"{duration.strip()}:{_words(text, start + len(duration) + 1, MAX_TITLE)}"
