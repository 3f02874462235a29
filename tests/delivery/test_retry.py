"""When to try again, and what a reply means."""

import inspect
import smtplib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.retry import EXPIRES_AFTER, Stage, Verdict, classify_reply, next_attempt
from delivery.smtp import verdict_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(0, 1), (1, 1), (2, 5), (3, 15), (4, 60), (5, 60), (100, 60), (10**9, 60)]
)
def test_attempts_come_after_1_5_15_60_minutes_then_hourly(attempts, minutes):
    assert next_attempt(attempts, NOW, created=NOW, jitter=0.5) == NOW + minutes * MINUTE


@pytest.mark.parametrize(("jitter", "minutes"), [(0.0, 48), (0.25, 54), (0.5, 60), (0.75, 66)])
def test_jitter_spreads_by_a_fifth_to_both_sides(jitter, minutes):
    assert next_attempt(4, NOW, created=NOW, jitter=jitter) == NOW + minutes * MINUTE


@pytest.mark.parametrize(
    ("age", "again"),
    [
        (EXPIRES_AFTER - 60 * MINUTE, True),
        (EXPIRES_AFTER - 59 * MINUTE, False),
        (EXPIRES_AFTER, False),
        (timedelta(days=-1), True),
    ],
)
def test_no_attempt_is_later_than_five_days_after_creation(age, again):
    assert (next_attempt(9, NOW, created=NOW - age, jitter=0.5) is not None) is again


def test_a_clock_change_does_not_shift_an_attempt():
    before_the_gap = datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    attempt = next_attempt(4, before_the_gap, created=before_the_gap, jitter=0.5)
    assert attempt == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.integers(0, 7 * 24 * 60))
def test_a_wait_is_never_shorter_than_48_seconds_nor_longer_than_72_minutes(attempts, jitter, age):
    attempt = next_attempt(attempts, NOW, created=NOW - age * MINUTE, jitter=jitter)
    assert attempt is None or 0.8 * MINUTE <= attempt - NOW <= 72 * MINUTE


@pytest.mark.parametrize("jitter", [-0.1, 1.0, float("nan")])
def test_a_jitter_outside_its_range_is_refused(jitter):
    with pytest.raises(ValueError, match="jitter"):
        next_attempt(1, NOW, created=NOW, jitter=jitter)


def test_a_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        next_attempt(1, NOW, created=NOW.replace(tzinfo=None), jitter=0.5)


@pytest.mark.parametrize(
    ("stage", "reply", "verdict"),
    [
        (Stage.CONNECT, "220 relay", Verdict.ACCEPTED),
        (Stage.DATA, "354 go ahead", Verdict.ACCEPTED),
        (Stage.DATA, "250 ok", Verdict.UNAVAILABLE),
        (Stage.DOT, "250 2.0.0 ok", Verdict.ACCEPTED),
        (Stage.RCPT, "251 will forward", Verdict.ACCEPTED),
        # about the recipient
        (Stage.RCPT, "550 5.1.1 no such user", Verdict.REFUSED),
        (Stage.RCPT, "550 no such user", Verdict.REFUSED),
        (Stage.RCPT, "552 5.2.2 mailbox full", Verdict.REFUSED),
        (Stage.RCPT, "501 5.1.3 bad address", Verdict.REFUSED),
        (Stage.RCPT, "550 5.7.133 only members may write to this group", Verdict.REFUSED),
        (Stage.RCPT, "550 5.1.1 <x>: Recipient address rejected: host mx said: 550 relay denied", Verdict.REFUSED),
        (Stage.RCPT, "550 5.7.1 refused, host mx.evil.example said: 550 Relay access denied", Verdict.REFUSED),
        (Stage.RCPT, "450 4.2.0 greylisted", Verdict.TEMPORARY),
        (Stage.RCPT, "451 4.7.1 greylisted", Verdict.TEMPORARY),
        (Stage.RCPT, "452 4.2.2 mailbox full", Verdict.TEMPORARY),
        # about the mail
        (Stage.DOT, "552 5.3.4 too large", Verdict.REFUSED),
        (Stage.DOT, "554 5.7.1 looks like spam", Verdict.REFUSED),
        (Stage.DOT, "550 5.6.0 malformed", Verdict.REFUSED),
        (Stage.DOT, "552 5.2.2 mailbox full", Verdict.REFUSED),
        (Stage.DATA, "550 5.7.1 no", Verdict.REFUSED),
        (Stage.DOT, "451 4.3.0 queue trouble", Verdict.TEMPORARY),
        # about us
        (Stage.CONNECT, "554 5.7.1 go away", Verdict.HELD),
        (Stage.HELLO, "550 5.7.1 bad name", Verdict.HELD),
        (Stage.AUTH, "535 5.7.8 bad credentials", Verdict.HELD),
        (Stage.AUTH, "535 5.7.139 conditional access", Verdict.HELD),
        (Stage.MAIL, "530 5.7.0 authentication required", Verdict.HELD),
        (Stage.MAIL, "550 5.7.1 not yours", Verdict.HELD),
        (Stage.MAIL, "535 5.7.3 unauthenticated", Verdict.HELD),
        (Stage.MAIL, "550 no", Verdict.HELD),
        (Stage.RCPT, "530 5.7.0 authentication required", Verdict.HELD),
        (Stage.RCPT, "554 5.7.1 <x@y>: Relay access denied", Verdict.HELD),
        (Stage.RCPT, "550 Relaying denied", Verdict.HELD),
        (Stage.RCPT, "553 5.7.1 <h@c>: Sender address rejected: not owned by user", Verdict.HELD),
        (Stage.RCPT, "550 5.1.8 <h@c>: Sender address rejected: Domain not found", Verdict.HELD),
        (Stage.DOT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", Verdict.HELD),
        (Stage.DOT, "550 5.1.8 Access denied, bad outbound sender", Verdict.HELD),
        (Stage.DOT, "550 5.1.90 daily limit reached", Verdict.HELD),
        (Stage.DOT, "550 5.4.5 Daily user sending limit exceeded", Verdict.HELD),
        (Stage.DOT, "550 5.7.26 unauthenticated mail", Verdict.HELD),
        (Stage.DOT, "550 5.7.705 tenant has exceeded threshold", Verdict.HELD),
        (Stage.DOT, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException", Verdict.HELD),
        (Stage.DOT, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", Verdict.HELD),
        # about the server
        (Stage.CONNECT, "421 busy", Verdict.UNAVAILABLE),
        (Stage.CONNECT, "450 later", Verdict.UNAVAILABLE),
        (Stage.STARTTLS, "454 4.7.0 no certificate", Verdict.UNAVAILABLE),
        (Stage.STARTTLS, "502 not implemented", Verdict.UNAVAILABLE),
        (Stage.AUTH, "454 4.7.0 directory down", Verdict.UNAVAILABLE),
        (Stage.MAIL, "452 4.3.1 disk full", Verdict.UNAVAILABLE),
        (Stage.RCPT, "421 4.7.0 throttled", Verdict.UNAVAILABLE),
        (Stage.RCPT, "432 4.3.2 sender thread limit exceeded", Verdict.UNAVAILABLE),
        (Stage.DOT, "451 4.7.500 server busy", Verdict.UNAVAILABLE),
        (Stage.DOT, "421 4.3.2 shutting down", Verdict.UNAVAILABLE),
        (Stage.RCPT, "503 5.5.1 bad sequence", Verdict.UNAVAILABLE),
        (Stage.MAIL, "354 what", Verdict.UNAVAILABLE),
        (Stage.DOT, "999 what", Verdict.UNAVAILABLE),
        (Stage.DOT, "-1", Verdict.UNAVAILABLE),
        (Stage.DOT, "25", Verdict.UNAVAILABLE),
    ],
)
def test_a_reply_is_about_the_recipient_the_mail_us_or_the_server(stage, reply, verdict):
    code, _, text = reply.partition(" ")
    enhanced = text.partition(" ")[0] if text[:2] in {"2.", "4.", "5."} else ""
    assert classify_reply(int(code), enhanced, stage=stage, text=text) is verdict


@given(st.integers(-1, 1000), st.text(max_size=12), st.sampled_from(Stage), st.text(max_size=80))
def test_only_a_reply_of_five_hundred_ends_a_mail_and_only_of_two_or_three_hundred_accepts_it(
    code, enhanced, stage, text
):
    verdict = classify_reply(code, enhanced, stage=stage, text=text)
    assert verdict not in {Verdict.REFUSED, Verdict.HELD} or 500 <= code < 600
    assert verdict is not Verdict.ACCEPTED or 200 <= code < 300 or code == 354


RAISED = {
    smtplib.SMTPException: (("x",), Verdict.UNAVAILABLE),
    smtplib.SMTPNotSupportedError: (("x",), Verdict.UNAVAILABLE),
    smtplib.SMTPServerDisconnected: (("x",), Verdict.UNAVAILABLE),
    smtplib.SMTPRecipientsRefused: (({"a@b": (550, b"no")},), Verdict.UNAVAILABLE),
    smtplib.SMTPResponseException: ((550, b"5.7.1 no"), Verdict.HELD),
    smtplib.SMTPSenderRefused: ((550, b"no", "a@b"), Verdict.HELD),
    smtplib.SMTPDataError: ((451, "later"), Verdict.UNAVAILABLE),
    smtplib.SMTPConnectError: ((-1, b""), Verdict.UNAVAILABLE),
    smtplib.SMTPHeloError: ((421, b"busy"), Verdict.UNAVAILABLE),
    smtplib.SMTPAuthenticationError: ((535, b"5.7.8 no"), Verdict.HELD),
}


def smtplib_errors():
    return [each for _, each in inspect.getmembers(smtplib, inspect.isclass) if issubclass(each, smtplib.SMTPException)]


@pytest.mark.parametrize("error", smtplib_errors())
def test_every_exception_of_smtplib_is_temporary_or_permanent(error):
    arguments, verdict = RAISED[error]
    assert verdict_of(error(*arguments), stage=Stage.MAIL) is verdict
    assert issubclass(error, OSError)


def test_an_exception_never_says_that_a_mail_was_accepted():
    assert verdict_of(smtplib.SMTPDataError(250, b"ok"), stage=Stage.DOT) is Verdict.UNAVAILABLE
