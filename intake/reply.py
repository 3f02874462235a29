"""What a writer newly wrote: the text without what is quoted below or above it, and without the signature.

By lines, one pass each, in the words mail programs write in some twenty languages. Where the cut is unsure more is
kept, never less: answers between quoted lines keep them; what would be cut whole stays whole.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from intake.html import quotation_start

_WINDOW = 4
"""Lines over which an attribution may be wrapped."""
_BLOCK = 7
_LONGEST = 500
_MAX_SIGNATURE = 25
_MAX_LINES = 20_000
"""More lines than anybody writes: such a text is taken whole."""

_VERB = re.compile(
    r"\b(?:wrote|writes|écrit|escrit|escribió|escribio|escreveu|schrieb|schreibt|scrisse|ha scritto|napisał|napisała"
    r"|napisal|geschreven|pisze|skrev|schreef|kirjoitti|yazdı|viết|napsal|írta|scris|написал"
    r"|написала|написав|пишет|пише|έγραψε)\b"
    r"|كتب|كتبت|写道|寫道|書きました|のメッセージ|のメール|님이 작성|כתב",
    re.IGNORECASE,
)
_START = re.compile(
    r"(?:On|Le|El|Am|Il|Em|Op|Den|Dne|Dnia|W dniu|Pada|Vào|Pe|Στις|В|У|في|بتاريخ|在|於|\d{1,4}[-./年 ]\d"
    r"|\w{2,12}[.,] )",
    re.IGNORECASE,
)
_DECORATION = "*_ \xa0)"
_LAST_WORDS = (":", "：", "napisał(a", "написал(а")
_TIME = re.compile(r"\d[:.h]\d\d")
_BEHIND_TEXT = re.compile(r"[-\s]{0,20}\bOn (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? .{5,200} wrote:\Z")
_ZOHO = re.compile(r"-{2,} ?On .{5,300} wrote ?-{2,}")
_SEPARATOR = re.compile(
    r"[-_=*\s]{2,30}(?:original (?:message|appointment)|reply message|forwarded (?:message|by)[^-]{0,100}"
    r"|urspr(?:ü|ue)ngliche (?:nachricht|mitteilung)|originalnachricht|weitergeleitete nachricht"
    r"|message (?:d['’]origine|original)|message transféré|mensaje original|mensaje reenviado|mensagem original"
    r"|messaggio (?:originale|inoltrato)|(?:oryginalna wiadomość|wiadomość oryginalna|treść oryginalnej wiadomości)"
    r"|oorspronkelijk bericht|originalmeddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti"
    r"|исходное сообщение|пересылаемое сообщение|original-nachricht|元のメッセージ|原始邮件|原始郵件|الرسالة الأصلية"
    r"|پیام اصلی|orijinal mesaj|původní zpráva)[-_=*:\s]{0,30}",
    re.IGNORECASE,
)


class _Label(Enum):
    FROM = (
        "from|von|de|da|od|van|från|fra|lähettäjä|kimden|от|від|差出人|送信者|发件人|寄件者|寄件人|من|từ|feladó"
        "|expéditeur|mittente|nadawca"
    )
    SUBJECT = (
        "subject|betreff|objet|oggetto|temat|asunto|assunto|onderwerp|ämne|emne|aihe|konu|тема|件名|主题|主旨"
        "|الموضوع|chủ đề|tárgy|předmět"
    )
    OTHER = (
        "sent|date|gesendet|datum|envoyé|inviato|data|wysłano|wysłane|enviado|enviada|fecha|verzonden|skickat|sendt|dato"
        "|päivämäärä|lähetetty|送信日時|日付|日時|发送时间|日期|寄件日期"
        "|أرسلت|تاريخ|التاريخ|отправлено|дата|надіслано|gönderildi|tarih|đã gửi|ngày"
        "|to|an|à|a|do|para|aan|till|til|vastaanottaja|kime|кому|宛先|收件人"
        "|إلى|đến|cc|kopie|copie|kopia|dw|reply-to"
    )


_LABELLED = re.compile(
    r"[>*_\s]{0,9}(?:" + "|".join(f"(?P<{label.name}>{label.value})" for label in _Label) + r")[*_ \xa0]{0,4}[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"[-_=*]{5,200}")
_MOBILE = re.compile(
    r"(?:sent (?:from|via|with) (?:my |the |outlook|yahoo|mail|proton|samsung)|get outlook for"
    r"|von meinem .{1,40} gesendet|gesendet (?:von|mit) |envoyé de(?:puis)? mon "
    r"|inviato da(?:l mio)? |enviado de(?:sde)? m[ie]|enviado do meu "
    r"|wysłane? z(?: mojego)? |verzonden vanaf mijn |skickat från min |отправлено с |iPhoneから送信|发自我的"
    r"|أُ?رسلت من).{0,60}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """The newly written text, and the signature that stood below it; each stripped of empty lines around it."""

    reply: str
    signature: str = ""


def split_reply(text: str, html: str | None = None) -> Reply:
    """The new text and the signature of a mail's text; html, if the mail has it, tells where its program quotes."""
    if text.count("\n") > _MAX_LINES:
        return Reply(text.strip())
    lines = list(_parted(text.split("\n")))
    starts = _possible_starts(lines)
    kept = _unquoted(lines, _end(lines, html, starts), starts)
    if not any(line.strip() for line in kept):
        return Reply(text.strip())
    mark = _signature_start(kept)
    reply, signature = _joined(kept[:mark]), _joined(kept[mark:])
    if not reply and len(kept) == len(lines):
        return Reply(text.strip())
    return Reply(reply, signature)


def _parted(lines: Sequence[str]) -> Iterator[str]:
    """The lines, an attribution that shares its line with an answer in a line of its own."""
    for line in lines:
        found = _BEHIND_TEXT.search(line) if line.endswith("wrote:") and len(line) < _LONGEST else None
        if found and line[: found.start()].strip("> "):
            yield line[: found.start()]
            yield found[0].lstrip("- ")
        else:
            yield line


def _possible_starts(lines: Sequence[str]) -> frozenset[int]:
    """The lines in which an attribution may begin: one of the next _WINDOW lines ends like one, or is very long."""
    ends = (
        number
        for number, line in enumerate(lines)
        if len(line) >= _LONGEST // _WINDOW or line.strip().rstrip(_DECORATION).endswith((*_LAST_WORDS, "-"))
    )
    return frozenset(start for end in ends for start in range(end - _WINDOW + 1, end + 1))


def _end(lines: Sequence[str], html: str | None, starts: frozenset[int]) -> int:
    """Where everything that follows is an older mail; len(lines) where nothing says so."""
    for number, line in enumerate(lines):
        bare = line.strip()
        if not bare or bare.startswith(">"):
            continue
        if (bare[0] in "-_=*" and _SEPARATOR.fullmatch(bare[:_LONGEST])) or _begins_block(lines, number):
            return _above_rule(lines, number)
        behind = _attribution(lines, number) if number in starts else 0
        if behind and not _quoted_below(lines, behind):
            return _above_rule(lines, number)
    start = quotation_start(html) if html else ""
    found = next((number for number, line in enumerate(lines) if start and line.strip("> ").startswith(start)), 0)
    return found or len(lines)


def _unquoted(lines: Sequence[str], end: int, starts: frozenset[int]) -> list[str]:
    """The lines before end without the quotations around them; answers between quotations keep those in between."""
    lines = lines[:end]
    old = [line.lstrip().startswith(">") for line in lines]
    attributed = 0
    for number in sorted(starts.intersection(range(end))):
        behind = 0 if old[number] else _attribution(lines, number)
        if behind:
            attributed += 1
            old[number:behind] = [True] * (behind - number)
    new = [number for number in range(end) if not old[number] and lines[number].strip()]
    if not new:
        return []
    kept = range(new[0], new[-1] + 1)
    blocks = sum(old[number] and not _quoted_before(lines, old, number) for number in kept)
    lone = attributed == 1 and blocks == 1
    return [lines[number] for number in kept if not (lone and old[number])]


def _quoted_before(lines: Sequence[str], old: Sequence[bool], number: int) -> bool:
    """The line belongs to the same quotation as the one above it, empty lines set aside."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above >= 0 and old[above]


def _attribution(lines: Sequence[str], number: int) -> int:
    """The line behind an attribution ("On Monday Alice wrote:") that begins in this line, or 0."""
    text = lines[number].strip()[:_LONGEST]
    if not text or not (_START.match(text.lstrip("*_- ")) or _says_who(text)):
        return 0
    for behind in range(number + 1, min(number + _WINDOW, len(lines)) + 1):
        if _is_attribution(text):
            return behind
        following = lines[behind].strip() if behind < len(lines) else ""
        if not following or following.startswith(">"):
            return 0
        text = f"{text} {following}"[:_LONGEST]
    return 0


def _is_attribution(text: str) -> bool:
    if _ZOHO.fullmatch(text) or (text.endswith((">:", ">：")) and "@" in text and _TIME.search(text)):
        return True
    return _says_who(text) and ("@" in text or any(character.isdigit() for character in text))


def _says_who(text: str) -> bool:
    return text.rstrip(_DECORATION).endswith(_LAST_WORDS) and _VERB.search(text) is not None


def _quoted_below(lines: Sequence[str], number: int) -> bool:
    """The first line with anything in it is quoted."""
    below = next((line for line in lines[number : number + _BLOCK] if line.strip()), "")
    return below.lstrip().startswith(">")


def _begins_block(lines: Sequence[str], number: int) -> bool:
    """The header of an older mail as Outlook writes it: three labels, one the sender's, and a subject or an @."""
    line = lines[number]
    first = _LABELLED.match(line) if ":" in line or "：" in line else None
    if first is None:
        return False
    block = [(found.lastgroup, line) for line in lines[number : number + _BLOCK] if (found := _LABELLED.match(line))]
    labels = {label for label, _ in block}
    if len(block) < 3 or "FROM" not in labels:  # noqa: PLR2004 - From, To and one more
        return False
    return "SUBJECT" in labels or any("@" in line for label, line in block if label == "FROM")


def _above_rule(lines: Sequence[str], number: int) -> int:
    """The number of the line, or of the line drawn above it."""
    above = number - 1
    while above > 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.fullmatch(lines[above].strip()) else number


def _signature_start(lines: Sequence[str]) -> int:
    """Where the signature begins: at "-- " (RFC 3676 section 4.3), or at what a telephone adds in the last lines."""
    for number in range(len(lines) - 1, max(-1, len(lines) - _MAX_SIGNATURE), -1):
        bare = lines[number].strip()
        if bare in ("--", "—", "–") or (_MOBILE.fullmatch(bare) and number >= len(lines) - 2):
            return number
    return len(lines)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n").strip()
