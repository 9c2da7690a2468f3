"""The pages of the help, which ship with the package (docs/help, howto, reference), and which helps on which page.

docs/help is there in every language of the desk (docs/help/de); the how-tos and the reference are in English.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from django.urls import reverse
from django.utils.safestring import SafeString

from rapport.web.help.markdown import render, title_of

#: folder -> what stands before the name of its pages in an address
FOLDERS = {"help": "", "howto": "howto-", "reference": "reference-"}
INDEX = "index"
#: the language of what lies in a folder itself; other languages lie in folders below it, named by their code
ENGLISH = "en"
#: of the reference, what people of a desk ask for
_REFERENCE = frozenset(
    (
        "commands", "guard", "http", "import", "networks", "query-language", "readings", "rules", "score", "settings",
        "voice",
    )
)  # fmt: skip
#: Below /w/SLUG/, from the most exact on: an expression that the path begins with -> its help.
AREAS: tuple[tuple[str, str], ...] = (
    (r"settings/channels/connect/(?P<network>[a-z_-]+)/", "howto-connect-{network}"),
    (r"settings/baskets/", "howto-baskets"),
    (r"settings/rules/(?:edit|packs|rule|list)", "howto-edit-rules"),
    (r"settings/rules/", "howto-rules"),
    (r"settings/topics/", "reference-query-language"),
    (r"settings/score/", "howto-weigh-the-score"),
    (r"settings/readings/", "howto-teach-rapport"),
    (r"settings/corrections/", "howto-correct-readings"),
    (r"settings/(?:replies|drafting)/", "writing"),
    (r"settings/(?:articles|allowances|surveys)/", "offers"),
    (r"settings/steps/", "tasks"),
    (r"settings/people/", "people"),
    (r"settings/(?:team|absences)/", "team"),
    (r"settings/approvals/", "approvals"),
    (r"settings/webhooks/", "howto-receive-webhooks"),
    (r"settings/audit/", "record"),
    (r"settings/", "settings"),
    (r"people/\d+/data/", "howto-person-data"),
    (r"person-jobs/", "howto-person-data"),
    (r"people/", "people"),
    (r"c/", "conversation"),
    (r"(?:b|lists|views)/|search/|$", "inbox"),
    (r"drafts/", "writing"),
    (r"tasks/", "tasks"),
    (r"approvals/", "approvals"),
    (r"(?:notices|named)/", "notices"),
    (r"offers/", "offers"),
    (r"campaigns/", "campaigns"),
    (r"posts/", "posts"),
    (r"hold/", "hold"),
    (r"quarantine/", "quarantine"),
    (r"promises/", "promises"),
    (r"(?:ledger|same-words)/", "record"),
    (r"palette/", "keys"),
)
#: outside of the workspaces
OWN = re.compile(r"/(?:me|account|sign-in)/")


class Page(NamedTuple):
    """One page of the help."""

    #: name in its address
    name: str
    title: str
    text: str
    folder: str
    #: of its words
    language: str = ENGLISH


@lru_cache(maxsize=8)
def pages(language: str = ENGLISH) -> dict[str, Page]:
    """Every page, by name: in this language where it is written in it, else in English.

    Read once: they change with the package.
    """
    found = {}
    for folder, before in FOLDERS.items():
        place = resources.files("rapport.web.help").joinpath("pages", folder)
        spoken = [(ENGLISH, place)] if language == ENGLISH else [(ENGLISH, place), (language, place / language)]
        for spoken_in, where in spoken:
            if not where.is_dir():
                continue
            for file in where.iterdir():
                stem = file.name.removesuffix(".md")
                if stem == file.name or (folder == "reference" and stem not in _REFERENCE):
                    continue
                text = file.read_text(encoding="utf-8")
                found[before + stem] = Page(before + stem, title_of(text), text, folder, spoken_in)
    return found


def page_for(path: str) -> str:
    """The name of the page that helps on the page at `path`; the index where none does."""
    if OWN.match(path):
        return "profile"
    inside = re.fullmatch(r"/w/[^/]+/(.*)", path)
    if inside is None:
        return INDEX
    for begins, name in AREAS:
        if (found := re.match(begins, inside[1])) is not None:
            chosen = name.format(**found.groupdict())
            return chosen if chosen in pages() else "settings"
    return INDEX


def shown(page: Page) -> SafeString:
    """The page as HTML, its links leading to pages of the help."""
    return render(page.text, lambda link: _lead(page, link))


def _lead(page: Page, link: str) -> str:
    """Where a link of a document leads at the desk; "" for documents that do not ship."""
    if re.match(r"https?:", link):
        return link
    path, _, anchor = link.partition("#")
    target = f"#{anchor}" if anchor else ""
    if not path:
        return target
    parts = [part for part in path.split("/") if part not in {".", ".."}]
    folder = parts[-2] if len(parts) > 1 else (page.folder if not path.startswith("..") else "")
    name = FOLDERS.get(folder, "\0") + parts[-1].removesuffix(".md")
    return reverse("help_page", kwargs={"page": name}) + target if name in pages() else ""
