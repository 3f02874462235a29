"""Each person is answered in the language they wrote in, by the department that can help."""

import pytest

from tests.acceptance.conftest import HELP, HR, Office
from tests.servers.letters import body, letter

pytestmark = [pytest.mark.server, pytest.mark.slow]

LETTERS = {
    "en": ("hr", "utf-8", "Parental leave", "Hello,\n\nhow many days of parental leave may I take this year?\n"),
    "pl": (
        "help",
        "iso-8859-2",
        "Nie mogę się zalogować",
        "Dzień dobry,\n\nzapomniałem hasła do komputera i nie mogę się zalogować. Proszę o pomoc.\n",
    ),
    "it": (
        "hr",
        "iso-8859-1",
        "Richiesta di ferie",
        "Buongiorno,\n\nvorrei chiedere due settimane di ferie ad agosto, perché la scuola è chiusa.\n",
    ),
    "ar": (
        "help",
        "windows-1256",
        "الطابعة لا تعمل",
        "مرحبا،\n\nالطابعة في الطابق الثالث لا تعمل منذ الصباح. أرجو المساعدة.\n",
    ),
    "ja": (
        "help",
        "iso-2022-jp",
        "パスワードを忘れました",
        "お世話になっております。\n\nパスワードを忘れてログインできません。よろしくお願いいたします。\n",
    ),
}
DEPARTMENTS = {"help": ("it", HELP), "hr": ("hr", HR)}
SIGNED_BY = {
    "en": "Human resources",
    "pl": "Wsparcie IT",
    "it": "Risorse umane",
    "ar": "الدعم التقني",
    "ja": "ITサポート",
}
SAYS = {
    "en": "Thank you for your message.",
    "pl": "dziękujemy za wiadomość.",
    "it": "Grazie",
    "ar": "شكر",
    "ja": "ありがとう",
}


@pytest.mark.parametrize("language", LETTERS)
def test_a_receipt_speaks_the_language_of_the_mail(office: Office, language: str):
    """Whatever charset it was written in: its words choose language and department."""
    mailbox, charset, subject, text = LETTERS[language]
    department, user = DEPARTMENTS[mailbox]
    mail = letter(subject, text, to=f"{mailbox}@corp.example", charset=charset)
    row = office.put(mail, user)
    sent = office.sent_about(mail)
    receipt = sent["anna@corp.example"]
    assert sorted(sent) == sorted(["anna@corp.example", f"{department}@corp.example"])
    assert receipt["Content-Language"] == language
    assert receipt["Subject"] == f"Re: {subject}"
    assert receipt["From"].addresses[0].display_name == SIGNED_BY[language]
    assert SAYS[language] in body(receipt)
    shown = office.desk.json("requests", "show", f"R-{row['request_number']}")
    assert (shown["language"], shown["department"], shown["subject"]) == (language, department, subject)
    assert shown["entries"][0]["text"].split() == text.split()


@pytest.mark.parametrize("language", LETTERS)
def test_the_page_of_a_receipt_is_laid_out_in_its_direction(office: Office, language: str):
    """Arabic is read from right to left, the others from left to right."""
    mailbox, charset, subject, text = LETTERS[language]
    mail = letter(subject, text, to=f"{mailbox}@corp.example", charset=charset)
    office.put(mail, DEPARTMENTS[mailbox][1])
    page = body(office.sent_about(mail)["anna@corp.example"], "html")
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page


@pytest.mark.parametrize("language", LETTERS)
def test_a_mail_to_the_wrong_mailbox_reaches_the_right_department(office: Office, language: str):
    """What the mail says weighs more than where it was sent."""
    right, charset, subject, text = LETTERS[language]
    wrong = "hr" if right == "help" else "help"
    mail = letter(subject, text, to=f"{wrong}@corp.example", charset=charset)
    office.put(mail, DEPARTMENTS[wrong][1])
    assert f"{DEPARTMENTS[right][0]}@corp.example" in office.sent_about(mail)
