"""How well the sender of a mail is proven, from the results our own border wrote on it (RFC 8601).

Believed is only a field with a trusted authserv-id above the Received fields that others added, read by its grammar:
comments, quoting and the sender's own words in it prove nothing. It must come undecoded: an encoded word in it is the
sender's. What is not understood gives no proof; what contradicts itself or the sender speaks against the mail. SPF
alone never does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from desk.arrival import Evidence
from desk.mail import Mail, ascii_fold

MAX_FIELD = 8 * 1024
MAX_RESULTS = 20
"""Result fields at the top of a mail; more are no border's work and prove nothing."""

_OUTSIDE = re.compile(r'"(?:[^"\\]|\\.)*+"|[(=;]|[^\s"()\\=;]+|\s+', re.DOTALL)
_IN_COMMENT = re.compile(r"\\.|[()]|[^()\\]+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPAM_FIELDS = (("x-spam-flag", "X-Spam-Flag"), ("x-spam-status", "X-Spam-Status"), ("x-spam", "X-Spam"))
_AUTH_AS = "x-ms-exchange-organization-authas"


@dataclass(frozen=True, slots=True)
class EvidencePolicy:
    """What counts as proof. Domains and ids in lower case.

    border_hops: how many Received fields our own hosts put above the results (Dovecot's LMTP adds one).
    """

    mode: Literal["none", "boundary", "trusted_ar", "exchange"]
    own_domains: frozenset[str] = frozenset()
    trusted_ids: frozenset[str] = frozenset()
    border_hops: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """How far the sender is proven; negative names what speaks against the mail; why is for the trace."""

    level: Evidence
    negative: str | None
    why: str


class _Verdict(NamedTuple):
    """One dmarc result: its word and the header.from it is about (None: absent, doubled or malformed)."""

    result: str
    domain: str | None


@dataclass(frozen=True, slots=True)
class _Results:
    """One Authentication-Results field: authserv-id (empty in Microsoft's form without one) and its dmarc results."""

    authserv_id: str
    verdicts: tuple[_Verdict, ...] = field(default=())


def weigh(mail: Mail, policy: EvidencePolicy) -> Proof:
    """The evidence level of the mail's sender under the policy; E0 wherever anything speaks against it but spam.

    A spam mark is negative and leaves the level as it is: it is about the content.
    """
    proof = _proof(mail, policy)
    return proof if proof.negative else Proof(proof.level, _spam(mail), proof.why)


def _proof(mail: Mail, policy: EvidencePolicy) -> Proof:
    if mail.sender is None or not mail.sender.domain:
        return Proof(Evidence.E0, None, "no single From address")
    domain = mail.sender.domain
    own = domain in policy.own_domains
    # Inside a tenant nothing is signed and SPF fails: this field, which Exchange deletes at its border, comes first.
    if policy.mode == "exchange" and own and _is_internal(mail):
        return Proof(Evidence.E2, None, "X-MS-Exchange-Organization-AuthAs: Internal")
    verdicts = _trusted_verdicts(mail, policy)
    against = _contradiction(verdicts, domain)
    if against:
        return Proof(Evidence.E0, against, against)
    if policy.mode == "boundary" and own:
        return Proof(Evidence.E1, None, f"the border refuses {domain} from outside")
    if policy.mode == "trusted_ar" and verdicts == (_Verdict("pass", domain),):
        return Proof(Evidence.E2, None, f"dmarc=pass header.from={domain}")
    return Proof(Evidence.E0, None, f"nothing proves {domain}")


def _contradiction(verdicts: tuple[_Verdict, ...], domain: str) -> str | None:
    results = {verdict.result for verdict in verdicts}
    if "fail" in results:
        return "dmarc=fail beside dmarc=pass" if "pass" in results else "dmarc=fail"
    for verdict in verdicts:
        if verdict.result == "pass" and verdict.domain not in (None, domain):
            return f"dmarc=pass for another domain than {domain}"
    return None


def _trusted_verdicts(mail: Mail, policy: EvidencePolicy) -> tuple[_Verdict, ...]:
    fields = list(_top_results(mail, policy.border_hops))
    if len(fields) > MAX_RESULTS:
        return ()
    trusted = policy.trusted_ids | ({""} if policy.mode == "exchange" else set())
    read = (_results(value) for value in fields)
    return tuple(verdict for results in read if results.authserv_id in trusted for verdict in results.verdicts)


def _top_results(mail: Mail, border_hops: int) -> Iterator[str]:
    """The Authentication-Results above the first Received field that is not our border's own."""
    passed = 0
    for name, value in mail.headers:
        if name == "received":
            passed += 1
            if passed > border_hops:
                return
        elif name == "authentication-results":
            yield value


_NOTHING = _Results("\0")
"""What is too long or malformed: an id nobody can trust."""


def _results(value: str) -> _Results:
    """The field read by the grammar of RFC 8601 section 2.2."""
    lexemes = _lexemes(value) if len(value) <= MAX_FIELD else None
    if not lexemes:
        return _NOTHING
    head, *rest = _segments(lexemes)
    named = "=" not in head
    if named and not (len(head) == 1 or (len(head) == 2 and head[1].isdigit())):  # noqa: PLR2004 - id and version
        return _NOTHING
    verdicts = (_verdict(segment) for segment in (rest if named else [head, *rest]))
    authserv_id = ascii_fold(head[0]) if named else ""
    return _Results(authserv_id, tuple(verdict for verdict in verdicts if verdict is not None))


def _lexemes(value: str) -> list[str] | None:
    """Words, quoted strings and the marks = and ; without comments (they nest) and blanks; None where malformed."""
    depth = position = 0
    kept = []
    # Between the parentheses of a comment a quotation mark quotes nothing: each side has its own lexemes.
    while found := (_IN_COMMENT if depth else _OUTSIDE).match(value, position):
        position = found.end()
        if found[0] == "(":
            depth += 1
        elif depth:
            depth -= found[0] == ")"
        elif not found[0].isspace():
            kept.append(found[0])
    return kept if depth == 0 and position == len(value) else None


def _segments(lexemes: list[str]) -> list[list[str]]:
    segments: list[list[str]] = [[]]
    for lexeme in lexemes:
        if lexeme == ";":
            segments.append([])
        else:
            segments[-1].append(lexeme)
    return [segments[0] or ["\0"], *(segment for segment in segments[1:] if segment)]


def _verdict(segment: list[str]) -> _Verdict | None:
    """The dmarc result of a resinfo; None where it is of another method."""
    if ascii_fold(segment[0]).partition("/")[0] != "dmarc":
        return None
    triples = [segment[at : at + 3] for at in range(0, len(segment), 3)]
    if any(len(triple) != 3 or triple[1] != "=" for triple in triples):  # noqa: PLR2004 - name, mark, value
        return _Verdict("malformed", None)
    domains = [_value(triple[2]) for triple in triples if ascii_fold(triple[0]) == "header.from"]
    return _Verdict(_value(triples[0][2]), domains[0] if len(domains) == 1 else None)


def _value(lexeme: str) -> str:
    bare = _ESCAPED.sub(r"\1", lexeme[1:-1]) if lexeme.startswith('"') else lexeme
    return ascii_fold(bare)


def _is_internal(mail: Mail) -> bool:
    return [ascii_fold(value.strip()) for value in mail.header(_AUTH_AS)] == ["internal"]


def _spam(mail: Mail) -> str | None:
    for name, shown in _SPAM_FIELDS:
        if any(ascii_fold(value.strip()).startswith("yes") for value in mail.header(name)):
            return f"{shown}: yes"
    return None
