"""A client secret that ends is said in time, once a day, with what to do."""

from datetime import date
from pathlib import Path

import pytest

from service.oauth import OAuth
from service.oauth_expiry import ExpiryAlarm, expiry_warning, expiry_warnings
from service.settings import Settings, load

LAST = date(2027, 3, 1)
APP = OAuth.model_construct(provider="m365", client_id="app", client_secret_env="MAIL_SECRET", secret_expires=LAST)


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2027, 1, 29), None),
        (date(2027, 1, 30), "expires on 2027-03-01, in 30 days; from then on no mail comes or goes by it"),
        (date(2027, 2, 28), "expires on 2027-03-01, tomorrow; from then on"),
        (date(2027, 3, 1), "expires on 2027-03-01, today; from then on"),
        (date(2027, 3, 2), "expired on 2027-03-01. Make a new one"),
        (date(2028, 3, 2), "expired on 2027-03-01. Make a new one"),
    ],
)
def test_from_thirty_days_before_a_warning_names_the_day(today: date, words: str | None) -> None:
    said = expiry_warning("help@corp.example", APP, today=today)
    assert (said is None) if words is None else words in str(said)


def test_the_warning_says_whose_secret_it_is_and_what_to_do() -> None:
    assert str(expiry_warning("help@corp.example", APP, today=LAST)) == (
        "help@corp.example: the client secret of application app expires on 2027-03-01, today; from then on no mail "
        "comes or goes by it. Make a new one (Entra admin center, App registrations, Certificates & secrets), put it "
        "into env MAIL_SECRET, and set secret_expires to its last day."
    )


def test_a_secret_without_a_day_is_not_warned_about() -> None:
    assert expiry_warning("x", OAuth.model_construct(provider="m365"), today=LAST) is None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    oauth = 'oauth = { token_command = "t", secret_expires = 2027-03-01 }'
    account = f'host = "h"\nuser = "u"\n{oauth}\n'
    mailboxes = f'[[mailbox]]\naddress = "help@corp.example"\n[mailbox.imap]\n{account}'
    mailboxes += '[[mailbox]]\naddress = "hr@corp.example"\n'
    path = tmp_path / "config.toml"
    path.write_text(f"{mailboxes}[smtp]\n{account}", encoding="utf-8")
    path.chmod(0o600)
    return load(path)


def test_each_account_is_warned_about_by_its_name(settings: Settings) -> None:
    assert [one.meaning.partition(":")[0] for one in expiry_warnings(settings, today=LAST)] == [
        "help@corp.example",
        "smtp",
    ]
    assert expiry_warnings(settings, today=date(2026, 1, 1)) == []


def test_an_alarm_tells_once_a_day(settings: Settings) -> None:
    told: list[str] = []
    alarm = ExpiryAlarm(settings, told.append)
    for today in (LAST, LAST, date(2027, 3, 2), date(2027, 3, 2)):
        alarm.step(today)
    assert len(told) == 4
