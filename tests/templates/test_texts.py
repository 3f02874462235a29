"""What a person reads, word for word: each change of a text shows here."""

import html
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from desk.promise import Delay
from templates.render import LANGUAGES, Event, render_notification, render_receipt

RECEIPTS = {
    "en": """\
Hello Anna Nowak,

Thank you for your message.
It is now with IT Support.

A person will answer you by:
  tomorrow, Wednesday 25 November, 11:00 (CET)
We expect to have it solved by:
  Friday 27 November, 15:00 (CET)

We cannot answer today because our working hours are over or nearly over.

If it cannot wait, just reply to this mail and say so.
For emergencies: +48 22 555 01 99

Whatever you send as a reply to this mail is added to the same request.

Ref: R-1042 k7f3qz2m9x4w8tbd
""",
    "pl": """\
Dzień dobry,

dziękujemy za wiadomość.
Zajmuje się nią zespół: IT Support.

Ktoś z nas odpowie najpóźniej:
  jutro, w środę 25 listopada, o godz. 11:00 (CET)
Rozwiązanie przewidujemy najpóźniej:
  w piątek 27 listopada o godz. 15:00 (CET)

Dziś nie zdążymy odpowiedzieć, bo nasze godziny pracy już minęły
albo właśnie się kończą.

Jeśli sprawa nie może czekać, wystarczy o tym napisać w odpowiedzi
na tę wiadomość.
W nagłych przypadkach: +48 22 555 01 99

Każdą odpowiedź na tę wiadomość dołączymy do tego samego zgłoszenia.

Ref: R-1042 k7f3qz2m9x4w8tbd
""",
    "it": """\
Buongiorno Anna Nowak,

grazie per averci scritto.
La richiesta è ora affidata a: IT Support.

Una persona risponderà entro:
  domani, mercoledì 25 novembre, ore 11:00 (CET)
Contiamo di risolvere la richiesta entro:
  venerdì 27 novembre, ore 15:00 (CET)

Oggi non riusciamo a rispondere perché l’orario di lavoro è terminato
o sta per terminare.

Se la questione non può aspettare, basta rispondere a questa e-mail
e scrivercelo.
Per le emergenze: +48 22 555 01 99

Ogni risposta a questa e-mail viene aggiunta alla stessa richiesta.

Ref: R-1042 k7f3qz2m9x4w8tbd
""",
    "ar": """\
مرحبًا \u2068Anna Nowak\u2069،

شكرًا على رسالتك.
الجهة التي تتولى طلبك الآن: \u2068IT Support\u2069.

سيرد عليك أحد زملائنا في موعد أقصاه:
  غدًا الأربعاء 25 نوفمبر، الساعة \u206611:00\u2069 بتوقيت وارسو
ونتوقع حل الطلب في موعد أقصاه:
  الجمعة 27 نوفمبر، الساعة \u206615:00\u2069 بتوقيت وارسو

لن نتمكن من الرد اليوم لأن ساعات عملنا انتهت أو أوشكت على الانتهاء.

إذا كان الأمر لا يحتمل الانتظار، فيكفي الرد على هذه الرسالة وإخبارنا بذلك.
للحالات الطارئة: \u2068+48 22 555 01 99\u2069

كل رد على هذه الرسالة يُضاف إلى الطلب نفسه.

\u2068Ref: R-1042 k7f3qz2m9x4w8tbd\u2069
""",
    "ja": """\
Anna Nowak 様

ご連絡いただき、ありがとうございます。
IT Supportが承りました。

担当者からのお返事：
  明日11月25日(水) 11:00(ワルシャワ時間)まで
解決の見込み：
  11月27日(金) 15:00(ワルシャワ時間)まで

本日の業務時間は終了したか、残りわずかのため、
本日中にお返事ができず恐れ入ります。

お急ぎの場合は、このメールへのご返信でその旨お知らせください。
緊急のご連絡先：+48 22 555 01 99

このメールにご返信いただいた内容は、同じご依頼に追加されます。

Ref: R-1042 k7f3qz2m9x4w8tbd
""",
}

EXTERNAL = {
    "en": ("We have received your message", "It has reached us safely."),
    "pl": ("Dziękujemy, otrzymaliśmy wiadomość", "Dotarła do nas i jest w dobrych rękach."),
    "it": ("Abbiamo ricevuto il messaggio", "Il messaggio è arrivato ed è in buone mani."),
    "ar": ("تم استلام رسالتك", "لقد وصلتنا وهي موضع اهتمامنا."),
    "ja": ("ご連絡を受け付けました", "確かに承りました。"),
}

DELAYS = [
    ("en", Delay.WEEKEND, "We cannot answer today because it is not one of our working days."),
    ("en", Delay.CLOSED, "We cannot answer today because we are closed: Holiday."),
    ("en", Delay.WORKLOAD, "We cannot answer today because we are also working on other requests."),
    ("pl", Delay.WEEKEND, "Dziś nie odpowiemy, bo nie jest to nasz dzień pracy."),
    ("pl", Delay.CLOSED, "Dziś nie odpowiemy, bo mamy dzień wolny: Holiday."),
    ("pl", Delay.WORKLOAD, "Dziś nie zdążymy odpowiedzieć, bo pracujemy też nad innymi zgłoszeniami."),
    ("it", Delay.WEEKEND, "Oggi non possiamo rispondere perché per noi non è un giorno lavorativo."),
    ("it", Delay.CLOSED, "Oggi non possiamo rispondere perché siamo chiusi: Holiday."),
    ("it", Delay.WORKLOAD, "Oggi non riusciamo a rispondere perché stiamo seguendo anche altre richieste."),
    ("ar", Delay.WEEKEND, "لن نتمكن من الرد اليوم لأنه ليس من أيام عملنا."),
    ("ar", Delay.CLOSED, "لن نتمكن من الرد اليوم لأنه يوم عطلة لدينا: \u2068Holiday\u2069."),
    ("ar", Delay.WORKLOAD, "لن نتمكن من الرد اليوم لأننا نعمل أيضًا على طلبات أخرى."),
    ("ja", Delay.WEEKEND, "本日は定休日のため、本日中にお返事ができず恐れ入ります。"),
    ("ja", Delay.CLOSED, "本日は休業日(Holiday)のため、 本日中にお返事ができず恐れ入ります。"),
    ("ja", Delay.WORKLOAD, "ほかのご依頼にも対応しているため、 本日中にお返事ができず恐れ入ります。"),
]

NOTIFICATION = """\
New request R-1042.

From: Anna Nowak <anna@corp.example>
To: help@corp.example
Department: IT Support
Answer by: tomorrow, Wednesday 25 November, 11:00 (CET)
Solution by: Friday 27 November, 15:00 (CET)

Message:
> Good afternoon,
>
>   it prints only grey.
> Anna

Reply to this mail: it goes to the requester and to help@corp.example.
"""

DOUBTFUL = """\
Request R-1042: the sender could not be verified.
Please check the message before you act on it.

From: anna@corp.example
To: help@corp.example
Department: IT Support
Answer by: tomorrow, Wednesday 25 November, 11:00 (CET)
Solution by: Friday 27 November, 15:00 (CET)

No receipt was sent: the sender is unproven

What was noticed:
- SPF fail
- DKIM absent

Message:
(no text)

Attachments:
- grey.pdf, 12 kB

Reply to this mail: it goes to the requester and to help@corp.example.
"""

EVENTS = {
    "en": ("New request", "New message", "no part in it", "could not be verified"),
    "pl": ("Nowe zgłoszenie", "Nowa wiadomość", "nie uczestniczy", "nie udało się potwierdzić"),
    "it": ("Nuova richiesta", "Nuovo messaggio", "non ne fa parte", "non è stato possibile verificare"),
    "ar": ("طلب جديد", "رسالة جديدة", "ليس طرفًا فيه", "تعذر التحقق"),
    "ja": ("新しい依頼", "新しいメッセージ", "関係者以外", "確認できませんでした"),
}

NO_ISOLATES = dict.fromkeys(range(0x2066, 0x206A))

every_language = pytest.mark.parametrize("language", LANGUAGES)


def words_of_html(page):
    """The words a reader of the HTML part sees, without regard to lines."""
    body = page[page.index("<body>") :].translate(NO_ISOLATES)
    return "".join(html.unescape(re.sub(r"<[^>]*>", "", body)).split())


def words_of_text(text):
    """The same of the text part, without isolates, quotation signs and bullets."""
    plain = re.sub("^[>-]", "", text.translate(NO_ISOLATES), flags=re.MULTILINE)
    return "".join(plain.split())


def columns(line):
    """The width of a line on a screen: East Asian wide letters take two columns, marks and isolates none."""
    shown = [letter for letter in line if unicodedata.category(letter) not in {"Mn", "Cf"}]
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in shown)


@every_language
def test_a_receipt_reads_so(receipt_facts, language):
    rendered = render_receipt(replace(receipt_facts, language=language))
    assert rendered.text == RECEIPTS[language]
    assert rendered.subject is None


@every_language
def test_a_receipt_for_a_stranger_discloses_nothing(receipt_facts, language):
    """Neither who has it nor who wrote, why the office is closed or whom to call; the subject is ours."""
    facts = replace(receipt_facts, language=language, external=True, delay=Delay.CLOSED, closed_name="Founders’ Day")
    rendered = render_receipt(facts)
    subject, arrived = EXTERNAL[language]
    assert rendered.subject == subject
    assert arrived in rendered.text
    for part in (rendered.text, rendered.html):
        assert not re.search("Anna|Nowak|IT Support|Founders|555", part)
        assert "Ref: R-1042 k7f3qz2m9x4w8tbd" in part


@pytest.mark.parametrize(("language", "delay", "sentence"), DELAYS)
def test_a_receipt_says_why_the_answer_is_not_today(receipt_facts, language, delay, sentence):
    facts = replace(receipt_facts, language=language, delay=delay, closed_name="Holiday")
    assert sentence in render_receipt(facts).text.replace("\n", " ")


@pytest.mark.parametrize("delay", [delay for delay in Delay if delay is not Delay.NONE])
def test_where_the_answer_is_promised_for_the_readers_today_no_delay_is_explained(receipt_facts, delay):
    """On the department's Sunday evening its Monday is today for a reader in Dubai."""
    sunday = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
    facts = replace(receipt_facts, delay=delay, now=sunday, first_response=sunday.replace(day=23, hour=12))
    dubai = timezone(timedelta(hours=4))
    assert "cannot answer today" in render_receipt(replace(facts, zone=UTC)).text
    assert "cannot answer today" not in render_receipt(replace(facts, zone=dubai)).text


@every_language
def test_each_delay_has_words_of_its_own_and_none_has_none(receipt_facts, language):
    texts = {delay: render_receipt(replace(receipt_facts, language=language, delay=delay)).text for delay in Delay}
    assert len(set(texts.values())) == len(Delay)
    paragraphs = {delay: len(text.split("\n\n")) for delay, text in texts.items()}
    assert {paragraphs[delay] - paragraphs[Delay.NONE] for delay in set(Delay) - {Delay.NONE}} == {1}


@every_language
@pytest.mark.parametrize("name", ["", "anna@corp.example"])
def test_without_a_name_the_greeting_names_nobody(receipt_facts, language, name):
    text = render_receipt(replace(receipt_facts, language=language, requester_name=name)).text
    first = {"en": "Hello,", "pl": "Dzień dobry,", "it": "Buongiorno,", "ar": "مرحبًا،"}
    assert text.splitlines()[0] == first.get(language, "ご連絡いただき、ありがとうございます。")


@every_language
def test_without_an_urgent_contact_nothing_stands_in_its_place(receipt_facts, language):
    """The text differs by exactly the line that holds the number."""
    told = render_receipt(replace(receipt_facts, language=language)).text.splitlines()
    silent = render_receipt(replace(receipt_facts, language=language, urgent_contact="")).text.splitlines()
    assert silent == [line for line in told if "555" not in line]


@every_language
@pytest.mark.parametrize("delay", Delay)
@pytest.mark.parametrize("external", [False, True])
def test_both_parts_of_a_receipt_say_the_same(receipt_facts, language, delay, external):
    facts = replace(receipt_facts, language=language, delay=delay, closed_name="Holiday", external=external)
    rendered = render_receipt(facts)
    assert words_of_html(rendered.html) == words_of_text(rendered.text)


@every_language
@pytest.mark.parametrize("delay", Delay)
def test_no_line_of_a_receipt_is_wider_than_76_columns(receipt_facts, language, delay):
    text = render_receipt(replace(receipt_facts, language=language, delay=delay)).text
    assert max(map(columns, text.splitlines())) <= 76


@every_language
def test_a_receipt_has_single_blank_lines_and_its_reference_alone_in_the_last(receipt_facts, language):
    text = render_receipt(replace(receipt_facts, language=language, delay=Delay.NONE)).text
    assert "\n\n\n" not in text
    assert text.splitlines()[-2:] == ["", RECEIPTS[language].splitlines()[-1]]
    assert not re.search(r"[ \t]$", text, re.MULTILINE)


def test_a_notification_reads_so(notification_facts):
    rendered = render_notification(notification_facts)
    assert rendered.subject == "[R-1042] Printer on floor 3"
    assert rendered.text == NOTIFICATION


def test_a_notification_of_a_doubtful_mail_reads_so(notification_facts):
    facts = replace(
        notification_facts,
        event=Event.DOUBTFUL,
        requester_name="",
        reply=" \n",
        receipt_note="the sender is unproven",
        evidence=("SPF fail", "DKIM absent"),
        attachments=("grey.pdf, 12 kB",),
    )
    assert render_notification(facts).text == DOUBTFUL


@every_language
def test_a_notification_begins_with_what_happened(notification_facts, language):
    for event, expected in zip(Event, EVENTS[language], strict=True):
        text = render_notification(replace(notification_facts, language=language, event=event)).text
        heading = text.split("\n\n")[0]
        assert expected in heading
        assert "R-1042" in heading


@every_language
def test_no_line_of_a_notification_is_wider_than_76_columns(notification_facts, language):
    for event in Event:
        text = render_notification(replace(notification_facts, language=language, event=event)).text
        assert max(map(columns, text.splitlines())) <= 76


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "[R-1042] (no subject)"),
        ("pl", "[R-1042] (bez tematu)"),
        ("it", "[R-1042] (senza oggetto)"),
        ("ar", "[R-1042] (بلا موضوع)"),
        ("ja", "[R-1042] (件名なし)"),
    ],
)
def test_a_mail_without_subject_is_called_so(notification_facts, language, subject):
    facts = replace(notification_facts, language=language, subject=" \n ")
    assert render_notification(facts).subject == subject


DIVIDED = {
    "en": (
        "It is now with IT Support and HR.",
        "It is now with IT Support, HR and Payroll.",
        "Each of them will answer you by:",
        "We expect to have all of it solved by:",
    ),
    "pl": (
        "Zajmują się nią zespoły: IT Support i HR.",
        "Zajmują się nią zespoły: IT Support, HR i Payroll.",
        "Każdy z nich odpowie najpóźniej:",
        "Rozwiązanie całości przewidujemy najpóźniej:",
    ),
    "it": (
        "La richiesta è ora affidata a: IT Support e HR.",
        "La richiesta è ora affidata a: IT Support, HR e Payroll.",
        "Ciascun reparto risponderà entro:",
        "Contiamo di risolvere l’intera richiesta entro:",
    ),
    "ar": (
        "الجهتان اللتان تتوليان طلبك الآن: \u2068IT Support\u2069 و\u2068HR\u2069.",
        "الجهات التي تتولى طلبك الآن: \u2068IT Support\u2069 و\u2068HR\u2069 و\u2068Payroll\u2069.",
        "سيصلك رد من كل جهة في موعد أقصاه:",
        "ونتوقع حل الطلب كاملًا في موعد أقصاه:",
    ),
    "ja": (
        "IT Support、HRが承りました。",
        "IT Support、HR、Payrollが承りました。",
        "各部署からのお返事：",
        "すべての解決の見込み：",
    ),
}

COPIES = {
    "en": ("It is also with HR. Please answer your part of it.", "This is a copy for your information"),
    "pl": ("Zgłoszenie trafiło także tutaj: HR.", "To kopia do wiadomości. Odpowiedź po stronie: HR."),
    "it": ("La richiesta è affidata anche a: HR.", "È una copia per conoscenza."),
    "ar": ("يتولى الطلب أيضًا: \u2068HR\u2069.", "هذه نسخة للعلم."),
    "ja": ("この依頼は次の部署にも届いています：HR", "参考としてお送りする写しです。"),
}


@every_language
def test_a_receipt_of_several_departments_names_each_and_promises_for_all(receipt_facts, language):
    two, three, answer, solution = DIVIDED[language]
    for also, who in ((("HR",), two), (("HR", "Payroll"), three)):
        rendered = render_receipt(replace(receipt_facts, language=language, also=also))
        assert rendered.text.splitlines().count(who) == 1
        assert {answer, solution} <= set(rendered.text.splitlines())
        assert words_of_html(rendered.html) == words_of_text(rendered.text)
        assert max(map(columns, rendered.text.splitlines())) <= 76


@every_language
def test_a_receipt_of_one_department_says_nothing_of_several(receipt_facts, language):
    text = render_receipt(replace(receipt_facts, language=language)).text
    assert not {*DIVIDED[language]} & set(text.splitlines())


@every_language
def test_a_stranger_learns_of_none_of_several_departments(receipt_facts, language):
    told = render_receipt(replace(receipt_facts, language=language, external=True, also=("HR",)))
    assert told == render_receipt(replace(receipt_facts, language=language, external=True))


@every_language
def test_a_name_cannot_break_the_row_it_stands_in(receipt_facts, language):
    """Neither markup nor line breaks, controls or braces, nor the sign of the places in the row."""
    facts = replace(receipt_facts, language=language, also=("<b>{0}\n\0\u202eHR",))
    rendered = render_receipt(facts)
    assert "<b>{0} HR" in rendered.text
    assert "&lt;b&gt;{0} HR" in rendered.html


@every_language
def test_a_notification_names_who_has_it_too_and_a_copy_says_that_no_answer_is_owed(notification_facts, language):
    others, copy = COPIES[language]
    facts = replace(notification_facts, language=language, others=("HR",))
    shared, copied = (render_notification(replace(facts, is_copy=one)).text for one in (False, True))
    assert others in shared.splitlines()
    assert copy in copied
    assert others not in copied
    assert "11:00" in shared
    assert "11:00" not in copied
    assert max(map(columns, f"{shared}{copied}".splitlines())) <= 76
