"""Personal data out of a text before it leaves the house, and back into what comes home.

"Ann (ann@example.org), order 4711-0815" -> "[NAME_1] ([MAIL_1]), order [NUMBER_1]", and `show` turns it round. Names
are those that the caller knows (of the people in the conversation); the rest is found by its form: addresses of mail
and of the web, handles, IBANs, codes of letters and digits, and numbers of four digits or more, as phones and orders
have them. Never perfect: a name that nobody told, a street, an illness pass. The page that turns a service on says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

#: kinds in the order in which they are looked for; LITERAL: what looked like one of our marks before
_FORMS: tuple[tuple[str, str], ...] = (
    ("LITERAL", r"\[[A-Z]+_[0-9]+\]"),
    ("MAIL", r"[^\s<>()\[\]{}@＠,;:\"]+[@＠][^\s<>()\[\]{}@＠,;:\"]*[^\W_]\.[^\W\d_]{2,}"),
    ("LINK", r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"]+"),
    ("HANDLE", r"[@＠][\w.-]*\w(?:[@＠][\w.-]*\w)?"),
    (
        "IBAN",
        r"(?<!\w)[a-z]{2}[0-9]{2}(?:[ -]?[a-z]{4})?(?:[ -]?(?=[a-z]{0,3}[0-9])[a-z0-9]{1,4}){2,8}(?!\w)",
    ),
    ("NUMBER", r"(?<!\w)\+?\(?\d(?:[\s()./-]{0,3}\d){3,}(?!\w)"),
    (
        "CODE",
        r"(?<!\w)(?=[^\W\d]*\d)(?=\d*[^\W\d])\w(?:[\w-]*\w)?(?<=\w{4})(?!\w)|(?<!\w)(?=[^\W\d]*\d)[\w-]{6,}(?!\w)",
    ),
)
_MARK = re.compile(r"\[[A-Z]+_[0-9]+\]")
#: a name of two letters is many a word
_LEAST_NAME = 3


class Mask:
    """Hides and shows the same things by the same marks, over all texts of one conversation."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names`: display names and handles of those who speak or are spoken of; each word of a name is one too."""
        whole = {" ".join(name.split()) for name in names}
        parts = {word.strip(".,;:!?()[]\"'’") for name in whole for word in name.split()}
        told = {each for each in whole | parts if len(each) >= _LEAST_NAME}
        known = sorted(told, key=lambda each: (-len(each), each))
        forms = [f"(?P<{kind}>{form})" for kind, form in _FORMS]
        if known:
            # a first name that is known may bring a last name that is not
            listed = "|".join(re.escape(each).replace(r"\ ", r"\s+") for each in known)
            forms.insert(4, rf"(?P<NAME>(?<!\w)(?:{listed})(?!\w)(?-i:\s[A-Z][a-z]+(?!\w))?)")
        self._forms = re.compile("|".join(forms), re.IGNORECASE)
        self._marks: dict[tuple[str, str], str] = {}
        self._hidden: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """`text` with a mark in place of everything personal that is known or has the form of it."""
        return self._forms.sub(self._mark_of, text)

    def show(self, text: str, kinds: Collection[str] = ()) -> str:
        """`text` with what each mark stands for; a mark that was never given stays as it is.

        `kinds`: only marks of these are given back; any other mark becomes "…".
        """

        def stands_for(found: re.Match[str]) -> str:
            if kinds and found[0][1:].partition("_")[0] not in kinds:
                return "…"
            return self._hidden.get(found[0], "…" if kinds else found[0])

        return _MARK.sub(stands_for, text)

    def unknown(self, text: str) -> list[str]:
        """Marks in `text` that stand for nothing: whoever wrote it made them up."""
        return [mark for mark in _MARK.findall(text) if mark not in self._hidden]

    @property
    def count(self) -> int:
        """How many things are hidden."""
        return len(self._hidden)

    def _mark_of(self, found: re.Match[str]) -> str:
        kind, said = found.lastgroup or "NAME", found[0]
        # the same thing has the same mark, each way of writing it its own: what is shown is what was hidden
        mark = self._marks.get((kind, said))
        if mark is None:
            number = 1 + sum(known == kind for known, _said in self._marks)
            mark = self._marks[kind, said] = f"[{kind}_{number}]"
            self._hidden[mark] = said
        return mark


_NONE_KNOWN = Mask()
_PRIVATE = frozenset({"MAIL", "IBAN", "NUMBER", "CODE"})


def is_personal(text: str) -> bool:
    """Whether a text has something in it that belongs to one person: a mail address, a number, a code."""
    return any(found.lastgroup in _PRIVATE for found in _NONE_KNOWN._forms.finditer(text))
