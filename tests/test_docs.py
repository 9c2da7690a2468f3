"""The written house: links lead somewhere, and what the code has the documents have."""

import inspect
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from django.apps import apps

from rapport.core import decision, post, reading, reply
from rapport.core.roles import ROLES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "src").rglob("README.md")])
_FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def words_of(page: Path) -> str:
    """The page without code, in which brackets mean something else."""
    return _CODE.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))


def links_of(page: Path) -> list[str]:
    return _LINK.findall(words_of(page))


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in plain}


def table(page: Path, section: str = "") -> list[list[str]]:
    """The cells of the tables below a heading, or of the whole page; heads and rules left out."""
    text = page.read_text(encoding="utf-8")
    if section:
        text = text.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = {place for place, row in enumerate(rows) if set("".join(row)) <= set("-: ")}
    return [row for place, row in enumerate(rows) if place not in rules and place + 1 not in rules]


# ---------------------------------------------------------------- links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_house_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert not broken


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or not page.is_file():
            continue
        seen.add(page)
        if page.suffix == ".md":
            todo += [(page.parent / link.partition("#")[0]).resolve() for link in links_of(page) if ":" not in link]
    lonely = {page for page in DOCS.rglob("*") if page.suffix in {".md", ".json"}} - seen
    assert not lonely


def test_every_reference_page_and_decision_stands_in_the_index() -> None:
    linked = {(DOCS / link).resolve() for link in links_of(DOCS / "index.md")}
    pages = [*(DOCS / "reference").rglob("*.*"), *(DOCS / "adr").glob("*.md"), *(DOCS / "howto").glob("*.md")]
    assert not {page for page in pages if page not in linked}


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in sorted((DOCS / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for page in (DOCS / "adr").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:4]}: ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


# ---------------------------------------------------------------- the front door


def test_the_readme_shows_the_two_commands_and_what_they_start() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("up", "test"):
        assert f"make {command} " in text
        assert re.search(rf"^{command}:", targets, re.MULTILINE)
    assert len(text.split("\n\n")[1].splitlines()) == 5, "what it is and for whom, in five lines"


def test_every_make_target_and_command_that_a_page_shows_exists() -> None:
    from rapport.cli.main import COMMANDS

    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        code = "\n".join(_CODE.findall(page.read_text(encoding="utf-8")) + _fenced(page))
        assert set(re.findall(r"\bmake ([a-z][a-z-]+)", code)) <= targets, page
        shown = set(re.findall(r"(?:^|[`/ ])rapport ([a-z]+)(?=[ `\n]|$)", code, re.MULTILINE))
        assert shown <= set(COMMANDS), page


def _fenced(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [match[0] for match in re.finditer(r"^ *```sh\n.*?^ *```", text, re.MULTILINE | re.DOTALL)]


def test_the_guide_names_every_role() -> None:
    named = ", ".join(row[0] for row in table(DOCS / "guide.md", "Bring in your team")).replace(
        "restricted agent", "restricted"
    )
    assert set(named.split(", ")) == set(ROLES)


def test_the_guide_explains_every_state_of_a_source() -> None:
    source = (ROOT / "src/rapport/web/settings/standing.py").read_text(encoding="utf-8")
    words = set(re.findall(r'_\("([a-z][a-z ]+)"\)', source))  # sentences begin with a capital
    assert len(words) > 8
    assert {row[0] for row in table(DOCS / "guide.md", "See that nothing is missing")} == words


def test_every_setting_that_a_page_names_exists() -> None:
    from rapport.settings import Settings

    names = {f"RAPPORT_{field.upper()}" for field in Settings.__struct_fields__}
    for page in PAGES:
        named = set(re.findall(r"\bRAPPORT_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
        assert {name.removesuffix("_FILE") for name in named} - {"RAPPORT_NAME"} <= names, page


def test_every_source_file_that_the_architecture_names_exists() -> None:
    for page in (
        DOCS / "architecture.md",
        ROOT / "SECURITY.md",
        ROOT / "CONTRIBUTING.md",
        *(DOCS / "adr").glob("*.md"),
    ):
        for name in re.findall(r"`([\w./]+/[\w.-]+\.(?:py|toml|css|js))`", page.read_text(encoding="utf-8")):
            assert any((base / name).exists() for base in (ROOT, ROOT / "src" / "rapport")), f"{page.name}: {name}"


# ---------------------------------------------------------------- glossary


def glossary() -> dict[str, str]:
    """What stands in the second column -> its meaning."""
    return {row[1].strip("`"): row[2] for row in table(DOCS / "glossary.md") if row[1]}


@pytest.mark.parametrize("module", [post, reading, decision, reply], ids=lambda module: module.__name__)
def test_every_struct_of_the_vocabulary_is_in_the_glossary(module: object) -> None:
    structs = {
        name
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, msgspec.Struct)
        and value.__module__ == module.__name__  # type: ignore[attr-defined]
        and not name.startswith("_")
    }
    assert structs
    assert not structs - set(glossary())


def test_every_table_is_in_the_glossary() -> None:
    tables = {model.__name__ for model in apps.get_app_config("store").get_models()}
    assert len(tables) > 20
    assert not tables - set(glossary())


def test_every_word_of_code_in_the_glossary_exists() -> None:
    import importlib

    import rapport.store.models as tables

    known: dict[str, object] = {}
    for module in (post, reading, decision, reply, tables):
        known |= vars(module)
    for word in glossary():
        first, _, rest = word.partition(".")
        if first in known:
            found = known[first]
            names = getattr(found, "__struct_fields__", ()) or [
                *(field.name for field in found._meta.get_fields() if hasattr(found, "_meta"))  # type: ignore[attr-defined]
            ]
            assert not rest or rest in names or hasattr(found, rest), word
        else:
            module_name, _, name = word.rpartition(".")
            try:
                importlib.import_module(f"rapport.{word}")
            except ModuleNotFoundError:
                assert hasattr(importlib.import_module(f"rapport.{module_name}"), name), word


def test_every_meaning_is_one_sentence() -> None:
    for word, meaning in glossary().items():
        assert meaning, word
        assert not re.search(r"[.!?] ", meaning), word
        assert not meaning.endswith("."), word


# ---------------------------------------------------------------- what is tried


@pytest.mark.parametrize(("section", "count"), [("Attacks", 40), ("Faults", 18)])
def test_every_attack_and_fault_is_tried_by_a_test_that_exists_or_says_why_it_cannot_be(
    section: str, count: int
) -> None:
    rows = table(DOCS / "reference" / "hostile.md", section)
    assert [row[0] for row in rows] == [str(number) for number in range(1, count + 1)]
    missing = []
    for _number, what, by, happens in rows:
        assert happens, what
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", by + happens)
        assert named, what
        assert (by == "none") is happens.startswith("Not applicable"), what
        for path, name in named:
            file = ROOT / path
            if not file.is_file() or f"def {name}(" not in file.read_text(encoding="utf-8"):
                missing.append(f"{path}::{name}")
    assert missing == []


# ---------------------------------------------------------------- dependencies


@pytest.mark.parametrize(("file", "section"), [("run.in", "To run"), ("dev.in", "To check, test and measure")])
def test_every_dependency_has_its_line_and_no_line_is_stale(file: str, section: str) -> None:
    lines = (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()
    wanted = [re.match(r"[A-Za-z][\w.-]*", line) for line in lines]
    rows = table(DOCS / "dependencies.md", section)
    assert {row[0] for row in rows} == {match[0] for match in wanted if match}
    assert all(all(row[:5]) and len(row) == 6 for row in rows)


def test_every_vendored_part_has_its_line_with_the_version_that_is_there() -> None:
    vendor = ROOT / "src" / "rapport" / "web" / "static" / "vendor"
    there = {row[0]: row[2] for row in table(vendor / "README.md")}
    told = {row[0]: row[2] for row in table(DOCS / "dependencies.md", "In the repository")}
    folders = {folder.name for folder in vendor.iterdir() if folder.is_dir()}
    assert folders == set(there)
    assert there.items() <= told.items()
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for folder in folders:
        assert f"static/vendor/{folder})" in notice
        assert list((vendor / folder).glob("LICENSE*")), folder


def test_the_licence_is_the_one_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_begins_with_what_is_not_released() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[0].startswith("[Unreleased]")


# ---------------------------------------------------------------- manners


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_plain_text_without_paths_of_somebodys_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "\u2014" not in text, "write a comma, a colon or a new sentence"
    assert not re.search(r"(?<![\w.])/(?:home|root|Users|work)/", text)
    assert not [line for line in text.splitlines() if line != line.rstrip()]
