"""The test feeds of feedparser and the lists of listparser: read or refused with a reason, and the page says so."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAYLOADS = ROOT.parent / "shared" / "data" / "09_payloads"


@pytest.fixture(scope="module")
def conformance() -> ModuleType:
    if not PAYLOADS.is_dir():
        pytest.skip("the test feeds (../shared/data/09_payloads) are not on this machine")
    spec = importlib.util.spec_from_file_location("feed_conformance", Path(__file__).with_name("conformance.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
def test_every_test_feed_is_read_or_refused_and_nearly_all_as_feedparser_expects(conformance: ModuleType) -> None:
    results = conformance.check_feeds(PAYLOADS)
    assert len(results) == 1270
    assert sum(one.as_expected for one in results) >= 1258
    assert all(one.refused for one in results if one.posts == 0 and not one.expected)


@pytest.mark.data
def test_every_list_is_read_or_refused(conformance: ModuleType) -> None:
    results = conformance.check_lists(PAYLOADS)
    assert len(results) == 110
    assert all(result.endswith("feeds") or result.startswith("refused: ") for result, _ in results.values())
    # what listparser says of addresses and titles holds; its categories are not kept
    assert [
        wrong
        for result, differs in results.values()
        for wrong in differs.split("; ")
        if wrong and "tags" not in wrong and "categories" not in wrong
    ] == []


@pytest.mark.data
def test_the_page_says_what_comes_out(conformance: ModuleType) -> None:
    assert (ROOT / "docs/reference/feed-conformance.md").read_text(encoding="utf-8") == conformance.page(PAYLOADS)
