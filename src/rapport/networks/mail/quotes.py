"""What somebody wrote, without the history below it, the signature and the footer of a mailing list.

Works line by line and in time proportional to the text. What it takes for history: lines that begin with ">"; what
follows a line such as "On ... wrote:" in many languages; what follows the heads that Outlook writes. What is left is
never empty where the mail was not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_LONGEST_LINE = 300  # characters of a line that can be an attribution or a head
_LONGEST_FOOTER = 12  # lines, empty ones included
_MOST_ATTRIBUTION = 4  # lines that "On ... wrote:" may be broken into

#: the verb of "On ... wrote:", in the languages of usual mail programs
_WROTE = re.compile(
    r"(?:wrote|writes|schrieb|schrieben|a écrit|a ecrit|escribió|escribio|ha scritto|scrisse|schreef|escreveu|skrev|"
    r"kirjoitti|napisał(?:a|\(a\))?|napsal(?:a|\(a\))?|napísal(?:a|\(a\))?|írta|a scris|написал(?:а|\(а\))?|пише|"
    r"написав|yazdı|έγραψε|va escriure|escribiu|rašė|rakstīja|kirjutas|je napisao|је написао|写道|寫道|"
    r"のメール|さんは書きました|작성|님이 작성|đã viết|menulis|כתב|כתבה|كتب)[^\n]{0,80}[:：]\s*$",
    re.IGNORECASE,
)
#: how such a line begins, where the verb stands elsewhere or the line is broken
_BEGINS = re.compile(
    r"(?:On|Am|Le|El|Il|Op|Den|Dne|Dňa|Em|No dia|W dniu|Dnia|Pe|På|Em|A|Vào|Pada|Tarihinde|"
    r"\d{1,4}[./年-]\s?\d{1,2}[./月-]\s?\d{1,4}|[^\W\d_]{2,10}[.,]? \d{1,2}[.,])\b|.{0,100}<[^<>\s]+@",
    re.IGNORECASE,
)
#: what such a line names: an address, a time of day or a year
_NAMED = re.compile(r"@|\d{1,2}\s?[:.h時点]\s?\d{2}|\b\d{4}\b|\d{4}年|\d{1,2}[./]\d{1,2}[./]\d{2}")
#: without ">" below, more is asked for: an address, or both date and time
_TIME = re.compile(r"\d{1,2}\s?[:.h時点]\s?\d{2}")
_DATE = re.compile(r"\b\d{4}\b|\d{4}年|\d{1,2}[./]\d{1,2}[./]")
_ORIGINAL = re.compile(
    r"[>*\s]*[-_=—]{2,}\s*(?:original (?:message|appointment)|ursprüngliche nachricht|originalnachricht|"
    r"message d'origine|message original|mensaje original|mensagem original|messaggio originale|"
    r"oorspronkelijk bericht|originalmeddelande|oprindelig meddelelse|opprinnelig melding|"
    r"alkuperäinen viesti|oryginalna wiadomość|původní zpráva|исходное сообщение|reply above this line|"
    r"元のメッセージ|原始邮件|原始郵件|원본 메시지)\s*[-_=—]*\s*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"[>*\s]*[-_=]{2,}\s*(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|"
    r"mensagem encaminhada|messaggio inoltrato|doorgestuurd bericht|begin forwarded message)\s*[-_=:]*\s*"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:",
    re.IGNORECASE,
)
#: the labels of the heads that mail programs put above what they quote: sender, time, to, subject
_LABELS = re.compile(
    r"[>*_\s]*(?:(?P<sender>From|Von|De|Da|Van|Från|Fra|Lähettäjä|Od|От|发件人|寄件者|差出人|보낸 사람)"
    r"|(?P<time>Sent|Date|Gesendet|Datum|Envoyé|Enviado(?: el)?|Fecha|Enviada em|Data|Inviato|Verzonden|Skickat|Sendt|"
    r"Dato|Lähetetty|Päiväys|Wysłano|Odesláno|Отправлено|Дата|发送时间|送信日時|日期|보낸 날짜)"
    r"|(?P<to>To|An|À|Para|A|Aan|Till|Til|Vastaanottaja|Do|Komu|Кому|收件人|宛先|받는 사람)"
    r"|(?P<subject>Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Ämne|Emne|Aihe|Temat|Předmět|Тема|主题|主旨|"
    r"件名|제목))\s*\*?\s*[:：]",
)
_SENT_FROM = re.compile(
    r"\s*(?:Sent (?:from|via|with)|Get Outlook for|Gesendet (?:von|mit|via|aus)|Von meinem .{1,40} gesendet|"
    r"Diese Nachricht wurde von meinem|Holen Sie sich Outlook|Envoyé (?:de|depuis|à partir)|Télécharger Outlook|"
    r"Enviado (?:desde|do|a partir)|Enviada do|Obtener Outlook|Inviato da|Verzonden (?:vanaf|met|vanuit)|"
    r"Skickat från|Sendt fra|Lähetetty|Wysłane z|Wysłano z|Odesláno z|Отправлено (?:с|из)|Yahoo Mail|iPhoneから送信|"
    r"发自我的|從我的|나의 .{1,20}에서 보냄)[^.,;!?<(]{0,60}\.?(?:\s*[<(\[]?https?://\S{1,200})?\s*$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"\s*(?:--|__|—)\s*$")
_DASH_NAME = re.compile(r"\s*-\w[^\n]{0,38}$")
_RULE = re.compile(r"\s*\*?[-_=*]{10,}\*?\s*$")
_QUOTED = re.compile(r"\s{0,3}>")


class Told(msgspec.Struct, frozen=True):
    """A text taken apart."""

    #: what the author wrote
    text: str
    #: something was left out
    cut: bool


def strip_history(text: str, is_reply: bool = True) -> Told:
    """The words of the author alone. Of a mail that answers nothing only the signature is taken off.

    A forwarded mail keeps what it forwards: that is what it is about.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = _forward_begins(lines)
    kept = _own_lines(lines[:end], is_reply)
    kept = _without_signature(kept)
    told = "\n".join([*kept, *([""] if kept else []), *lines[end:]]).strip()
    whole = "\n".join(lines).strip()
    if not told:
        return Told(text=whole, cut=False)
    return Told(text=re.sub(r"\n{3,}", "\n\n", told), cut=len(told) < len(whole))


def _forward_begins(lines: Sequence[str]) -> int:
    return next((place for place, line in enumerate(lines) if _FORWARDED.fullmatch(line[:_LONGEST_LINE])), len(lines))


def _own_lines(lines: Sequence[str], is_reply: bool) -> list[str]:
    """The lines that are not quoted; nothing after a head behind which the rest is history."""
    if not is_reply:
        return list(lines)
    own: list[str] = []
    place = 0
    while place < len(lines):
        if _ORIGINAL.fullmatch(lines[place][:_LONGEST_LINE]) or _is_head(lines, place):
            while own and (not own[-1].strip() or _RULE.fullmatch(own[-1])):
                own.pop()
            break
        height = _attribution(lines, place)
        if height:
            if _quote_follows(lines, place + height):
                place += height
                continue
            if _is_certain(" ".join(lines[place : place + height])):
                break
        if not _QUOTED.match(lines[place]):
            own.append(lines[place])
        elif own and own[-1]:
            own.append("")
        place += 1
    return own


def _is_head(lines: Sequence[str], place: int) -> bool:
    """A sender's line with at least two of time, recipient and subject in the lines below it."""
    found = _LABELS.match(lines[place][:_LONGEST_LINE])
    if not found or found.lastgroup != "sender":
        return False
    below = [line for line in lines[place + 1 : place + 12] if line.strip()][:6]
    matches = [_LABELS.match(line[:_LONGEST_LINE]) for line in below]
    return len({match.lastgroup for match in matches if match} - {"sender"}) >= 2


def _attribution(lines: Sequence[str], place: int) -> int:
    """How many lines from here are one "On ... wrote:"; 0 for none. It names a time or an address."""
    first = lines[place].strip(" >*\t")
    if len(first) > _LONGEST_LINE or _QUOTED.match(lines[place]):
        return 0
    if not (_BEGINS.match(first) or _WROTE.search(first)):
        return 0
    joined = ""
    for height, raw in enumerate(lines[place : place + _MOST_ATTRIBUTION], 1):
        line = raw.strip()
        joined = f"{joined} {line}".strip()
        if not line or len(line) > _LONGEST_LINE:
            break
        if _WROTE.search(joined):
            return height if _NAMED.search(joined) else 0
        if line.endswith((":", "：")):
            break
    return 0


def _is_certain(attribution: str) -> bool:
    return "@" in attribution or bool(_TIME.search(attribution) and _DATE.search(attribution))


def _quote_follows(lines: Sequence[str], place: int) -> bool:
    while place < len(lines) and not lines[place].strip():
        place += 1
    return place < len(lines) and bool(_QUOTED.match(lines[place]))


def _without_signature(lines: Sequence[str]) -> list[str]:
    """Without what follows "-- ", a footer behind a rule, "Sent from my phone" and a "-Name" at the end."""
    kept = list(lines)
    for place, line in enumerate(kept):
        is_footer = (
            len(kept) - place < _LONGEST_FOOTER
            and place > 0
            and _RULE.fullmatch(line)
            and _is_footer(kept[place + 1 :])
        )
        if is_footer or (_SIGNATURE.fullmatch(line) and (place == 0 or not kept[place - 1].strip() or line == "-- ")):
            kept = kept[:place]
            break
    while kept and not kept[-1].strip():
        kept.pop()
    while kept and _SENT_FROM.fullmatch(kept[-1]):
        kept.pop()
        while kept and not kept[-1].strip():
            kept.pop()
    if len(kept) > 2 and _DASH_NAME.fullmatch(kept[-1]) and not kept[-2].strip():
        kept.pop()
    return kept


def _is_footer(below: Sequence[str]) -> bool:
    """A few short lines to the end, one with an address: what a mailing list hangs below each mail."""
    rest = [line for line in below if line.strip()]
    return len(rest) <= 6 and any("@" in line or "http" in line for line in rest)
