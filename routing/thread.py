"""Which request a mail continues: evidence from the strongest to the weakest, over a lookup that is passed in.

T2 a mail of ours named in In-Reply-To or References, T3 the token in a reference line, T4 a mail we received on a
request, T5 a bare number in the subject (guessable: only for a participant). Subjects alone never join.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from desk.mail import Mail
from desk.request import reference_of
from desk.thread import SentMail, Standing, ThreadMatch
from desk.token import quoted_references

_NUMBER_IN_SUBJECT = re.compile(r"\bR-(\d{1,12})\b", re.IGNORECASE)


class Threads(Protocol):
    """What the store knows that threading needs."""

    def sent(self, message_ids: Sequence[str]) -> Mapping[str, SentMail]:
        """Those of the ids that are mails of ours, and about which request."""

    def received(self, message_ids: Sequence[str]) -> Mapping[str, int]:
        """Those of the ids that came in on a request, and its number."""

    def participants(self, number: int) -> frozenset[str]:
        """The folded addresses of a request's participants; empty where there is no such request."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the evidence: the lookup, the check of a token (token, reference, recipient), and who is staff."""

    threads: Threads
    confirms: Callable[[str, str, str], bool]
    own_sender: bool


def continued_by(mail: Mail, reader: Reader) -> ThreadMatch | None:
    """The request the mail continues, by its strongest evidence, or None: then it is a new matter."""
    ids = _ids_newest_first(mail)
    return (
        _by_sent(mail, ids, reader)
        or _by_token(mail, reader)
        or _by_received(mail, ids, reader)
        or _by_number(mail, reader)
    )


def _ids_newest_first(mail: Mail) -> list[str]:
    ids: Iterable[str] = [*([mail.in_reply_to] if mail.in_reply_to else []), *reversed(mail.references)]
    reported = [report.original_message_id for report in mail.report if report.original_message_id]
    return list(dict.fromkeys([*ids, *reported]))


def _standing(mail: Mail, number: int, threads: Threads) -> Standing:
    known = mail.sender is not None and mail.sender.key in threads.participants(number)
    return Standing.PARTICIPANT if known else Standing.STRANGER


def _by_sent(mail: Mail, ids: Sequence[str], reader: Reader) -> ThreadMatch | None:
    sent = reader.threads.sent(ids) if ids else {}
    for message_id in ids:
        found = sent.get(message_id)
        if found is None:
            continue
        standing = _standing(mail, found.number, reader.threads)
        if standing is Standing.STRANGER and found.to_department and reader.own_sender:
            standing = Standing.STAFF
        return ThreadMatch(found.number, f"T2 our mail {message_id}", standing, found.recipient)
    return None


def _by_token(mail: Mail, reader: Reader) -> ThreadMatch | None:
    for reference, token in quoted_references(f"{mail.subject}\n{mail.text}"):
        number = int(reference.removeprefix("R-"))
        for participant in sorted(reader.threads.participants(number)):
            if reader.confirms(token, reference, participant):
                standing = _standing(mail, number, reader.threads)
                return ThreadMatch(number, f"T3 token beside {reference}", standing, participant)
    return None


def _by_received(mail: Mail, ids: Sequence[str], reader: Reader) -> ThreadMatch | None:
    received = reader.threads.received(ids) if ids else {}
    for message_id in ids:
        if message_id in received:
            number = received[message_id]
            return ThreadMatch(
                number, f"T4 a mail on the request {message_id}", _standing(mail, number, reader.threads)
            )
    return None


def _by_number(mail: Mail, reader: Reader) -> ThreadMatch | None:
    for match in _NUMBER_IN_SUBJECT.finditer(mail.subject[:1_000]):
        number = int(match[1])
        if _standing(mail, number, reader.threads) is Standing.PARTICIPANT:
            return ThreadMatch(number, f"T5 {reference_of(number)} in the subject", Standing.PARTICIPANT)
    return None
