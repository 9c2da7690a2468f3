"""Mails -> posts: who, what, in which thread, and whether a machine sent it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidPost
from rapport.core.post import MAX_TEXT, Post, admit
from rapport.networks.mail.letter import read_letter, unflow
from rapport.networks.mail.parse import Mailbox, parse_letter, reply_subject
from rapport.networks.mail.structure import leaves_of, read_fetch

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
OURS = Mailbox(ours=frozenset({"support@fernway.example"}), authority="mx.fernway.example")
BASE = {
    "From": "Ann Example <ann@customer.example>",
    "To": "Support <support@fernway.example>",
    "Subject": "It does not start",
    "Date": "Sat, 21 Nov 2026 10:00:00 +0000",
    "Message-ID": "<first@customer.example>",
}


def raw(body: str = "Hello", **headers: str | None) -> bytes:
    fields = BASE | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"{head}\r\n{body}".encode("utf-8", "surrogateescape")


def read(source: bytes, mailbox: Mailbox = OURS) -> Post:
    return admit(parse_letter(read_letter(source), mailbox, NOW), NOW)


def test_a_first_mail_opens_with_its_subject() -> None:
    post = read(raw("It makes a noise.\r\n\r\n-- \r\nAnn"))
    assert post.text == "It does not start\n\nIt makes a noise."
    assert (post.kind, post.visibility, post.id) == ("mail", "direct", "first@customer.example")
    assert (post.in_reply_to, post.thread) == (None, None)
    assert (post.author.key, post.author.name, post.author.ours, post.author.bot) == (
        "ann@customer.example", "Ann Example", False, False,
    )  # fmt: skip
    assert post.created_at == dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
    assert post.mentions == ("support@fernway.example",)


def test_an_answer_stands_in_its_thread_and_leaves_the_subject_out() -> None:
    post = read(
        raw(
            "Yes.\n\nOn Sat, 21 Nov 2026 at 09:00, Support <support@fernway.example> wrote:\n> Is it plugged in?",
            Subject="Re: It does not start",
            In_Reply_To="<ours@fernway.example>",
            References="<root@customer.example> <ours@fernway.example>",
        )
    )
    assert post.text == "Yes."
    assert (post.in_reply_to, post.thread) == ("ours@fernway.example", "root@customer.example")


def test_an_answer_under_a_new_subject_shows_it() -> None:
    assert read(raw("x", Subject="Something else", In_Reply_To="<a@b>")).text == "Something else\n\nx"
    assert read(raw("x", Subject="AW: Etwas", References="<a@b> <c@d>")).text == "x"
    assert read(raw("x", Subject="AW: Etwas", References="<a@b> <c@d>")).in_reply_to == "c@d"


def test_a_mail_without_an_id_gets_the_same_one_each_time_it_is_read() -> None:
    one, again, other = (read(raw("x", Message_ID=None, Subject=subject)) for subject in ("a", "a", "b"))
    assert one.id == again.id != other.id
    assert one.id.startswith("no-message-id:")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X-Auto-Response-Suppress": "All"},
        {"X-Autoreply": "yes"},
        {"Return-Path": "<>"},
        {"From": "MAILER-DAEMON@relay.example"},
        {"Feedback-ID": "1:2:3"},
        {"List-Unsubscribe": "<https://shop.example/u>"},
        {"Content-Type": 'multipart/report; report-type=delivery-status; boundary="b"'},
    ],
    ids=lambda headers: next(iter(headers.items()))[0] + " " + next(iter(headers.values()))[:20],
)
def test_machines_are_marked_so_that_nobody_answers_them(headers: dict[str, str]) -> None:
    assert read(raw("x", **headers)).author.bot


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "no"},
        {"Precedence": "list", "List-Id": "<users.lists.example>", "List-Post": "<mailto:users@lists.example>"},
        {"Precedence": "bulk", "List-Id": "<users.lists.example>"},
        {"List-Id": "<users.lists.example>", "List-Unsubscribe": "<https://lists.example/u>"},
    ],
)
def test_people_who_write_through_lists_are_people(headers: dict[str, str]) -> None:
    assert not read(raw("x", **headers)).author.bot


def test_an_automatic_answer_does_not_make_its_person_a_machine() -> None:
    away = read(raw("I am away", Auto_Submitted="auto-replied"))
    assert away.author.key != read(raw("x")).author.key
    assert "automatic reply" in away.author.name


def test_nobody_speaks_as_us_by_writing_our_address() -> None:
    forged = read(raw("Case closed", From="Support <support@fernway.example>"))
    assert not forged.author.ours
    assert forged.author.key == "unproven:support@fernway.example"
    proven = raw(
        "x", From="support@fernway.example", Authentication_Results="mx.fernway.example; dmarc=pass header.from=x"
    )
    assert read(proven).author.ours
    foreign = raw("x", From="support@fernway.example", Authentication_Results="mx.evil.example; dmarc=pass")
    assert not read(foreign).author.ours
    sent = Mailbox(ours=OURS.ours, is_sent=True)
    assert read(raw("x", From="Support <support@fernway.example>"), sent).author.ours


def test_a_sender_whom_our_server_disproved_is_not_the_person() -> None:
    forged = raw("x", Authentication_Results="mx.fernway.example 1; spf=fail; dkim=none; dmarc=fail (p=NONE)")
    assert read(forged).author.key == "unproven:ann@customer.example"
    assert read(forged, Mailbox()).author.key == "ann@customer.example"  # nobody's word is taken without a name
    below = forged.replace(b"mx.fernway.example 1", b"mx.other.example")
    assert read(below).author.key == "ann@customer.example"


def test_a_form_on_our_website_speaks_for_whom_it_names() -> None:
    post = read(raw("x", From="Website <support@fernway.example>", Reply_To="Ben <ben@customer.example>"))
    assert post.author.name == "Ben (through support@fernway.example)"
    # anybody can type any address into a form: an answer reaches Ben, but it is not yet Ben who spoke
    assert (post.author.handle, post.author.key) == ("ben@customer.example", "unproven:ben@customer.example")
    post = read(raw("x", From="Shop <no-reply@shop.example>", Reply_To="ben@customer.example"))
    assert post.author.handle == "ben@customer.example"
    post = read(raw("x", Reply_To="evil@elsewhere.example"))
    assert post.author.handle == "ann@customer.example"  # an answer goes where the reader of the desk sees it go


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sat, 21 Nov 2026 10:00:00 +0100", dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)),
        ("Fri, 01 Jan 2099 00:00:00 +0000", NOW),
        ("Thu, 01 Jan 1970 00:00:01 +0000", NOW),
        ("soon", NOW),
        (None, NOW),
    ],
)
def test_a_time_that_cannot_be_is_the_time_of_arrival(date: str | None, expected: dt.datetime) -> None:
    assert read(raw("x", Date=date)).created_at == expected


def test_a_mail_from_nobody_is_refused_with_the_reason() -> None:
    for sender in (None, "nobody", "<>", "Ann <ann@>"):
        with pytest.raises(InvalidPost, match=r"from: .* no address"):
            read(raw("x", From=sender))


def multipart(kind: str, *parts: str) -> bytes:
    body = "".join(f"--B\r\n{part}\r\n" for part in parts) + "--B--\r\n"
    return raw(body, Content_Type=f'multipart/{kind}; boundary="B"')


def test_of_alternatives_the_plain_one_is_read_and_the_markup_kept() -> None:
    post = read(
        multipart(
            "alternative",
            "Content-Type: text/plain; charset=utf-8\r\n\r\nplain words",
            'Content-Type: text/html; charset=utf-8\r\n\r\n<p>rich <a href="https://a.example/x">words</a></p>',
        )
    )
    assert post.text == "It does not start\n\nplain words"
    assert post.html is not None
    assert "<p>rich" in post.html


def test_a_blank_plain_part_gives_way_to_the_markup() -> None:
    post = read(
        multipart(
            "alternative", "Content-Type: text/plain\r\n\r\n \r\n", "Content-Type: text/html\r\n\r\n<p>rich words</p>"
        )
    )
    assert post.text == "It does not start\n\nrich words"


def test_attachments_are_named_and_nothing_of_them_is_text() -> None:
    post = read(
        multipart(
            "mixed",
            "Content-Type: text/plain\r\n\r\nsee the picture",
            'Content-Type: image/png; name="x.png"\r\nContent-Disposition: attachment; filename="noise.png"\r\n\r\nPNG',
            "Content-Type: application/ms-tnef\r\nContent-Disposition: attachment; filename=winmail.dat\r\n\r\nTNEF",
            "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR",
            "Content-Type: text/plain\r\nContent-Disposition: attachment;\r\n"
            ' filename="../../etc/pass\u202ewd"\r\n\r\nsecret',
            "Content-Type: application/pdf\r\nContent-Disposition: attachment;\r\n"
            " filename*0*=utf-8''Gr%C3%BC;\r\n filename*1*=%C3%9Fe.pdf\r\n\r\nPDF",
        )
    )
    assert post.text == "It does not start\n\nsee the picture"
    told = [media.alt for media in post.media]
    assert told[0] == "noise.png (image/png, 1 kB)"
    assert "only Outlook opens" in told[1]
    assert "invitation" in told[2]
    assert told[3].startswith("pass wd (")
    assert told[4].startswith("Grüße.pdf (")
    assert [media.kind for media in post.media] == ["image", "file", "file", "file", "file"]
    assert {media.url for media in post.media} == {""}


def test_paragraphs_that_were_broken_to_travel_are_whole_again() -> None:
    assert unflow("one \ntwo\nthree\n-- \nAnn", False) == "one two\nthree\n-- \nAnn"
    assert unflow("> a \n> b\nc", False) == "> a b\nc"
    assert unflow("ein \nWort", True) == "einWort"
    post = read(raw("long \nline", Content_Type="text/plain; charset=utf-8; format=flowed"))
    assert post.text.endswith("\n\nlong line")


def test_a_text_beyond_the_limit_says_that_it_goes_on() -> None:
    post = read(raw("word " * MAX_TEXT))
    assert len(post.text) <= MAX_TEXT
    assert post.text.endswith("[The rest is in the mailbox.]")


@pytest.mark.parametrize(
    ("subject", "answered"),
    [("x", "Re: x"), ("Re: x", "Re: x"), ("AW: x", "AW: x"), ("", "Re:"), ("Report", "Re: Report"), ("RE:x", "RE:x")],
)
def test_an_answer_has_one_re_in_front_of_its_subject(subject: str, answered: str) -> None:
    assert reply_subject(subject) == answered


def test_a_mail_that_is_nested_without_end_is_refused() -> None:
    nested = "".join(f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n' for n in range(400))
    with pytest.raises(InvalidPost, match="nested"):
        read(raw("", Content_Type=None)[:-2] + nested.encode())


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_parser(noise: bytes) -> None:
    for source in (noise, raw("x") + noise, raw("", Content_Type="multipart/mixed; boundary=x") + b"--x\r\n" + noise):
        try:
            read(source)
        except InvalidPost:
            continue


#: what can stand in a header: text of any script, and raw bytes that are no UTF-8
_HEADER = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=80) | st.binary(max_size=80).map(
    lambda noise: noise.decode("utf-8", "surrogateescape").replace("\r", "").replace("\n", "")
)


@given(
    st.dictionaries(st.sampled_from([*BASE, "References", "In-Reply-To", "Reply-To", "Content-Type", "Cc"]), _HEADER)
)
def test_no_headers_crash_the_parser_and_what_comes_out_can_be_stored(headers: dict[str, str]) -> None:
    try:
        post = parse_letter(read_letter(raw("x", **headers)), OURS, NOW)
    except InvalidPost:
        return
    try:
        assert admit(post, NOW).id == post.id
    except InvalidPost as error:
        assert error.field in {"id", "in_reply_to", "thread", "author.id", "author.handle"}  # noqa: PT017


# ---------------------------------------------------------------- what an IMAP server says


def test_a_structure_names_every_leaf_with_its_place() -> None:
    line = (
        b'1 (UID 7 BODYSTRUCTURE ((("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 10 1 NIL NIL NIL NIL)'
        b'("text" "html" ("charset" "utf-8") NIL NIL "quoted-printable" 20 1 NIL NIL NIL NIL) "alternative" '
        b'("boundary" "x") NIL NIL NIL)("application" "pdf" ("name" "a \\"b\\".pdf") NIL NIL "base64" 4000 NIL '
        b'("attachment" ("filename" "a \\"b\\".pdf")) NIL NIL) "mixed" ("boundary" "y") NIL NIL NIL))'
    )
    (message,) = read_fetch([line])
    kind, leaves = leaves_of(message["BODYSTRUCTURE"])
    assert kind == "multipart/mixed"
    assert [(leaf.path, leaf.type, leaf.alternative) for leaf in leaves] == [
        ("1.1", "text/plain", "1"), ("1.2", "text/html", "1"), ("2", "application/pdf", ""),
    ]  # fmt: skip
    assert (leaves[2].filename, leaves[2].disposition, leaves[2].size) == ('a "b".pdf', "attachment", 4000)


def test_answers_with_literals_are_put_together_again() -> None:
    items = [
        (b"1 (UID 7 BODY[HEADER]<0> {11}", b"Subject: (x"), (b' BODY[1]<0> {3}', b'a")'), b" FLAGS (\\Seen))",
        b"2 (FLAGS (\\Seen))", b'3 (UID 9 BODY[HEADER]<0> "")',
    ]  # fmt: skip
    assert read_fetch(items) == [
        {"UID": b"7", "BODY[HEADER]<0>": b"Subject: (x", "BODY[1]<0>": b'a")', "FLAGS": [b"\\Seen"]},
        {"FLAGS": [b"\\Seen"]},
        {"UID": b"9", "BODY[HEADER]<0>": b""},
    ]


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.tuples(st.binary(max_size=40), st.binary(max_size=20))), max_size=6)
)
def test_no_answer_of_a_server_crashes_the_reader(items: list[bytes | tuple[bytes, bytes]]) -> None:
    for message in read_fetch(items):
        for value in message.values():
            try:
                leaves_of(value)
            except ValueError:
                continue


def test_parentheses_without_end_cost_nothing() -> None:
    assert read_fetch([b"1 (UID 1 BODYSTRUCTURE " + b"(" * 100_000 + b")" * 100_000 + b")"])
    with pytest.raises(ValueError, match="nested"):
        leaves_of(read_fetch([b"1 (UID 1 B " + b"(" * 60 + b'"text" "plain"' + b")" * 60 + b")"])[0]["B"])
