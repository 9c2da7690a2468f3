"""Prepared replies: a template with names filled in becomes a draft that a person edits and sends.

What a stranger calls themselves goes into our mouth here, so a display name is stripped of everything that could be
more than a name: mentions, links, markup, line breaks, invisible and reordering characters.
"""

from __future__ import annotations

import difflib
import re
import unicodedata

from rapport.core.errors import InvalidInput
from rapport.core.reply import Draft

#: What can stand in braces, and what it becomes.
PLACEHOLDERS = {
    "first_name": "the first word of the person's name; left out with the blank before it when they have none",
    "handle": "the person's handle with its @",
    "agent": "the name of the colleague who writes",
    "brand": "the name of the workspace",
}

#: Characters of a name that are used.
MAX_NAME = 40

_PLACEHOLDER = re.compile(r"\{([^{}\n]{0,80})\}")
_LINK = re.compile(r"\w+:\S*|www\.\S*|\S+/\S*|[^\s.。]+(?:[.。][^\s.。]{2,})+", re.IGNORECASE)
#: the server of a Matrix id, which stands behind a colon
_MATRIX = r":(?:[\w-]+\.)+[\w-]*\w(?::\d{1,5})?"
_HANDLE = re.compile(rf"@?\w(?:[\w.-]*\w)?(?:@[\w.-]+\w)?\Z|\w(?:[\w.=+-]*\w)?{_MATRIX}\Z")


def check_template(template: str) -> None:
    """Raises `InvalidInput` with the place of the first placeholder that does not exist."""
    for found in _PLACEHOLDER.finditer(template):
        name = found[1].strip()
        if name in PLACEHOLDERS:
            continue
        near = difflib.get_close_matches(name, PLACEHOLDERS, n=1)
        hint = (
            f"did you mean {{{near[0]}}}?" if near else f"there are {', '.join(f'{{{one}}}' for one in PLACEHOLDERS)}"
        )
        before = template[: found.start()]
        line, column = before.count("\n") + 1, found.start() - before.rfind("\n")
        raise InvalidInput(f"line {line}, column {column}: there is no placeholder {found[0]}; {hint}")


def prepare(template: str, *, name: str = "", handle: str = "", agent: str = "", brand: str = "") -> str:
    """Fill a template. `name` is the person's display name, `handle` theirs without @.

    Values are put in once and never read as templates themselves. Raises `InvalidInput` as `check_template` does.
    """
    check_template(template)
    values = {
        "first_name": first_name(name),
        "handle": _safe_handle(handle),
        "agent": _one_line(agent),
        "brand": _one_line(brand),
    }

    def fill(found: re.Match[str]) -> str:
        key = found[1].strip()
        value = values[key]
        if key == "handle" and found.start() and template[found.start() - 1] == "@":
            value = value.removeprefix("@")
        return value or _ABSENT

    return _close_gaps(_PLACEHOLDER.sub(fill, template.replace(_ABSENT, "")))


def first_name(display_name: str) -> str:
    """The first word of a display name that is safe to repeat; "" when nothing of it is.

    "Ann Lee 🌈" -> "Ann"; "@boss https://evil.example" -> ""; "Dr. Ann" -> "Ann".
    """
    for word in _LINK.sub(" ", _visible(display_name)).split():
        if "@" in word or "#" in word or any(letter.isdigit() for letter in word):
            continue
        letters = "".join(letter for letter in word if _belongs_to_a_name(letter)).strip("-'’")[:MAX_NAME]
        if any(letter.isalpha() for letter in letters) and letters.lower() not in _TITLES:
            return letters
    return ""


def is_stale(draft: Draft, newest_inbound_id: str | None) -> bool:
    """Has the conversation moved on since the draft was made? `newest_inbound_id`: their newest post, if any."""
    return newest_inbound_id is not None and draft.based_on != newest_inbound_id


def retell(text: str, *, was_name: str = "", was_handle: str = "", name: str = "", handle: str = "") -> str:
    """An answer that went to one person, as the beginning of one to another: handles, name and signature changed.

    `was_name`, `was_handle`: of whom it went to; `name`, `handle`: of whom it is for, without @. What else it says of
    the first one stays: the person who takes it up reads it.
    """
    told = _LEADING_HANDLES.sub("", text.replace(_ABSENT, ""))
    told = _SIGNATURE.sub("", told).rstrip()
    first, new = first_name(was_name), first_name(name)
    if was_handle:
        bare = re.escape(was_handle.lstrip("@").partition("@")[0])
        new_handle = _safe_handle(handle) or _ABSENT
        told = re.sub(rf"@{bare}(?:@[\w.-]*\w)?(?!\w)", lambda _found: new_handle, told, flags=re.IGNORECASE)
    if first:
        told = re.sub(rf"(?<!\w){re.escape(first)}(?!\w)", lambda _found: new or _ABSENT, told, flags=re.IGNORECASE)
    return _close_gaps(told)


def distance(before: str, after: str) -> float:
    """Which share of the words changed, 0 (none) to 1 (all): the least number of words that have to be put in, taken
    out or replaced (Levenshtein, 1966), over the words of the longer text; case and blanks change nothing. Of long
    texts the first 400 words are compared.
    """
    one, other = (text.casefold().split()[:400] for text in (before, after))
    if not one or not other:
        return float(one != other)
    row = list(range(len(other) + 1))
    for at, word in enumerate(one, 1):
        corner, row[0] = row[0], at
        for place, said in enumerate(other, 1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (word != said))
    return row[-1] / max(len(one), len(other))


#: handles that an answer begins with, and the initials that a colleague ends it with: "^BW", "/Ben", "- BW"
_LEADING_HANDLES = re.compile(rf"\A(?:\s*@[\w.=+-]*\w(?:@[\w.-]*\w|{_MATRIX})?)+[\s,:]*")
_SIGNATURE = re.compile(r"(?<!\s)\s+(?:[\^/*~]\s?[^\W\d_]{1,12}|[-\u2013]\s?[A-Z]{2,3})\s*\Z")
_ABSENT = "\x00"  # stands for a value that is missing until the gap around it is closed
_TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "mx", "sir", "herr", "frau", "m", "mme", "sr", "sra"})


def _belongs_to_a_name(letter: str) -> bool:
    return letter in "-'’" or unicodedata.category(letter)[0] in "LM"


def _visible(text: str) -> str:
    """Without control characters, invisible ones and those that turn the direction of writing."""
    plain = unicodedata.normalize("NFKC", text[:500])
    return "".join(" " if letter.isspace() else letter for letter in plain if _is_plain(letter))


def _is_plain(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs", "Cn")


def _one_line(text: str) -> str:
    return " ".join(_visible(text).split())[:200]


def _safe_handle(handle: str) -> str:
    bare = handle.strip().lstrip("@")
    return f"@{bare}" if bare and len(bare) <= 200 and _HANDLE.match(bare) else ""


def _close_gaps(text: str) -> str:
    """ "Hello \\0, good" -> "Hello, good"; "sorry, \\0, that" -> "sorry, that"; "\\0, hello" -> "hello"."""
    text = re.sub(r",[ \t]*\x00(?=[ \t]*[,.!?])", "", text)
    text = re.sub(r"(?m)^[ \t]*\x00[ \t]*,?[ \t]*", "", text)
    return re.sub(r"[ \t]*\x00", "", text)
