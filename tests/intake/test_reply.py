"""What a writer newly wrote is told from what was quoted; where it is unsure nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.reply import Reply, split_reply

ATTRIBUTIONS = [
    "On Mon, 6 Jul 2026 at 09:00, Ann Doe <ann@corp.example> wrote:",
    "On Mon, 6 Jul 2026 at 09:00, Ann Doe\n<ann@corp.example> wrote:",
    "On Mon, 6 Jul 2026\nat 09:00, Ann Doe\n<ann@corp.example>\nwrote:",
    "6.07.2026 09:00 Ann Doe <ann@corp.example>:",
    "Mon, 6 Jul 2026 09:00:00 +0200 от Анна <ann@corp.example>:",
    "W dniu 6.07.2026 o 09:00, Anna Żak napisał(a):",
    "pon., 6 lip 2026 o 09:00 Anna Żak <ann@corp.example> napisała:",
    "Il giorno lun 6 lug 2026 alle ore 09:00 Anna <ann@corp.example> ha scritto:",
    "Le lun. 6 juil. 2026 à 09:00, Anne <ann@corp.example> a écrit :",
    "El lun, 6 jul 2026 a las 9:00, Ana (<ann@corp.example>) escribió:",
    "Am 06.07.2026 um 09:00 schrieb Anna Doe <ann@corp.example>:",
    "Am Mo., 6. Juli 2026 um 09:00 Uhr schrieb Anna Doe:",
    "Op 6 juli 2026 om 09:00 schreef Anna <ann@corp.example>:",
    "Em seg., 6 de jul. de 2026 às 09:00, Ana <ann@corp.example> escreveu:",
    "Den mån 6 juli 2026 kl 09:00 skrev Anna <ann@corp.example>:",
    "2026年7月6日(月) 9:00 佐藤 花子 <ann@corp.example>:",
    "2026/07/06 9:00 佐藤さんは書きました：",
    "في الاثنين، 6 يوليو 2026 في 9:00 كتب أحمد <ann@corp.example>:",
    "6 июля 2026 г., 09:00, Анна <ann@corp.example> написал(а):",
    "---- On Mon, 06 Jul 2026 09:00:00 +0200 Ann <ann@corp.example> wrote ----",
]

BLOCKS = [
    "-----Original Message-----\nFrom: Ann\nTo: Bob\nSubject: x",
    "----- Ursprüngliche Nachricht -----\nhello",
    "-----Messaggio originale-----\nciao",
    "-----Oryginalna wiadomość-----\ncześć",
    "-------- Message d'origine --------\nsalut",
    "---------- Forwarded message ---------\nold",
    "From: Ann Doe <ann@corp.example>\nSent: Monday, July 6, 2026 9:00 AM\nTo: Help\nSubject: Printer\n\nold",
    "________________________________\nFrom: Ann Doe\nSent: Monday\nTo: Help\nSubject: Printer\n\nold",
    "*From:* Ann Doe\n*Sent:* Monday\n*To:* Help\n*Subject:* Printer\n\nold",
    "Von: Ann Doe\nGesendet: Montag\nAn: Help\nBetreff: Drucker\n\nalt",
    "Da: Ann Doe\nInviato: lunedì\nA: Help\nOggetto: Stampante\n\nvecchio",
    "Od: Anna Żak\nWysłano: poniedziałek\nDo: Help\nTemat: Drukarka\n\nstare",
    "De : Anne\nEnvoyé : lundi\nÀ : Help\nObjet : Imprimante\n\nvieux",
    "De: Ana\nEnviado: lunes\nPara: Help\nAsunto: Impresora\n\nviejo",
    "差出人: 佐藤\n送信日時: 2026年7月6日\n宛先: Help\n件名: プリンター\n\n古い",
    "من: أحمد\nأرسلت: الاثنين\nإلى: Help\nالموضوع: الطابعة\n\nقديم",
    "Date: Mon, 6 Jul 2026\nFrom: ann@corp.example\nTo: help@corp.example\n\nold",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("old", ["> old\n> text", "old\ntext", "\n> old", "\nold"])
def test_an_attribution_and_what_follows_is_no_reply(attribution, old):
    assert split_reply(f"New text.\n\n{attribution}\n{old}") == Reply("New text.")


@pytest.mark.parametrize("block", BLOCKS)
def test_the_header_of_an_older_mail_ends_the_reply(block):
    assert split_reply(f"New text.\n\n{block}\nand more") == Reply("New text.")


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("new\n\n> old\n> older", "new"),
        ("> old\n\nnew", "new"),
        ("On 6 Jul 2026 Ann wrote:\n> old\n\nnew", "new"),
        ("> question 1\nanswer 1\n> question 2\nanswer 2\n> rest", "answer 1\n> question 2\nanswer 2"),
        ("new\n\nOn 6 Jul 2026 Ann wrote:\n> old\n\nRegards, Bob", "new\n\n\nRegards, Bob"),
        ("yes--- On Wed, Apr 4, 2026 at 3:59 PM, ann@corp.example wrote:\n> old", "yes"),
        ("only text", "only text"),
        ("> only\n> quotes", "> only\n> quotes"),
        (
            "---------- Forwarded message ----------\nFrom: a@b\nold",
            "---------- Forwarded message ----------\nFrom: a@b\nold",
        ),
        ("", ""),
        ("\n\n  text  \n\n", "text"),
    ],
)
def test_quotations_around_an_answer_are_cut(text, reply):
    assert split_reply(text).reply == reply


@pytest.mark.parametrize(
    "text",
    [
        "As the manual wrote:\nplease restart",
        "Flight\nFrom: Warsaw\nTo: Rome\nDate: 6 July",
        "On Monday the printer failed.\nIt still does:",
        "From: is what I typed",
        "I meet Ann 10:30 tomorrow",
        "-----",
        "My steps:\n1. On Monday I wrote the form: done",
        "a -- b",
    ],
)
def test_words_that_only_look_like_a_quotation_stay(text):
    assert split_reply(text) == Reply(text)


@pytest.mark.parametrize(
    ("text", "reply", "signature"),
    [
        ("text\n-- \nAnn Doe\nIT", "text", "-- \nAnn Doe\nIT"),
        ("text\n--\nAnn", "text", "--\nAnn"),
        ("text\n\nSent from my iPhone", "text", "Sent from my iPhone"),
        ("text\n\nWysłane z iPhone'a", "text", "Wysłane z iPhone'a"),
        ("text\n\nInviato da iPhone", "text", "Inviato da iPhone"),
        ("text\n\nVon meinem iPhone gesendet", "text", "Von meinem iPhone gesendet"),
        ("text\n-- \nAnn\n\nOn 6 Jul 2026 Bob wrote:\n> old", "text", "-- \nAnn"),
        ("> old\n-- \nAnn", "", "-- \nAnn"),
        ("-- \nAnn", "-- \nAnn", ""),
        ("I read\nSent from my heart\nand more\nand more", "I read\nSent from my heart\nand more\nand more", ""),
    ],
)
def test_the_signature_is_set_apart(text, reply, signature):
    found = split_reply(text)
    assert (found.reply, found.signature) == (reply, signature.replace("-- ", "--") if signature else "")


def test_the_mark_of_the_writers_program_cuts_where_words_do_not():
    html = "new<div class='gmail_quote'>1 lipca pisała Anna tak<br>stare</div>"
    assert split_reply("new\n\n1 lipca pisała Anna tak\nstare", html) == Reply("new")


def test_html_without_such_a_mark_changes_nothing():
    assert split_reply("new\nstare", "<p>new</p><p>stare</p>") == Reply("new\nstare")


def test_a_text_of_very_many_lines_stays_whole():
    text = "On\n" * 30_000 + "> old"
    assert split_reply(text).reply == text


LINES = st.sampled_from(
    [
        *ATTRIBUTIONS[:6],
        *BLOCKS[:8],
        "> old",
        ">> older",
        "",
        " ",
        "new",
        "-- ",
        "--",
        "Sent from my iPhone",
        "From: a@b",
    ]
)


@given(st.lists(LINES, max_size=25))
def test_a_reply_only_holds_lines_of_the_text(lines):
    text = "\n".join(lines)
    found = split_reply(text)
    given_lines = {line.strip() for line in text.split("\n")} | {""}
    assert {line.strip() for line in f"{found.reply}\n{found.signature}".split("\n")} <= given_lines


@given(st.lists(LINES, max_size=25))
def test_a_text_with_words_never_becomes_nothing(lines):
    text = "\n".join(lines)
    found = split_reply(text)
    assert bool(found.reply or found.signature) == bool(text.strip())


@given(st.lists(st.text(alphabet="abc .,!?", max_size=40), max_size=12))
def test_a_text_without_quotations_is_its_own_reply(lines):
    text = "\n".join(line.rstrip() for line in lines).strip()
    assert split_reply(text) == Reply(text)
