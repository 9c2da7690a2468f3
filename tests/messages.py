"""The words of the desk in other languages: finds them, keeps the catalogs, says what is missing.

    python tests/messages.py            finds all strings, merges them into every catalog, compiles, reports
    python tests/messages.py --check    writes nothing; ends with 1 where a catalog is behind or broken

Needs neither xgettext nor msgfmt. Strings come from the templates (Django's own `templatize` reads them) and from calls
of gettext in Python; the sentences that actions raise are found by what they raise, an f-string as a template with a
named place for each value ("There is no basket “%(name)s”."), and are kept with the context "error".
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.utils.translation.template import templatize

from message_files import Entry, compiled, read_po, written
from rapport.core.rules import DEFAULT_BASKETS, default_document
from rapport.core.rules.actions import ACTIONS
from rapport.core.rules.document import GROUP_KEYS, KEYS, TOP_KEYS
from rapport.core.rules.fields import FIELDS
from rapport.core.rules.functions import FUNCTIONS
from rapport.core.rules.pack import PACKS, read_pack
from rapport.core.rules.replies import DEFAULT_REPLIES
from rapport.core.rules.spoken import spoken, spoken_pack

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "rapport"
LOCALE = SOURCE / "web" / "locale"
#: what shows an error at the desk: the templates of their sentences, found here, looked up by web/told.py
ERROR_WORDS = SOURCE / "web" / "error_words.json"
#: whose errors reach the screen as they are
SPEAKING = ("actions", "store/queries", "core")
#: sets of rules to begin with
RULES = SOURCE / "core" / "rules"
ERRORS = {"InvalidInput", "NotAllowed", "Stale", "InvalidWeights"}
ERROR = "error"
#: what is said once, in the language of whoever makes it: actions/shipped.py
SHIPPED = "shipped"
#: what is wrong with a rule or a query, found where the core finds it; web/fault_words.py looks it up
FAULT = "fault"
FAULTY = ("core/rules/", "core/query/", "core/search.py", "store/queries/searching.py", "web/fault_words.py")
#: what networks and connections say: web/network_words.py
NETWORK = "network"
NETWORK_ERRORS = {"RetryLater", "GiveUp", "Reauthorise", "Unconfirmed", "AddressRefused", "InvalidInput"}
#: why a conversation is where it is: web/why_words.py
WHY = "why"
#: name of what raises a fault -> which arguments are words for people
FAULTS = {
    "Fault": (0,), "_fail": (0,), "InvalidRule": (0,), "InvalidQuery": (0, 2), "BadRow": (0,), "TooComplex": (0,),
    "SearchProblem": (1,),
}  # fmt: skip
#: tables and names of these modules whose words stand inside such sentences
TABLES = {"WORDS", "_KINDS", "_EXPECTED"}
PARTS = {"message", "expected", "noun", "reason", "wanted"}
#: name of the function -> which arguments are (context, one, many)
CALLS = {
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "_": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
IN_TEMPLATE = re.compile(rf"\b(gettext|pgettext|ngettext|npgettext|_)\(\s*({STRING}(?:\s*,\s*{STRING})*)", re.DOTALL)
PLACE = re.compile(r"%\(\w+\)[sd]|(?<!%)%[sd]|\{\w*\}")
TAG = re.compile(r"</?[a-z]+[^<>]*>")
#: Paths below src/rapport whose strings need no German yet: part -> why. Empty when the last sweep is done.
NOT_YET: dict[str, str] = {}


@dataclass
class Found:
    """Every string of the source, by (context, one): where it stands and its plural."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    #: two strings that are the same in the singular and differ in the plural: one of them cannot be translated
    clashes: list[str] = field(default_factory=list)

    def add(self, context: str, one: str, many: str, place: str) -> None:
        key = (context, one)
        before = self.entries.get(key)
        if before is None:
            self.entries[key] = Entry(context=context, one=one, many=many, places=(place,))
            return
        if many and before.many and many != before.many:
            self.clashes.append(f"{place}: {one!r} has two plurals")
        places = tuple(dict.fromkeys((*before.places, place)))
        self.entries[key] = replace(before, many=before.many or many, places=places)


def find_all() -> Found:
    """Every string of the source."""
    found = Found()
    for path in sorted(SOURCE.rglob("*")):
        place = path.relative_to(SOURCE).as_posix()
        if path.suffix in {".html", ".txt"} and "templates" in path.parts:
            for context, one, many in in_template(path.read_text(), place):
                found.add(context, one, many, place)
        elif path.suffix == ".py" and "migrations" not in path.parts and path != ERROR_WORDS:
            for context, one, many in in_module(ast.parse(path.read_text()), place):
                found.add(context, one, many, place)
    for place, said in meanings():
        found.add("meaning", said, "", place)
    for place, said in shipped():
        found.add(SHIPPED, said, "", place)
    return found


def in_module(tree: ast.AST, place: str) -> Iterator[tuple[str, str, str]]:
    """(context, one, many) of everything that a module says to people."""
    yield from in_python(tree)
    said = [
        ("", in_network, place.startswith("networks/")),
        (FAULT, faults_said, place.startswith(FAULTY)),
        (ERROR, raised, place.startswith(SPEAKING)),
        (NETWORK, told_by_networks, place.startswith("networks/")),
        (WHY, phrases, place == "web/why_words.py"),
        ("audit", entered, place.startswith(("actions/", "pipeline/"))),
    ]
    for context, find, applies in said:
        if applies:
            yield from ((context, each, "") for each in find(tree))


def meanings() -> Iterator[tuple[str, str]]:
    """(place, words) of what the editor of rules says of everything that can be written in it."""
    yield from (("core/rules/fields.py", field.meaning) for field in FIELDS.values())
    yield from (("core/rules/functions.py", function.meaning) for function in FUNCTIONS.values())
    yield from (("core/rules/actions.py", form.meaning) for form in ACTIONS.values())
    for keys in (KEYS, GROUP_KEYS, TOP_KEYS):
        yield from (("core/rules/document.py", str(row[-1])) for row in keys.values())


def shipped() -> Iterator[tuple[str, str]]:
    """(place, words) of what a new workspace and the starter packs bring."""
    for basket in DEFAULT_BASKETS:
        yield "core/rules/baskets.py", basket.name
    for _slug, name, text in DEFAULT_REPLIES:
        yield from (("core/rules/replies.py", said) for said in (name, text.rstrip(" ")))
    yield "actions/accounts.py", "The rules that ship"
    heard: list[str] = []

    def hear(said: str) -> str:
        heard.append(said)
        return said

    spoken(default_document(), hear)
    yield from (("core/rules/default.toml", said) for said in heard)
    for slug in PACKS:
        heard.clear()
        spoken_pack(read_pack(slug), hear)
        yield from ((f"core/rules/packs/{slug}.toml", said) for said in heard)


def in_network(tree: ast.AST) -> Iterator[str]:
    """The words of the forms and guides of a network, which the pages look up as they show them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Field", "Step"}:
            label = node.args[1:2] if node.func.id == "Field" else node.args[:1]
            named = [each.value for each in node.keywords if each.arg in {"label", "help", "text"}]
            rows = [row for each in node.keywords if each.arg == "choices" for row in getattr(each.value, "elts", ())]
            said = [*label, *named, *(row.elts[1] for row in rows if len(getattr(row, "elts", ())) == 2)]
        elif isinstance(node, ast.AnnAssign | ast.keyword) and node.value is not None:
            name = node.arg if isinstance(node, ast.keyword) else getattr(node.target, "id", "")
            said = [node.value] if name == "summary" else []
        else:
            continue
        yield from (str(each.value) for each in said if isinstance(each, ast.Constant) and each.value)


def in_template(text: str, place: str) -> Iterator[tuple[str, str, str]]:
    """(context, one, many) of each string of a template."""
    for call in IN_TEMPLATE.finditer(templatize(text, origin=place)):
        said = [ast.literal_eval(each.removeprefix("u")) for each in re.findall(STRING, call[2], re.DOTALL)]
        yield _parts(CALLS[call[1]], said)


def in_python(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    """(context, one, many) of each call of gettext and its kin with constant words."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in CALLS:
            continue
        wanted = max(place for place in CALLS[name] if place is not None)
        said = [each.value for each in node.args[: wanted + 1] if isinstance(each, ast.Constant)]
        if len(said) == wanted + 1 and all(isinstance(each, str) for each in said):
            yield _parts(CALLS[name], [str(each) for each in said])


def _parts(where: tuple[int | None, int | None, int | None], said: list[str]) -> tuple[str, str, str]:
    context, one, many = ("" if place is None else said[place] for place in where)
    return context, one, many


def raised(tree: ast.AST) -> Iterator[str]:
    """The sentence of each error that a person is told, an f-string as a template."""
    yield from _raised(tree, ERRORS)


def told_by_networks(tree: ast.AST) -> Iterator[str]:
    """The sentences of the errors of a connector; those that are nearly all values cannot be told apart."""
    for said in _raised(tree, NETWORK_ERRORS):
        if len(re.findall(r"[A-Za-z]", PLACE.sub("", said))) >= 7:
            yield said


def _raised(tree: ast.AST, errors: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        if node.func.id not in errors:
            continue
        # InvalidWeights says the field first
        said = node.args[-1] if node.func.id == "InvalidWeights" else node.args[0]
        sentences = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
        for sentence in sentences:
            if isinstance(sentence, ast.Constant) and " " in str(sentence.value):
                yield str(sentence.value)
            elif isinstance(sentence, ast.JoinedStr):
                yield _template(sentence)


def phrases(tree: ast.AST) -> Iterator[str]:
    """The phrases of reasons, and the words that stand in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            names = {each.id for each in node.targets if isinstance(each, ast.Name)}
            if names & {"PHRASES", "WORDS"}:
                yield from (str(each.value) for each in node.value.elts if isinstance(each, ast.Constant))
    yield from ("and", "mood", "%(n)sth")


def entered(tree: ast.AST) -> Iterator[str]:
    """The names of what an entry of the audit holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "write_audit":
            for each in node.keywords:
                held = each.value.keys if each.arg in {"before", "after"} and isinstance(each.value, ast.Dict) else ()
                yield from (str(key.value).replace("_", " ") for key in held if isinstance(key, ast.Constant))
                yield from (name.replace("_", " ") for name in (each.arg,) if name and name not in {"before", "after"})


def faults_said(tree: ast.AST) -> Iterator[str]:
    """The sentences in which a rule or a query is refused, and the words that stand inside them."""
    for node in ast.walk(tree):
        said: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            said += [node.args[at] for at in FAULTS.get(name, ()) if at < len(node.args)]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {each.id for each in targets if isinstance(each, ast.Name)}
            if names & TABLES and isinstance(node.value, ast.Dict):
                said += node.value.values
            elif "NOUNS" in names and isinstance(node.value, ast.Tuple):
                said += node.value.elts
            elif names & PARTS:
                said.append(node.value)
        for each in said:
            for sentence in [each.body, each.orelse] if isinstance(each, ast.IfExp) else [each]:
                if isinstance(sentence, ast.Constant) and re.search(r"[a-z]{2}", str(sentence.value)):
                    yield str(sentence.value)
                elif isinstance(sentence, ast.JoinedStr) and re.search(r"[a-z]{2}", PLACE.sub("", _template(sentence))):
                    yield _template(sentence)


def _template(said: ast.JoinedStr) -> str:
    """An f-string with a named place for each value: the last name in the expression, numbered where it comes again."""
    words, taken = "", set[str]()
    for part in said.values:
        if isinstance(part, ast.Constant):
            words += str(part.value).replace("%", "%%")
        elif isinstance(part, ast.FormattedValue):
            names = [each.id for each in ast.walk(part.value) if isinstance(each, ast.Name)]
            names += [each.attr for each in ast.walk(part.value) if isinstance(each, ast.Attribute)][:1]
            name = (names or ["value"])[-1].strip("_").lower()
            while name in taken:
                name += "2"
            taken.add(name)
            words += f"%({name})s"
    return words


def merged(found: Found, kept: Iterable[Entry]) -> list[Entry]:
    """The strings of the source with the translations that are kept; what is no longer said falls out."""
    old = {(entry.context, entry.one): entry for entry in kept}
    out = []
    for key, entry in sorted(found.entries.items(), key=lambda each: (each[1].places[0], each[0])):
        before = old.get(key)
        said = before.said if before and bool(before.many) == bool(entry.many) else ()
        flags = ("python-format",) if "%(" in entry.one + entry.many or "%%" in entry.one else ()
        out.append(replace(entry, said=said, flags=flags))
    return out


def faults(entries: Iterable[Entry], forms: int) -> list[str]:
    """What is wrong with translations: other places for values, other tags, a plural form that is missing."""
    wrong = []
    for entry in entries:
        if "fuzzy" in entry.flags:
            wrong.append(f"{entry.one!r}: fuzzy")
        if not any(entry.said):
            continue
        if len(entry.said) != (forms if entry.many else 1) or not all(entry.said):
            wrong.append(f"{entry.one!r}: {len(entry.said)} forms")
            continue
        originals = (entry.many or entry.one), entry.one
        for at, said in enumerate(entry.said):
            # "one conversation" may leave the number out, in each language
            fitting = originals if entry.many and at == 0 else originals[:1]
            if not any(sorted(PLACE.findall(said)) == sorted(PLACE.findall(one)) for one in fitting):
                wrong.append(f"{entry.one!r}: other places for values in {said!r}")
            if sorted(TAG.findall(said)) != sorted(TAG.findall(originals[0])):
                wrong.append(f"{entry.one!r}: other tags in {said!r}")
            if said[:1].isspace() != entry.one[:1].isspace() or said[-1:].isspace() != entry.one[-1:].isspace():
                wrong.append(f"{entry.one!r}: other spaces around {said!r}")
    return wrong


def untranslated(entries: Iterable[Entry]) -> list[Entry]:
    """What no person of this language can read, but for the files that are named with a reason in `NOT_YET`."""
    return [
        entry
        for entry in entries
        if not any(entry.said) and not all(place.startswith(tuple(NOT_YET) or "\0") for place in entry.places)
    ]


def error_words(found: Found) -> str:
    """The text of web/error_words.json: the sentences of errors, for those that look them up."""
    told = {
        name: sorted(entry.one for entry in found.entries.values() if entry.context == context)
        for name, context in (("templates", ERROR), ("faults", FAULT), ("networks", NETWORK))
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def catalogs() -> list[Path]:
    """The .po of each language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def main(arguments: list[str]) -> int:
    """Brings all catalogs up to date, or only says what is wrong."""
    check, found, behind = "--check" in arguments, find_all(), list[str]()
    behind += found.clashes
    files: list[tuple[Path, bytes]] = [(ERROR_WORDS, error_words(found).encode())]
    for path in catalogs():
        header, kept = read_po(path.read_text())
        entries = merged(found, kept)
        behind += [f"{path.parent.parent.name}: {each}" for each in faults(entries, header.forms)]
        files += [(path, written(header, entries).encode()), (path.with_suffix(".mo"), compiled(header, entries))]
        missing = untranslated(entries)
        print(f"{path.parent.parent.name}: {len(entries) - len(missing)} of {len(entries)} said")
        by_file: dict[str, int] = {}
        for entry in missing:
            by_file[entry.places[0]] = by_file.get(entry.places[0], 0) + 1
        print("".join(f"  {count:4} {place}\n" for place, count in by_file.items()), end="")
    for path, content in files:
        if not path.exists() or path.read_bytes() != content:
            behind += [f"{path.relative_to(ROOT)}: behind the source"] if check else []
            if not check:
                path.write_bytes(content)
    print("\n".join(behind))
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
