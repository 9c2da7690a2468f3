"""Conditions of `fields` and `raw:` by which queries hang, held against a post all at once.

Authors, hosts, networks, kinds and languages are looked up; comparisons are kept sorted; exact characters are sought
together. So their number does not matter, only how many of them hold.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from functools import lru_cache
from math import isnan

from rapport.core.query.fields import NUMBERS, Compare, Flag, Has, host_and_path
from rapport.core.query.keys import ANY, AUTHOR, HOST, RAW, condition_of
from rapport.core.query.needles import Needles
from rapport.core.query.nodes import Node
from rapport.core.query.view import View
from rapport.core.text import fold


class Conditions:
    """The conditions in use, each as often as it was added."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._hosts = 0
        self._raw = Needles()
        #: key -> presence or flag to be asked
        self._asked: dict[str, Node] = {}
        #: field and sign -> numbers and keys, ascending
        self._sorted: dict[tuple[str, str], list[tuple[float, str]]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: str) -> None:
        """Look for this key (see `keys`; no wildcard), too."""
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] > 1:
            return
        if key.startswith(RAW):
            self._raw.add(key[len(RAW) :])
        elif key.startswith(HOST):
            self._hosts += 1
        match condition_of(key):
            case Has() | Flag() as node:
                self._asked[key] = node
            case Compare() as node:
                insort(self._sorted.setdefault((node.field, node.sign), []), (node.number, key))

    def remove(self, key: str) -> None:
        """Take back one `add`."""
        self._counts[key] -= 1
        if self._counts[key]:
            return
        del self._counts[key]
        if key.startswith(RAW):
            self._raw.remove(key[len(RAW) :])
        elif key.startswith(HOST):
            self._hosts -= 1
        match condition_of(key):
            case Has() | Flag():
                del self._asked[key]
            case Compare() as node:
                among = self._sorted[node.field, node.sign]
                del among[bisect_left(among, (node.number, key))]
                if not among:
                    del self._sorted[node.field, node.sign]

    def keys_of(self, view: View) -> list[str]:
        """The keys that hold for a post; also some that nobody looks for."""
        post = view.post
        keys = [
            ANY,
            *_keys_of_author(post.author.handle, post.author.id),
            " network:" + post.network.lower(),
            " kind:" + post.kind,
        ]
        if post.lang:
            keys += _keys_of_language(post.lang)
        if self._raw:
            keys += [RAW + text for text in self._raw.found_in(post.text)]
        if self._hosts:
            keys += [HOST + host for address in view.addresses for host in _hosts_above(address)]
        keys += [key for key, node in self._asked.items() if node.holds(view)]
        for (field, sign), among in self._sorted.items():
            value = NUMBERS[field](post)
            if value is not None and not isnan(value):
                keys += [key for _, key in _holding(among, sign, value)]
        return keys


def _holding(among: list[tuple[float, str]], sign: str, value: float) -> list[tuple[float, str]]:
    """The numbers to which `value` compares as `sign` says."""
    below = bisect_left(among, (value,))
    up_to = bisect_right(among, value, key=lambda entry: entry[0])
    match sign:
        case ">=":
            return among[:up_to]
        case ">":
            return among[:below]
        case "<=":
            return among[below:]
        case "<":
            return among[up_to:]
        case _:
            return among[below:up_to]


@lru_cache(maxsize=1 << 13)
def _keys_of_author(handle: str, id_: str) -> tuple[str, ...]:
    folded = fold(handle)
    return AUTHOR + folded, AUTHOR + folded.partition("@")[0], AUTHOR + fold(id_)


@lru_cache(maxsize=1 << 8)
def _keys_of_language(lang: str) -> tuple[str, ...]:
    """en-GB is en-gb and en."""
    tag = lang.lower().replace("_", "-")
    cuts = [at for at, character in enumerate(tag) if character == "-"]
    return tuple(" lang:" + tag[:cut] for cut in [*cuts, len(tag)])


def _hosts_above(address: str) -> Iterator[str]:
    """The host of an address, and every one that it lies below."""
    host, _ = host_and_path(address)
    while host:
        yield host
        host = host.partition(".")[2]
