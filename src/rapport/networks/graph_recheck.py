"""Looking at comments and posts again by id, for Facebook and Instagram.

`?ids=` answers for fifty at once, or refuses all of them when one cannot be read; then the list is halved until the one
is found. Of an object that is gone Meta says the same (error 100, subcode 33) as of one that a right is missing for. So
nothing is called deleted before something else, which needs the same rights, could be read at the same time (`proof`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from rapport.core.errors import GiveUp
from rapport.networks.graph import Graph, NoObject
from rapport.networks.payload import name_of

MOST = 50
WITHIN = 86_400.0  # seconds
_MOST_REQUESTS = 60  # of one look; what is not settled by then waits for the next one
_OURS = re.compile(r"[0-9]{1,40}(?:_[0-9]{1,40})?")


def is_object(identifier: str) -> bool:
    """Whether this can be asked for with `?ids=`: numbers, one or two."""
    return _OURS.fullmatch(identifier) is not None


def read_objects(graph: Graph, ids: list[str], fields: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """(Those that are there; those that Meta does not show us, for whatever reason). Some may be in neither.

    Raises any `NetworkError` but `Unconfirmed` and `GiveUp`.
    """
    found: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    waiting = [ids] if ids else []
    while waiting and graph.asked < _MOST_REQUESTS:
        part = waiting.pop(0)
        try:
            answer = graph.read("", {"ids": ",".join(part), "fields": fields})
        except GiveUp as error:
            if len(part) > 1:
                middle = len(part) // 2
                waiting += [part[:middle], part[middle:]]
            elif isinstance(error, NoObject):
                missing += part
            continue
        there = {each: item for each in part if isinstance(item := answer.get(each), dict) and name_of(item, "id")}
        found |= there
        left = [each for each in part if each not in there]
        if len(part) > 1:
            waiting += [[each] for each in left]  # alone each is told the reason
    return found, missing


def is_readable(graph: Graph, path: str, params: Mapping[str, str]) -> Callable[[], bool]:
    """A question that Meta answers only where the rights hold, asked once and when it is needed."""
    answers: list[bool] = []

    def ask() -> bool:
        if not answers:
            try:
                answers.append(isinstance(graph.read(path, params).get("data"), list))
            except GiveUp:
                answers.append(False)
        return answers[0]

    return ask
