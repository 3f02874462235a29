"""Which request a mail continues: each kind of evidence, their order, and what no stranger can do with them."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail import Address, Mail, ReportedRecipient
from desk.thread import SentMail, Standing, ThreadMatch
from desk.token import Key, Keyring
from routing.thread import Reader, continued_by

RING = Keyring((Key("a", b"1" * 32),))
ANNA, BOB, EVE = (Address(name.title(), f"{name}@corp.example") for name in ("anna", "bob", "eve"))

RECEIPT, NOTIFICATION, FIRST = "<receipt.a@corp.example>", "<notification.a@corp.example>", "<first@corp.example>"
OTHER_RECEIPT, OTHER_FIRST, UNKNOWN = "<receipt.b@corp.example>", "<other@corp.example>", "<who@knows.example>"

IT = "it@corp.example"
PARTICIPANT, STAFF, STRANGER = Standing.PARTICIPANT, Standing.STAFF, Standing.STRANGER


@dataclass
class Threads:
    """Anna's request 1042 and Bob's 1043, in memory; remembers what it was asked."""

    asked: list = field(default_factory=list)

    def sent(self, message_ids):
        self.asked.append(tuple(message_ids))
        known = {
            RECEIPT: SentMail(1042, to_department=False, recipient=ANNA.key),
            NOTIFICATION: SentMail(1042, to_department=True, recipient=IT),
            OTHER_RECEIPT: SentMail(1043, to_department=False, recipient=BOB.key),
        }
        return {one: known[one] for one in message_ids if one in known}

    def received(self, message_ids):
        self.asked.append(tuple(message_ids))
        return {one: number for one, number in {FIRST: 1042, OTHER_FIRST: 1043}.items() if one in message_ids}

    def participants(self, number):
        return {1042: frozenset({ANNA.key}), 1043: frozenset({BOB.key})}.get(number, frozenset())


def reader(threads=None, *, own_sender=True):
    return Reader(
        threads or Threads(),
        lambda token, reference, recipient: RING.confirms(token, reference=reference, recipient=recipient),
        own_sender,
    )


def mail(sender=ANNA, **known):
    return Mail(sender=sender, **known)


def line(reference="R-1042", recipient=ANNA):
    return f"Ref: {reference} {RING.token(reference, recipient.key)}"


def reported(original):
    return ReportedRecipient("anna@corp.example", "failed", "5.1.1", permanent=True, original_message_id=original)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(mail(in_reply_to=RECEIPT), (1042, f"T2 our mail {RECEIPT}"), id="T2 in In-Reply-To"),
        pytest.param(mail(references=(UNKNOWN, RECEIPT)), (1042, f"T2 our mail {RECEIPT}"), id="T2 in References"),
        pytest.param(mail(report=(reported(RECEIPT),)), (1042, f"T2 our mail {RECEIPT}"), id="T2 in a report"),
        pytest.param(mail(text=f"Hello\n> {line()}"), (1042, "T3 token beside R-1042"), id="T3 in the text"),
        pytest.param(mail(subject=line()), (1042, "T3 token beside R-1042"), id="T3 in the subject"),
        pytest.param(mail(in_reply_to=FIRST), (1042, f"T4 a mail on the request {FIRST}"), id="T4 in In-Reply-To"),
        pytest.param(mail(references=(FIRST,)), (1042, f"T4 a mail on the request {FIRST}"), id="T4 in References"),
        pytest.param(mail(subject="Re: [r-1042] Printer"), (1042, "T5 R-1042 in the subject"), id="T5"),
        pytest.param(mail(subject="R-0001042"), (1042, "T5 R-1042 in the subject"), id="T5 with zeros"),
    ],
)
def test_each_kind_of_evidence_leads_to_the_request(written, expected):
    to_her = ANNA.key if expected[1].startswith(("T2", "T3")) else None
    assert continued_by(written, reader()) == ThreadMatch(*expected, PARTICIPANT, written_to=to_her)


def test_an_answer_to_a_notification_names_the_department_it_was_written_to():
    """And so does a letter further down the same talk."""
    for sender, talk in ((BOB, {"in_reply_to": NOTIFICATION}), (ANNA, {"references": (FIRST, NOTIFICATION, UNKNOWN)})):
        found = continued_by(mail(sender, **talk), reader())
        assert found is not None
        assert found.written_to == IT


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(mail(), id="nothing at all"),
        pytest.param(mail(subject="Re: Printer", references=(UNKNOWN,)), id="the subject alone"),
        pytest.param(mail(text="R-1042"), id="a bare number in the text"),
        pytest.param(mail(subject="ERR-1042 and R-1042x"), id="a number inside a word"),
        pytest.param(mail(subject="R-9999"), id="a number nobody has"),
        pytest.param(mail(subject="x" * 1_000 + " R-1042"), id="a number far behind"),
        pytest.param(mail(text=line().replace("1042", "1043")), id="a token beside another number"),
        pytest.param(mail(text=f"R-1042 a{'b' * 16}"), id="a token that we did not make"),
        pytest.param(mail(text=line("R-9999")), id="a token of a request there is not"),
        pytest.param(mail(text=line(recipient=EVE)), id="a token made for nobody in the request"),
        pytest.param(mail(in_reply_to=RECEIPT[1:-1]), id="an id without its brackets"),
        pytest.param(mail(report=(reported(None),)), id="a report that names no original"),
    ],
)
def test_without_evidence_it_is_a_new_matter(written):
    assert continued_by(written, reader()) is None


ALL = mail(sender=BOB, subject="R-1043", in_reply_to=RECEIPT, references=(OTHER_FIRST,), text=line("R-1043", BOB))


@pytest.mark.parametrize(
    ("written", "level"),
    [
        (ALL, "T2"),
        (replace(ALL, in_reply_to=None), "T3"),
        (replace(ALL, in_reply_to=None, text=""), "T4"),
        (replace(ALL, in_reply_to=None, text="", references=()), "T5"),
    ],
)
def test_the_strongest_evidence_counts_and_the_next_where_it_is_missing(written, level):
    found = continued_by(written, reader())
    assert found is not None
    assert found.evidence.split()[0] == level
    assert found.number == (1042 if level == "T2" else 1043)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        pytest.param(mail(in_reply_to=OTHER_RECEIPT, references=(RECEIPT,)), 1043, id="In-Reply-To before References"),
        pytest.param(mail(references=(RECEIPT, OTHER_RECEIPT)), 1043, id="the newest reference"),
        pytest.param(mail(references=(OTHER_RECEIPT, RECEIPT, UNKNOWN)), 1042, id="the newest one that is known"),
        pytest.param(mail(in_reply_to=FIRST, references=(OTHER_FIRST,)), 1042, id="also for mails received"),
        pytest.param(mail(in_reply_to=FIRST, references=(OTHER_RECEIPT,)), 1043, id="ours before one received"),
        pytest.param(mail(in_reply_to=RECEIPT, report=(reported(OTHER_RECEIPT),)), 1042, id="a reply before a report"),
        pytest.param(mail(text=f"{line()}\n> {line('R-1043', BOB)}"), 1042, id="the upper token"),
        pytest.param(mail(subject="R-1043 R-1042"), 1042, id="the number one has part in"),
    ],
)
def test_where_evidence_conflicts_one_request_is_chosen_and_the_same_each_time(written, number):
    found = continued_by(written, reader())
    assert found is not None
    assert found.number == number


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(mail(EVE, in_reply_to=RECEIPT), id="T2"),
        pytest.param(mail(EVE, text=line()), id="T3"),
        pytest.param(mail(EVE, in_reply_to=FIRST), id="T4"),
        pytest.param(mail(None, in_reply_to=RECEIPT), id="T2 without a usable sender"),
        pytest.param(mail(None, text=line()), id="T3 without a usable sender"),
    ],
)
def test_whoever_has_no_part_in_the_request_is_a_stranger_whatever_they_quote(written):
    found = continued_by(written, reader())
    assert found is not None
    assert (found.number, found.standing) == (1042, STRANGER)


@pytest.mark.parametrize("sender", [EVE, None, BOB])
def test_a_bare_number_means_nothing_from_a_stranger(sender):
    assert continued_by(mail(sender, subject="R-1042"), reader()) is None


def test_a_participant_is_known_in_any_spelling():
    found = continued_by(mail(Address("", "ANNA@Corp.Example"), in_reply_to=RECEIPT), reader())
    assert found is not None
    assert found.standing is PARTICIPANT


@pytest.mark.parametrize(
    ("sender", "replied_to", "own_sender", "standing"),
    [
        (EVE, NOTIFICATION, True, STAFF),
        (EVE, NOTIFICATION, False, STRANGER),
        (EVE, RECEIPT, True, STRANGER),
        (EVE, FIRST, True, STRANGER),
        (ANNA, NOTIFICATION, True, PARTICIPANT),
        (ANNA, NOTIFICATION, False, PARTICIPANT),
    ],
)
def test_staff_is_who_answers_a_notification_from_our_own_domains(sender, replied_to, own_sender, standing):
    found = continued_by(mail(sender, in_reply_to=replied_to), reader(own_sender=own_sender))
    assert found is not None
    assert (found.number, found.standing) == (1042, standing)


def test_a_token_makes_nobody_staff():
    found = continued_by(mail(EVE, text=line(), subject="Re: [R-1042]"), reader())
    assert found is not None
    assert found.standing is STRANGER


def test_the_newest_known_mail_decides_the_standing_not_the_kindest():
    found = continued_by(mail(EVE, in_reply_to=RECEIPT, references=(NOTIFICATION, RECEIPT)), reader())
    assert found is not None
    assert found.standing is STRANGER


def test_the_store_is_asked_once_for_each_id_newest_first():
    threads = Threads()
    ids = tuple(f"<{number}@x>" for number in range(20))
    twice = mail(in_reply_to=ids[-1], references=ids + ids, report=(reported(ids[0]), reported("<21@x>")))
    assert continued_by(twice, reader(threads)) is None
    assert threads.asked == [(*reversed(ids), "<21@x>")] * 2


def test_without_ids_the_store_is_not_asked_for_any():
    threads = Threads()
    continued_by(mail(subject="R-9999", text="R-9999"), reader(threads))
    assert threads.asked == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"> \u2068{line()}\u2069\n", id="isolated and quoted, as an Arabic receipt"),
        pytest.param(f"> \u2068{line()}".replace(" a", "\n> a") + "\u2069", id="and wrapped"),
        pytest.param("\n".join(f"R-{number} {'a' * 17}" for number in range(19)) + line(), id="behind 19 forged ones"),
    ],
)
def test_a_quoted_token_is_found_where_mail_programs_leave_it(text):
    found = continued_by(mail(text=text), reader())
    assert found is not None
    assert found.evidence == "T3 token beside R-1042"


IDS = st.sampled_from([RECEIPT, NOTIFICATION, FIRST, OTHER_RECEIPT, OTHER_FIRST, UNKNOWN])
MAILS = st.builds(
    Mail,
    sender=st.sampled_from([None, ANNA, BOB, EVE]),
    in_reply_to=st.none() | IDS,
    references=st.lists(IDS, max_size=20).map(tuple),
    report=st.lists(st.none() | IDS, max_size=3).map(lambda ids: tuple(map(reported, ids))),
    subject=st.sampled_from(["", "Printer", "R-1042", "R-1043 R-1042", line()]),
    text=st.sampled_from(["", line(), line("R-1043", BOB), "R-1042"]),
)


@given(MAILS, st.booleans())
def test_nobody_gains_standing_without_part_in_the_request_or_an_own_domain(written, own_sender):
    found = continued_by(written, reader(own_sender=own_sender))
    if found is None or found.standing is STRANGER:
        return
    takes_part = written.sender is not None and written.sender.key in Threads().participants(found.number)
    assert (found.standing is PARTICIPANT) is takes_part
    assert takes_part or own_sender


@given(MAILS)
def test_any_mail_of_ours_that_is_named_leads_somewhere(written):
    named = {written.in_reply_to, *written.references, *(one.original_message_id for one in written.report)}
    if named & {RECEIPT, NOTIFICATION, OTHER_RECEIPT}:
        found = continued_by(written, reader())
        assert found is not None
        assert found.evidence.startswith("T2")
