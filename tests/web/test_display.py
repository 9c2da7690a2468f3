"""Names and handles by strangers: what is shown cannot pose as something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.web.display import is_mixed, readable_text, shown_handle, spelled_host, true_host, visible_text

OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("mark", OVERRIDES)
def test_marks_that_reorder_are_taken_out_of_names_and_text(mark: str) -> None:
    assert visible_text(f"pay{mark}pal") == "paypal"
    assert readable_text(f"pay{mark}pal") == "paypal"


def test_names_lose_what_cannot_be_seen_and_line_breaks() -> None:
    assert visible_text("A\u200bn\u2060n\nBlack\x07") == "Ann Black"


def test_joined_emoji_and_scripts_that_need_joiners_stay_whole() -> None:
    assert visible_text("👩\u200d🚒 می\u200cخواهم") == "👩\u200d🚒 می\u200cخواهم"


def test_a_domain_in_other_letters_is_spelled_out() -> None:
    assert shown_handle("ann@раypal.com") == "ann@xn--ypal-43d9g.com"
    assert shown_handle("ann@example.social") == "ann@example.social"
    assert shown_handle("ann") == "ann"


def test_letters_of_two_alphabets_in_one_handle_are_noticed() -> None:
    assert is_mixed("p\u0430ypal")
    assert not is_mixed("paypal")
    assert not is_mixed("пример")
    assert not is_mixed("日本tokyo")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://x.com@evil.example/a", "evil.example"),
        ("https://EXAMPLE.com./", "example.com"),
        ("https://пример.рф/", "xn--e1afmkfd.xn--p1ai"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("http://[::1", ""),
        ("//example.com", ""),
    ],
)
def test_the_host_that_a_link_leads_to_is_told(url: str, host: str) -> None:
    assert true_host(url) == host


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    for shown in (visible_text(text), readable_text(text), spelled_host(text), shown_handle(text)):
        assert not set(shown) & set(OVERRIDES)
