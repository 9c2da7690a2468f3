"""The form of a topic: its name, the text of its query, the boxes that stand beside the text, the list that hides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, get_args

import msgspec
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from rapport.core.errors import InvalidQuery
from rapport.core.outline import BeyondForm, NearPair, Parts, compose, parts_of, split_box
from rapport.core.post import Kind
from rapport.core.query import parse
from rapport.web.forms import ExactForm, number
from rapport.web.templatetags.desk_words import network_name

KINDS = {
    "post": gettext_lazy("posts"),
    "reply": gettext_lazy("replies"),
    "repost": gettext_lazy("reposts"),
    "quote": gettext_lazy("quotes"),
    "review": gettext_lazy("reviews"),
    "message": gettext_lazy("direct messages"),
    "comment": gettext_lazy("comments"),
    "topic": gettext_lazy("forum topics"),
    "mail": gettext_lazy("mail"),
}
#: how far apart two words may stand, at first
DISTANCE = 5
_BARE = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false", "autocomplete": "off", "dir": "auto"}


def _line(label: Any, hint: Any = "", **attributes: str) -> forms.CharField:
    widget = forms.TextInput(attrs={**_BARE, **attributes})
    return forms.CharField(label=label, help_text=hint, required=False, max_length=20_000, widget=widget)


def _area(label: Any, hint: Any = "", rows: int = 2, kind: str = "lines", length: int = 20_000) -> forms.CharField:
    widget = forms.Textarea(attrs={**_BARE, "class": kind, "rows": rows})
    return forms.CharField(
        label=label, help_text=hint, required=False, strip=False, max_length=length, widget=widget
    )  # fmt: skip


class TopicForm(ExactForm):
    """Everything that the page of a topic sends. Boxes have names that begin with `b_`."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, required=False, widget=forms.TextInput(attrs={"required": True})
    )
    query = _area(gettext_lazy("Query"), rows=6, kind="query-text")
    active = forms.BooleanField(
        label=gettext_lazy("Listen for it"),
        required=False,
        help_text=gettext_lazy("Turned off, it keeps what it found and finds nothing new."),
    )
    hides = _area(
        gettext_lazy("Lists that hide"),
        gettext_lazy("One query a line. What they match is found and counted, and only folded away from the lists."),
        length=60_000,
    )
    apply = forms.BooleanField(label=gettext_lazy("Also apply to stored posts"), required=False)

    b_every = _line(gettext_lazy("All of these"))
    b_groups = _area(
        gettext_lazy("Any of these"),
        gettext_lazy("One of them will do. On a second line: and one of those, too."),
    )
    b_phrases = _area(gettext_lazy("Exact phrases"), gettext_lazy("One a line, without quotes."), rows=1)
    b_none = _line(
        gettext_lazy("None of these"),
        gettext_lazy("They block: a post with one of them is never found, and not counted."),
    )
    b_left = _line(gettext_lazy("Near each other"))
    b_distance = forms.CharField(
        label=gettext_lazy("at most so many words from"),
        required=False,
        max_length=9,
        widget=forms.NumberInput(attrs={"min": 1, "max": 1000, "placeholder": DISTANCE}),
    )
    b_right = _line(gettext_lazy("this"))
    b_ordered = forms.BooleanField(label=gettext_lazy("in this order"), required=False)
    b_lang = _line(gettext_lazy("Languages"), gettext_lazy("As the network names them: en de"))
    b_network = forms.MultipleChoiceField(
        label=gettext_lazy("Networks"), required=False, widget=forms.CheckboxSelectMultiple
    )
    b_kind = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds"),
        required=False,
        choices=[(kind, KINDS[kind]) for kind in get_args(Kind)],
        widget=forms.CheckboxSelectMultiple,
    )

    #: which side was written on last: "text" or "boxes"
    led = forms.CharField(required=False, max_length=5, widget=forms.HiddenInput)
    #: row id of the topic that a count compares with
    topic = forms.CharField(required=False, max_length=19, widget=forms.HiddenInput)
    #: "without": accounts that look automated are left out of what is shown; kept in the address
    automated = forms.CharField(required=False, max_length=7)
    #: a count that is to go on
    so_far = forms.CharField(required=False, max_length=20_000)
    #: the button: "", "show" or "build"
    do = forms.CharField(required=False, max_length=5)

    def __init__(self, *args: Any, networks: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["b_network"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, network_name(name)) for name in networks]

    @property
    def boxes(self) -> list[forms.BoundField]:
        """The boxes that look alike."""
        return [self[name] for name in ("b_every", "b_groups", "b_phrases", "b_none")]

    def written(self, name: str) -> str:
        """What was typed into a field, with line ends of one character: positions count them so."""
        return str(self.data.get(name, "") if self.is_bound else self.initial.get(name, "")).replace("\r\n", "\n")


def agree(sent: QueryDict, networks: Collection[str]) -> tuple[QueryDict, Boxes]:
    """What was sent, with text and boxes saying the same: what was written on last decides about the other.

    Boxes that cannot show the text, or a text that cannot be read, stay as they are.
    """
    data = sent.copy()
    boxes = Boxes()
    if data.get("do") == "build":
        data["led"] = "boxes"
    if data.get("led") == "boxes":
        typed: dict[str, str | list[str]] = {
            name: data.getlist(name) if name in {"b_network", "b_kind"} else data.get(name, "").replace("\r\n", "\n")
            for name in TopicForm.base_fields
            if name.startswith("b_")
        }
        data["query"] = compose(parts_in(typed))
        return data, boxes
    boxes = boxes_for(data.get("query", "").replace("\r\n", "\n"), networks)
    for name, value in boxes.values.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data, boxes


def parts_in(boxes: Mapping[str, str | list[str]]) -> Parts:
    """What boxes with this content stand for."""

    def typed(name: str) -> str:
        return str(boxes.get(name, ""))

    left, right = split_box(typed("b_left")), split_box(typed("b_right"))
    distance = number(typed("b_distance").strip()) or DISTANCE
    return Parts(
        every=split_box(typed("b_every")),
        groups=tuple(group for line in typed("b_groups").split("\n") if (group := split_box(line))),
        phrases=tuple(phrase for line in typed("b_phrases").split("\n") if (phrase := line.strip(' \t"“”„'))),
        none=split_box(typed("b_none")),
        near=NearPair(left, right, distance, bool(boxes.get("b_ordered"))) if left and right else None,
        languages=tuple(term.lower() for term in split_box(typed("b_lang"))),
        networks=tuple(boxes.get("b_network", ())),
        kinds=tuple(boxes.get("b_kind", ())),
    )


class Boxes(msgspec.Struct, frozen=True):
    """What the boxes are to show for a text."""

    #: name of the field -> its text, or the values that are ticked
    values: dict[str, str | list[str]] = {}
    #: the part of the text that they have no place for; then the text leads
    beyond: str = ""


def boxes_for(query: str, networks: Collection[str]) -> Boxes:
    """The boxes that stand for a query; empty for a text that cannot be read. `networks`: those that can be ticked."""
    try:
        parse(query)
        parts = parts_of(query)
    except BeyondForm as error:
        return Boxes(beyond=query[error.start : error.end] or query)
    except (InvalidQuery, ValueError):
        return Boxes()
    near = parts.near
    values: dict[str, str | list[str]] = {
        "b_every": " ".join(parts.every),
        "b_groups": "\n".join(" ".join(group) for group in parts.groups),
        "b_phrases": "\n".join(parts.phrases),
        "b_none": " ".join(parts.none),
        "b_left": " ".join(near.left) if near else "",
        "b_distance": str(near.distance) if near else "",
        "b_right": " ".join(near.right) if near else "",
        "b_ordered": "on" if near and near.ordered else "",
        "b_lang": " ".join(parts.languages),
        "b_network": list(parts.networks),
        "b_kind": list(parts.kinds),
    }
    # what would come out of the boxes as something else has no place in them: "a,b" is one word in a text
    if not set(parts.networks) <= set(networks) or not set(parts.kinds) <= set(KINDS) or parts_in(values) != parts:
        return Boxes(beyond=query)
    return Boxes(values)


def split_hides(text: str) -> tuple[str, ...]:
    """The list that hides, one query a line; empty lines say nothing."""
    return tuple(line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip())
