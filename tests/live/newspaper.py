"""A newspaper with a feed: three stories, and then a fourth, a corrected one and one that is taken back."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from feed_site import Site, entry
from live.house import House, wait_until
from live.places import POLL, SOON

EVERY = 60.0  # seconds between two looks at a feed: the shortest that an admin can choose
#: asked just before it changed, then a tenth later than usual, then the account was looked at just before that
LATEST = EVERY * 1.1 + POLL + SOON
_TAKEN_BACK = (
    '<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" '
    'ref="tag:parcel.example,2026:2" when="2026-11-21T11:00:00Z"/>'
)


@dataclass
class Newspaper:
    site: Site
    #: set when nobody waits for it any more
    stop: threading.Event = field(default_factory=threading.Event)

    def connect(self, house: House) -> None:
        address = self.site.feed("/news.xml", *(entry(number) for number in (3, 2, 1)))
        channel = house.connect("feeds", feeds=address)
        house.change_settings(channel, every="1")

    def go_on(self, house: House) -> dict[str, float]:
        """Step -> seconds from the moment at which the site served it until the desk showed it."""
        wait_until(lambda: all(house.count("feeds", f"Words of story {number}") == 1 for number in (1, 2, 3)))
        corrected = entry(1, "The corrected words.")
        self.site.feed("/news.xml", entry(4), entry(3), _TAKEN_BACK, corrected)
        began = time.monotonic()
        steps = {
            "word": lambda: house.count("feeds", "Words of story 4") == 1,
            "edit": lambda: house.count("feeds", "corrected words") == 1,
            "deletion": lambda: house.count("feeds", "Words of story 2") == 0,
        }
        took: dict[str, float] = {}
        while len(took) < len(steps) and time.monotonic() - began < LATEST + 5 and not self.stop.is_set():
            took |= {name: time.monotonic() - began for name, check in steps.items() if name not in took and check()}
            time.sleep(1.0)
        return took
