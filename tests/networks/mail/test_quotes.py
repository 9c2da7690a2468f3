"""Whose words are whose: answers, quotes, signatures, footers. The measure on real mails is in test_conformance."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapport.networks.mail.markup import read_markup
from rapport.networks.mail.quotes import strip_history

ANSWER = "Thank you, that helped.\n\nAnn"
ATTRIBUTIONS = [
    "On Tue, 3 Nov 2026 at 10:12, Fernway Support <support@fernway.example> wrote:",
    "On Tue, 3 Nov 2026 at 10:12, Fernway Support <\nsupport@fernway.example> wrote:",
    "Am 03.11.2026 um 10:12 schrieb Fernway Support <support@fernway.example>:",
    "Am Di., 3. Nov. 2026 um 10:12 Uhr schrieb Fernway Support <\nsupport@fernway.example>:",
    "Le mar. 3 nov. 2026 à 10:12, Fernway Support <support@fernway.example> a écrit :",
    "El mar, 3 nov 2026 a las 10:12, Fernway Support (<support@fernway.example>) escribió:",
    "Il giorno mar 3 nov 2026 alle ore 10:12 Fernway Support <support@fernway.example> ha scritto:",
    "Op di 3 nov 2026 om 10:12 schreef Fernway Support <support@fernway.example>:",
    "Em ter., 3 de nov. de 2026 às 10:12, Fernway Support <support@fernway.example> escreveu:",
    "W dniu wt., 3.11.2026 o 10:12 Fernway Support <support@fernway.example> napisał(a):",
    "Den tis 3 nov. 2026 kl 10:12 skrev Fernway Support <support@fernway.example>:",
    "вт, 3 нояб. 2026 г. в 10:12, Fernway Support <support@fernway.example> написал:",
    "2026-11-03 10:12 GMT+01:00 Fernway Support <support@fernway.example> wrote:",
    "Fernway Support <support@fernway.example> schrieb am Di., 3. Nov. 2026, 10:12:",
    "2026年11月3日(火) 10:12 Fernway Support <support@fernway.example> 写道：",
]
HEADS = [
    "-----Original Message-----\nFrom: Fernway\nSent: Tuesday\nTo: Ann\nSubject: Help",
    "________________________________\nFrom: Fernway <s@fernway.example>\nSent: Tuesday\nTo: Ann\nSubject: x",
    "Von: Fernway <s@fernway.example>\nGesendet: Dienstag, 3. November 2026 10:12\nAn: Ann\nBetreff: Hilfe",
    "De : Fernway <s@fernway.example>\nEnvoyé : mardi 3 novembre 2026 10:12\nÀ : Ann\nObjet : Aide",
    "De: Fernway\nEnviado el: martes, 3 de noviembre de 2026\nPara: Ann\nAsunto: Ayuda",
    "*From:* Fernway\n*Date:* Tuesday\n*To:* Ann\n*Subject:* Help",
    "发件人: Fernway\n发送时间: 2026年11月3日\n收件人: Ann\n主题: 帮助",
    "-------- Ursprüngliche Nachricht --------",
]  # fmt: skip


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_what_follows_an_attribution_in_any_usual_language_is_history(attribution: str) -> None:
    quoted = "> Dear Ann,\n>\n> please restart it.\n"
    assert strip_history(f"{ANSWER}\n\n{attribution}\n\n{quoted}").text == ANSWER
    assert strip_history(f"{ANSWER}\n\n{attribution}\n\nDear Ann,\n\nplease restart it.\n").text == ANSWER


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_answer_below_the_quote_is_kept(attribution: str) -> None:
    assert strip_history(f"{attribution}\n> Dear Ann,\n> please restart it.\n\n{ANSWER}").text == ANSWER


@pytest.mark.parametrize("head", HEADS)
def test_what_follows_the_head_of_an_older_mail_is_history(head: str) -> None:
    assert strip_history(f"{ANSWER}\n\n{head}\n\nDear Ann,\n\nplease restart it.").text == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote to you:\n\nmy order has not come. Please call me at 10:30.",
        "Your colleague wrote: it is done.\nBut it is not.",
        "From: my point of view this is wrong.\nTo: me it looks broken.\nPlease help.",
        "I said before:\n- it is slow\n- it is broken",
        "As somebody wrote:\n\nnothing lasts for ever",
        "On Monday at 10:30 your colleague wrote:\n\nit is done. But it is not.",
        "a -- b -- c",
        "--verbose does not work for me",
        "Sent from my point of view, this is wrong.\nReally.",
        "1 > 0, and 2 > 1",
        "----------\nan underlined heading\n----------\nand the rest of a long text",
    ],
)
def test_words_that_only_look_like_history_stay(text: str) -> None:
    assert strip_history(text).text == text


@pytest.mark.parametrize(
    "ending",
    [
        "-- \nAnn Example\nExample Ltd, 1 Road\n+44 20 1234",
        "--\nAnn Example",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Get Outlook for Android <https://aka.ms/x>",
        "_______________________________________________\nusers mailing list\nusers@lists.example\nhttps://lists.example/users",
    ],
)
def test_signatures_and_footers_go(ending: str) -> None:
    assert strip_history(f"{ANSWER}\n\n{ending}\n").text == ANSWER


def test_a_first_mail_keeps_its_quotes_and_loses_its_signature() -> None:
    text = "The manual says:\n> press the button\nWhich one?\n\n-- \nAnn"
    assert strip_history(text, is_reply=False).text == "The manual says:\n> press the button\nWhich one?"


def test_a_forwarded_mail_keeps_what_it_forwards() -> None:
    forwarded = "---------- Forwarded message ----------\nFrom: Ben\nDate: today\nSubject: x\nTo: me\n\nIt is broken."
    text = f"See below.\n\n{forwarded}"
    assert strip_history(text).text == text


@given(
    st.lists(st.sampled_from(["> q", "-- ", "hello", "", *ATTRIBUTIONS, *HEADS, "Sent from my iPhone"]), max_size=12)
)
@example(["hello", "> q", "hello"])
def test_nothing_is_added_and_never_is_all_taken(lines: list[str]) -> None:
    text = "\n".join(lines)
    told = strip_history(text)
    assert bool(told.text) == bool(text.strip())
    # an empty line may stand where something was taken out between two others
    assert set(told.text.split("\n")) <= {line.strip() for line in text.split("\n")} | set(text.split("\n")) | {""}


@pytest.mark.parametrize(
    "piece",
    [
        "> " * 10 + "\n", ATTRIBUTIONS[0] + "\n", "On " * 90 + "\n", "From: a\n", "_" * 40 + "\n", "-- \n", "\n",
        "a" * 200, "On 1:1 <a@b",
    ],
)  # fmt: skip
def test_a_text_that_was_made_to_be_slow_is_not(piece: str) -> None:
    text = piece * (250_000 // len(piece))
    began = time.process_time()
    strip_history(text)
    assert time.process_time() - began < 10.0


# ---------------------------------------------------------------- HTML


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<style>p {}</style><script>x</script><title>t</title><p>a &amp; b &lt; c</p>", "a & b < c"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>  x\n    y</pre>", "x\n    y"),
        ("<div>one</div><div>two</div><div><br></div><div>three</div>", "one\ntwo\n\nthree"),
        ("no tags at all", "no tags at all"),
        ("<p>unclosed <b>bold<p>next", "unclosed bold\n\nnext"),
        ("<img src=https://x.example/pixel.gif>hello", "hello"),
        ("<!-- comment <p>no</p> -->yes", "yes"),
        ('<a href="https://a.example/x">here</a>', "here (https://a.example/x)"),
        ('<a href="https://a.example/">a.example</a>', "a.example"),
        ('<a href="https://evil.example/">https://good.example</a>', "https://good.example (https://evil.example/)"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
    ],
)
def test_markup_reads_as_a_browser_would_show_it(html: str, text: str) -> None:
    assert read_markup(html)[0] == text


HISTORIES = {
    "gmail": '<div class="gmail_quote"><div class="gmail_attr">On Tue, 3 Nov 2026 at 10:12 Fernway &lt;'
    '<a href="mailto:s@f.example">s@f.example</a>&gt; wrote:</div>'
    '<blockquote class="gmail_quote">old words</blockquote></div>',
    "thunderbird": '<div class="moz-cite-prefix">On 03.11.26 10:12, Fernway wrote:</div>'
    '<blockquote type="cite" cite="mid:x"><p>old words</p></blockquote>',
    "outlook on the web": '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Fernway<br>'
    "<b>Sent:</b> Tuesday<br><b>To:</b> Ann<br><b>Subject:</b> x</div><div>old words</div>",
    "outlook": '<div><div style="border-top:solid"><p><b>Von:</b> Fernway<br><b>Gesendet:</b> Dienstag<br>'
    "<b>An:</b> Ann<br><b>Betreff:</b> x</p></div></div><p>old words</p>",
    "yahoo": '<div class="yahoo_quoted"><div>On Tuesday, Fernway wrote:</div><div>old words</div></div>',
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_the_history_of_usual_mail_programs_is_taken_off_their_html(history: str) -> None:
    text, _ = read_markup(f"<html><body><p>Thank you</p>{history}</body></html>")
    assert strip_history(text).text == "Thank you"


@given(st.text(alphabet="<>/ab \"'=pdivquote!-&;\n", max_size=200))
def test_no_markup_raises(html: str) -> None:
    text, links = read_markup(html)
    assert isinstance(text, str)
    assert all(link.startswith("http") for link in links)


@pytest.mark.parametrize(
    "piece", ["<div>", "<blockquote>", "<a href='https://a'>", "<", "<b><i>", "&", "<table><td>", "<!--", "<a b='"]
)
def test_markup_that_was_made_to_be_slow_is_not(piece: str) -> None:
    began = time.process_time()
    read_markup(piece * (300_000 // len(piece)))
    assert time.process_time() - began < 5.0
