"""Each person is answered in the language they wrote in, by the department that can help."""

from dataclasses import dataclass
from email.message import EmailMessage

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
    "it": "grazie per averci scritto",
    "ar": "شكر",
    "ja": "ありがとう",
}


@dataclass(frozen=True)
class Served:
    """A mail in one language, the request it became and what was sent about it."""

    number: int
    sent: dict[str, EmailMessage]


@pytest.fixture(scope="module")
def rightly(office: Office) -> dict[str, Served]:
    """Each letter, sent to the mailbox of the department that can help."""
    return served(office, {"help": "help", "hr": "hr"})


@pytest.fixture(scope="module")
def wrongly(office: Office) -> dict[str, Served]:
    """Each letter, sent to the other mailbox."""
    return served(office, {"help": "hr", "hr": "help"})


def served(office: Office, way: dict[str, str]) -> dict[str, Served]:
    mails = {}
    for language, (mailbox, charset, subject, text) in LETTERS.items():
        to = way[mailbox]
        mails[language] = letter(subject, text, to=f"{to}@corp.example", charset=charset)
        office.dovecot.deliver(f"{DEPARTMENTS[to][1]}@corp.example", mails[language].raw)
    rows = {language: office.desk.settled(mail.message_id)[0] for language, mail in mails.items()}
    return {
        language: Served(rows[language]["request_number"], office.sent_about(mail)) for language, mail in mails.items()
    }


@pytest.mark.parametrize("language", LETTERS)
def test_a_receipt_speaks_the_language_of_the_mail(rightly: dict[str, Served], language: str):
    """Whatever charset it was written in: its words choose the language of the answer."""
    receipt = rightly[language].sent["anna@corp.example"]
    assert receipt["Content-Language"] == language
    assert receipt["Subject"] == f"Re: {LETTERS[language][2]}"
    assert receipt["From"].addresses[0].display_name == SIGNED_BY[language]
    assert SAYS[language] in body(receipt)


@pytest.mark.parametrize("language", LETTERS)
def test_the_page_of_a_receipt_is_laid_out_in_its_direction(rightly: dict[str, Served], language: str):
    """Arabic is read from right to left, the others from left to right."""
    page = body(rightly[language].sent["anna@corp.example"], "html")
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page


@pytest.mark.parametrize("language", LETTERS)
def test_the_department_of_the_mailbox_gets_what_is_meant_for_it(rightly: dict[str, Served], language: str):
    """One notification, to the department that can help."""
    department = DEPARTMENTS[LETTERS[language][0]][0]
    assert set(rightly[language].sent) == {"anna@corp.example", f"{department}@corp.example"}


@pytest.mark.parametrize("language", LETTERS)
def test_a_mail_to_the_wrong_mailbox_reaches_the_right_department(wrongly: dict[str, Served], language: str):
    """What the mail says weighs more than where it was sent."""
    department = DEPARTMENTS[LETTERS[language][0]][0]
    assert set(wrongly[language].sent) == {"anna@corp.example", f"{department}@corp.example"}


@pytest.mark.parametrize("language", LETTERS)
def test_every_letter_of_the_mail_is_kept(office: Office, rightly: dict[str, Served], language: str):
    """Subject and text stand in the request as they were written, whatever charset they came in."""
    _, _, subject, text = LETTERS[language]
    query = "SELECT language, subject, text FROM request JOIN entry ON request_number = number WHERE number = ?"
    kept = office.desk.rows(query, rightly[language].number)[0]
    assert (*kept[:2], kept[2].split()) == (language, subject, text.split())
