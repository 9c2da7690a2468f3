"""What ships, in the language in force: names of baskets, rules and prepared replies, tags, the words of packs.

It is said once, when it is made; afterwards it belongs to the team, and nothing rewrites it.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import pgettext

from rapport.core.rules.pack import Pack
from rapport.core.rules.spoken import spoken_pack

#: gettext context of all of it, as tests/messages.py writes it
CONTEXT = "shipped"


def say_shipped(words: str) -> str:
    """Words that ship, in the language in force."""
    return pgettext(CONTEXT, words)


def say_pack(pack: Pack) -> Pack:
    """A starter pack in the language in force."""
    return spoken_pack(pack, say_shipped)


def names_of_pack(pack: Pack) -> set[str]:
    """What the group of a pack is called in each language of the desk: somebody else may have added it."""
    names = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            names.add(say_shipped(pack.name))
    return names
