"""What becomes of an arrival: exact decisions, and every combination of circumstances against the promises."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desk.acknowledge import AckDecision, Candidate, External, Mode
from desk.arrival import Arrival, Fate, Source
from desk.decision import REPORTS, Circumstances, Elsewhere, News, decide
from desk.lifecycle import Event
from desk.mail import Address, Automatic, AutomaticKind, Mail
from desk.request import EntryKind
from desk.thread import Standing, ThreadMatch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA = Address("Anna", "anna@corp.example")
MAIL = Mail(message_id="<1@corp.example>", sender=ANNA, subject="Printer", text="It is broken.", content_key="k")
CANDIDATE = Candidate(
    mail=MAIL,
    own_sender=True,
    own_mailbox=False,
    reachable=True,
    negative=None,
    mode=Mode.FULL,
    external=External.LIMITED,
)
PLAIN = Circumstances(Arrival("help@corp.example", Source.IMAP, NOON, b"raw"), CANDIDATE)


def arrived(base=PLAIN, **known):
    return replace(base, arrival=replace(base.arrival, **known))


def asked(base=PLAIN, **known):
    return replace(base, candidate=replace(base.candidate, **known))


def written(base=PLAIN, **known):
    return asked(base, mail=replace(base.candidate.mail, **known))


def automatic(kind, base=PLAIN):
    return written(base, automatic=Automatic(kind, ("evidence",)))


def continuing(standing, base=PLAIN):
    return replace(base, thread=ThreadMatch(1042, "T2 our mail <r@corp.example>", standing))


def told(circumstances):
    """Everything a decision says, without the words."""
    decision = decide(circumstances)
    acknowledgement = decision.acknowledgement
    return (
        decision.fate,
        decision.reason,
        (acknowledgement.decision, acknowledgement.rule),
        decision.entry,
        decision.event,
        decision.news,
    )


SEND, NEVER = AckDecision.SEND, AckDecision.NEVER
OPENED, FILED, ABSORBED = Fate.OPENED, Fate.FILED, Fate.ABSORBED
FOLLOW_UP = (NEVER, "follow-up")
HELD = (Fate.HELD, "not-a-participant", FOLLOW_UP, EntryKind.HELD, None, News.HELD)
OF_A_PARTICIPANT = continuing(Standing.PARTICIPANT)


@pytest.mark.parametrize(
    ("circumstances", "expected"),
    [
        pytest.param(
            PLAIN,
            (OPENED, "new-request", (SEND, "own-person"), EntryKind.MAIL, None, News.OPENED),
            id="a colleague's new matter",
        ),
        pytest.param(
            asked(own_sender=False),
            (OPENED, "new-request", (AckDecision.LIMITED, "external-limited"), EntryKind.MAIL, None, News.OPENED),
            id="a stranger's new matter",
        ),
        pytest.param(
            asked(negative="dmarc=fail"),
            (OPENED, "new-request", (NEVER, "negative-evidence"), EntryKind.MAIL, None, News.DOUBTFUL),
            id="a contradicted sender",
        ),
        pytest.param(
            written(sender=None),
            (OPENED, "new-request", (NEVER, "no-usable-sender"), EntryKind.MAIL, None, News.DOUBTFUL),
            id="no usable sender",
        ),
        pytest.param(
            automatic(AutomaticKind.LIST),
            (OPENED, "new-request", (NEVER, "automatic-mail"), EntryKind.MAIL, None, News.OPENED),
            id="a list's mail is a matter, too",
        ),
        pytest.param(
            arrived(replayed=True),
            (OPENED, "new-request", (NEVER, "replayed"), EntryKind.MAIL, None, News.OPENED),
            id="handled by a newer database",
        ),
        pytest.param(
            arrived(asked(negative="dmarc=fail"), replayed=True),
            (OPENED, "new-request", (NEVER, "negative-evidence"), EntryKind.MAIL, None, News.DOUBTFUL),
            id="replayed changes no silence",
        ),
        pytest.param(
            arrived(complete=False),
            (Fate.OVERSIZE, "too-large", (NEVER, "too-large"), None, None, None),
            id="larger than the limit",
        ),
        pytest.param(
            replace(PLAIN, repeats=7),
            (Fate.DUPLICATE, "same-mail", (NEVER, "same-mail"), None, None, None),
            id="the same mail again",
        ),
        pytest.param(
            arrived(before_floor=True),
            (Fate.BACKFILLED, "before-floor", (NEVER, "before-floor"), None, None, None),
            id="older than the watch",
        ),
        pytest.param(
            automatic(AutomaticKind.BOUNCE),
            (FILED, "report", (NEVER, "automatic-mail"), None, None, None),
            id="a bounce of nothing we know",
        ),
        pytest.param(
            automatic(AutomaticKind.BOUNCE, OF_A_PARTICIPANT),
            (ABSORBED, "automatic-mail", (NEVER, "automatic-mail"), EntryKind.EVENT, None, None),
            id="a bounce on a request",
        ),
        pytest.param(
            automatic(AutomaticKind.AUTO_REPLY, continuing(Standing.STRANGER)),
            (ABSORBED, "automatic-mail", (NEVER, "automatic-mail"), EntryKind.EVENT, None, None),
            id="an absence notice on a request",
        ),
        pytest.param(
            automatic(AutomaticKind.OWN, OF_A_PARTICIPANT),
            (ABSORBED, "automatic-mail", (NEVER, "automatic-mail"), None, None, None),
            id="our own mail come back",
        ),
        pytest.param(
            OF_A_PARTICIPANT,
            (Fate.APPENDED, "follow-up", FOLLOW_UP, EntryKind.MAIL, Event.FOLLOWED_UP, News.FOLLOWED_UP),
            id="a participant writes again",
        ),
        pytest.param(
            continuing(Standing.STAFF),
            (Fate.APPENDED, "staff-answer", FOLLOW_UP, EntryKind.ANSWER, Event.ANSWERED, None),
            id="staff answers",
        ),
        pytest.param(continuing(Standing.STRANGER), HELD, id="a stranger in the thread"),
        pytest.param(asked(OF_A_PARTICIPANT, negative="dmarc=fail"), HELD, id="a forged participant"),
        pytest.param(
            asked(continuing(Standing.STAFF), negative="dmarc=fail"),
            HELD,
            id="forged staff",
        ),
        pytest.param(written(OF_A_PARTICIPANT, sender=None), HELD, id="nobody in the thread"),
    ],
)
def test_an_arrival_has_exactly_this_fate(circumstances, expected):
    assert told(circumstances) == expected


@pytest.mark.parametrize(
    ("circumstances", "reason"),
    [
        (replace(PLAIN, repeats=7), "the same mail came before (arrival 7)"),
        (arrived(complete=False), "larger than limits.message_octets"),
        (arrived(before_floor=True), "older than the watch"),
        (
            arrived(replayed=True),
            "handled before by a newer database than this one: a second receipt is worse than none",
        ),
        (OF_A_PARTICIPANT, "continues a request: a receipt goes out once, when it is opened"),
    ],
)
def test_silence_has_a_reason_in_words(circumstances, reason):
    assert decide(circumstances).acknowledgement.reason == reason


def test_size_comes_before_repetition_and_repetition_before_the_floor():
    everything = arrived(replace(PLAIN, repeats=7), complete=False, before_floor=True)
    assert decide(everything).fate is Fate.OVERSIZE
    assert decide(arrived(everything, complete=True)).fate is Fate.DUPLICATE
    assert decide(replace(arrived(everything, complete=True), repeats=None)).fate is Fate.BACKFILLED


@pytest.mark.parametrize("kind", AutomaticKind)
def test_only_mail_about_mail_is_filed_where_it_continues_nothing(kind):
    assert (decide(automatic(kind)).fate is Fate.FILED) is (kind in REPORTS)


DOUBTS = [None, "dmarc=fail"]
FLAGS = [False, True]


def every_case():
    """Each combination of what a decision may depend on; 11,520 of them."""
    for kind, standing, mode, external in itertools.product(AutomaticKind, [None, *Standing], Mode, External):
        thread = None if standing is None else ThreadMatch(1042, "evidence", standing)
        for own, negative, repeats, flags in itertools.product(
            FLAGS, DOUBTS, [None, 7], itertools.product(FLAGS, repeat=3)
        ):
            complete, before_floor, replayed = flags
            yield Circumstances(
                replace(PLAIN.arrival, complete=complete, before_floor=before_floor, replayed=replayed),
                replace(
                    CANDIDATE,
                    mail=replace(MAIL, automatic=Automatic(kind)),
                    own_sender=own,
                    negative=negative,
                    mode=mode,
                    external=external,
                ),
                thread,
                repeats,
            )


@pytest.fixture(scope="module")
def cases():
    """Each combination with its decision."""
    return [(case, decide(case)) for case in every_case()]


def mails(decision):
    """Which mails a decision makes."""
    receipt = {"receipt"} if decision.acknowledgement.decision is not NEVER else set()
    return receipt | ({"notification"} if decision.news else set())


def test_each_combination_is_settled(cases):
    assert len(cases) == 10 * 4 * 3 * 3 * 2 * 2 * 2 * 8
    assert Fate.RECEIVED not in {decision.fate for _, decision in cases}
    assert all(decision.reason and decision.acknowledgement.reason is not None for _, decision in cases)


def test_a_receipt_goes_out_only_where_a_request_is_opened(cases):
    assert {decision.fate for _, decision in cases if "receipt" in mails(decision)} == {OPENED}


def test_a_receipt_goes_out_only_to_an_uncontradicted_person(cases):
    answered = [case.candidate for case, decision in cases if "receipt" in mails(decision)]
    assert {one.mail.automatic.kind for one in answered} == {AutomaticKind.PERSON}
    assert {one.negative for one in answered} == {None}


def test_a_mailbox_that_observes_sends_nothing(cases):
    observed = [decision for case, decision in cases if case.candidate.mode is Mode.OBSERVE]
    assert not any(mails(decision) for decision in observed)


def test_staff_are_written_to_in_mode_full_only(cases):
    assert {case.candidate.mode for case, decision in cases if decision.news} == {Mode.FULL}


def test_nothing_replayed_gets_a_second_receipt(cases):
    assert not any("receipt" in mails(decision) for case, decision in cases if case.arrival.replayed)


def test_what_came_before_or_is_too_large_or_too_old_touches_no_request_and_makes_no_mail(cases):
    for case, decision in cases:
        if case.repeats or case.arrival.before_floor or not case.arrival.complete:
            assert (decision.entry, decision.event, mails(decision)) == (None, None, set())


def test_no_automatic_mail_moves_a_request_or_counts_as_an_answer(cases):
    for case, decision in cases:
        if case.candidate.mail.automatic.kind is not AutomaticKind.PERSON:
            assert decision.event is None
            assert decision.entry is not EntryKind.ANSWER


def test_only_an_uncontradicted_participant_or_staff_moves_a_request(cases):
    movers = [case for case, decision in cases if decision.event]
    assert {case.thread.standing for case in movers} == {Standing.PARTICIPANT, Standing.STAFF}
    assert {case.candidate.negative for case in movers} == {None}


def test_a_mail_in_a_thread_never_opens_a_second_request(cases):
    assert all(decision.fate is not OPENED for case, decision in cases if case.thread)


@pytest.mark.parametrize(
    ("worse", "change"),
    [
        ("negative evidence", lambda case: asked(case, negative="dmarc=fail")),
        ("a replay", lambda case: arrived(case, replayed=True)),
        ("a repetition", lambda case: replace(case, repeats=7)),
        ("the floor", lambda case: arrived(case, before_floor=True)),
        ("the size", lambda case: arrived(case, complete=False)),
        ("mode observe", lambda case: asked(case, mode=Mode.OBSERVE)),
        ("no external answers", lambda case: asked(case, external=External.NONE)),
        ("a bounce's look", lambda case: automatic(AutomaticKind.BOUNCE, case)),
    ],
)
def test_what_speaks_against_a_mail_never_adds_a_receipt(cases, worse, change):
    for case, decision in cases:
        added = mails(decide(change(case))) - mails(decision)
        assert "receipt" not in added, worse


def test_doubt_about_the_sender_never_hides_a_mail_from_staff(cases):
    for case, decision in cases:
        if decision.news:
            assert decide(asked(case, negative="dmarc=fail")).news is not None


def test_the_same_circumstances_give_the_same_decision(cases):
    assert all(decide(case) == decision for case, decision in cases[::97])


@pytest.mark.parametrize(
    ("adds", "negative", "expected"),
    [
        (False, None, (Fate.DUPLICATE, "other-mailbox", (NEVER, "other-mailbox"), None, None, None)),
        (True, None, (Fate.APPENDED, "further-part", (NEVER, "other-mailbox"), None, None, News.OPENED)),
        (True, "dmarc=fail", (Fate.APPENDED, "further-part", (NEVER, "other-mailbox"), None, None, News.DOUBTFUL)),
    ],
)
def test_a_copy_from_another_mailbox_gets_no_receipt_and_is_told_only_where_it_adds_a_part(adds, negative, expected):
    case = replace(asked(negative=negative), elsewhere=Elsewhere(7, "help@corp.example", adds=adds))
    assert told(case) == expected
    assert decide(case).acknowledgement.reason == "the same mail came to help@corp.example before (arrival 7)"
