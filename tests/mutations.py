"""Hostile payloads: documented ones with values anywhere in them replaced, removed, repeated or nested."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

_SURROGATES = st.sampled_from(["\x00", "\ud800", "a\x00b", "😀" * 600, "x" * 5_000, "", " ", "\u202egpj"])
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**63, 2**200, 10**400, 1e308, -1e308, float("nan"), float("inf")]),
    st.text(max_size=20),
    _SURROGATES,
    st.sampled_from(["9999-99-99T00:00:00Z", "0001-01-01T00:00:00+14:00", "99999999999999999999", "-1", "1e9", "NaN"]),
    st.lists(st.none(), max_size=2),
    st.just({}),
    st.just([[[[[[]]]]]]),
    st.dictionaries(st.sampled_from(["id", "data", "from", "snippet", "message"]), st.none(), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in a JSON value, but for the value itself."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, inner in steps for place in ((*path, step), *places(inner, (*path, step)))]


@st.composite
def mutated(draw: st.DrawFn, payload: Any) -> Any:
    """The payload with one to four places changed."""
    changed = copy.deepcopy(payload)
    for _ in range(draw(st.integers(1, 4))):
        paths = places(changed)
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        how = draw(st.sampled_from(["replace", "replace", "remove", "nest"]))
        if how == "remove":
            del holder[path[-1]]
        elif how == "nest":
            holder[path[-1]] = [copy.deepcopy(holder[path[-1]])]
        else:
            holder[path[-1]] = copy.deepcopy(draw(_ODD))  # st.just hands out one and the same object
    return changed
