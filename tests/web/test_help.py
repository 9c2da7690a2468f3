"""Help on every page: each address of the desk has its page, each page can be read, and links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import translation

from rapport.store.models import User
from rapport.web.help.markdown import render
from rapport.web.help.pages import INDEX, page_for, pages, shown

#: addresses without a page of their own, and why
WITHOUT = {
    "healthz": "is for machines",
    "readyz": "is for machines",
    "api/": "is for programs",
    "hooks/": "is for networks",
    "s/": "is for people outside, who have no desk",
    "help/": "is the help",
    "connect/": "goes on to the settings by itself",
    "w/1/image/": "is an image",
    "w/1/events": "is a stream",
    "w/1/counts": "is a piece of the navigation",
    "w/1/here": "is a piece of the list",
    "w/1/bulk/": "is the bar above the list",
    "w/1/undo": "goes on to where it was",
}


def addresses(patterns: list[Any], before: str = "") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, before + str(each.pattern))
        elif isinstance(each, URLPattern):
            yield re.sub(r"<[^>]+>|\(\?P<[^)]*\)", "1", before + str(each.pattern).lstrip("^").rstrip("$"))


def test_every_page_of_the_desk_has_its_help() -> None:
    found = [each for each in addresses(get_resolver().url_patterns) if each and not each.startswith(tuple(WITHOUT))]
    assert len(found) > 150
    assert [each for each in found if page_for(f"/{each}") == INDEX] == []
    assert {page_for(f"/{each}") for each in found} <= set(pages())


def test_the_page_of_a_network_helps_where_it_is_connected() -> None:
    assert page_for("/w/fernway/settings/channels/connect/mastodon/") == "howto-connect-mastodon"
    assert page_for("/w/fernway/settings/channels/connect/nonesuch/") == "settings"
    assert page_for("/w/fernway/") == "inbox"
    assert page_for("/w/fernway/c/12/") == "conversation"
    assert page_for("https://elsewhere.example/w/x/") == INDEX


GERMAN = pages("de")


def test_every_page_of_the_help_itself_is_there_in_german_with_as_many_headings_and_links() -> None:
    here = {name: page for name, page in pages().items() if page.folder == "help"}
    assert len(here) > 15
    for name, page in here.items():
        german = GERMAN[name]
        assert german.language == "de", name
        assert german.title != page.title, name
        for piece in ("\n#", "](", "\n- ", "\n|", "\n1. "):
            assert german.text.count(piece) == page.text.count(piece), (name, piece)
    assert {page.language for page in GERMAN.values() if page.folder != "help"} == {"en"}
    assert pages("fr") == pages()


@pytest.mark.parametrize(
    "name", [*sorted(pages()), *(f"de/{name}" for name in GERMAN if GERMAN[name].language == "de")]
)
def test_a_page_is_whole_html_whose_links_lead_to_pages_and_headings(name: str) -> None:
    page = GERMAN[name.removeprefix("de/")] if name.startswith("de/") else pages()[name]
    html = str(shown(page))
    assert page.title
    assert html.startswith("<h1")
    for tag in ("p", "li", "ul", "ol", "table", "pre", "code", "a", "strong", "em"):
        assert len(re.findall(rf"<{tag}[ >]", html)) == html.count(f"</{tag}>"), tag
    bare = re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)
    assert "](" not in bare
    assert "**" not in bare
    for address in re.findall(r'href="(/help/[^"]*|#[^"]*)"', html):
        path, _, anchor = address.partition("#")
        target = pages(page.language)[path.removeprefix("/help/").strip("/")] if path else page
        assert not anchor or f'id="{anchor}"' in str(shown(target)), address


def test_markdown_is_escaped_and_keeps_its_shape() -> None:
    text = (
        "# A & b\n\nSay `<x>` and **this** and *that*, [there](x.md) ![no](y.png)<script>\n\n"
        "- one\n  more\n- two\n  - deep `|`\n\n1. first\n\n   ```sh\n   a <b>\n   ```\n2. second\n\n"
        "| a | b \\| c |\n|---|---|\n| 1 | `2` |\n"
    )
    assert str(render(text, lambda link: f"/to/{link}")) == (
        '<h1 id="a--b">A &amp; b</h1>\n'
        "<p>Say <code>&lt;x&gt;</code> and <strong>this</strong> and <em>that</em>, "
        '<a href="/to/x.md">there</a> &lt;script&gt;</p>\n'
        "<ul><li>one more</li><li>two<ul><li>deep <code>|</code></li></ul></li></ul>\n"
        '<ol><li><p>first</p><pre tabindex="0"><code>a &lt;b&gt;\n</code></pre></li><li>second</li></ol>\n'
        '<div class="scroll" tabindex="0" role="region" aria-label="a, b | c"><table>'
        '<thead><tr><th scope="col">a</th><th scope="col">b | c</th></tr></thead>'
        "<tbody><tr><td>1</td><td><code>2</code></td></tr></tbody></table></div>"
    )


@pytest.mark.django_db
def test_the_link_of_a_page_leads_to_its_own_help(cast: Any, enter: Any) -> None:
    client: Client = enter(cast.amir)
    assert 'href="/help/tasks/" data-help="/help/"' in client.get("/w/fernway/tasks/").text
    assert client.get("/help/", {"from": "/w/fernway/c/7/"}).headers["Location"] == "/help/conversation/"
    assert client.get("/help/", {"from": "//evil.example/"}).headers["Location"] == "/help/index/"
    page = client.get("/help/conversation/").text
    assert "<h1" in page
    assert 'href="/help/howto-correct-readings/"' in page
    assert client.get("/help/nonesuch/").status_code == 404


@pytest.mark.django_db
def test_the_help_is_shown_in_the_language_of_the_reader_and_says_where_it_is_not(cast: Any, enter: Any) -> None:
    client: Client = enter(cast.amir)
    User.objects.filter(pk=cast.amir.user_id).update(language="de")
    with translation.override("en"):
        german = client.get("/help/conversation/").text
        assert '<h1 id="eine-unterhaltung">' in german
        assert "Diese Seite ist auf Englisch" not in german
        howto = client.get("/help/howto-baskets/").text
        assert '<main id="main" class="prose" tabindex="-1" lang="en" dir="ltr">' in howto
        assert "Diese Seite ist auf Englisch" in howto
