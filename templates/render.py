"""Receipts and notifications as texts: facts in, subject, text and for people HTML out. Pure; nothing is sent here.

Templates are compiled once per process, with every unknown variable an error. Text of a mail is only ever a value:
made one line by plain.py, escaped by the HTML environment, and never compiled.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias

import jinja2
from jinja2 import meta
from jinja2.sandbox import SandboxedEnvironment

from desk.promise import Delay
from templates.aside import SAMPLE as _ASIDE
from templates.aside import aside_line, aside_view
from templates.facts import (
    Answered,
    AsideFacts,
    EveningFacts,
    Event,
    JointFacts,
    NotificationFacts,
    ReceiptFacts,
    Rendered,
)
from templates.listing import listed
from templates.moments import LANGUAGES, in_words, offered
from templates.plain import SUBJECT_LIMIT, greeted, isolated, one_line, quoted

__all__ = [
    "LANGUAGES",
    "Event",
    "FaultyTemplate",
    "NotificationFacts",
    "ReceiptFacts",
    "Rendered",
    "check",
    "render_aside",
    "render_evening",
    "render_joint",
    "render_notification",
    "render_receipt",
]


class FaultyTemplate(Exception):
    """A template cannot be used: its name, and what is wrong with it."""


_RIGHT_TO_LEFT = frozenset(("ar",))

_View: TypeAlias = dict[str, str | tuple[str, ...]]


def render_receipt(facts: ReceiptFacts) -> Rendered:
    """The receipt in the reader's language, else in English. A naive moment raises ValueError."""
    return _receipt(facts, _shipped())


def render_joint(facts: JointFacts) -> Rendered:
    """One receipt for several mails of one person, in their language, else in English; the subject stays theirs."""
    return _joint(facts, _shipped())


def render_evening(facts: EveningFacts) -> Rendered:
    """The evening report, in English; it has no HTML part."""
    return _evening(facts, _shipped())


def render_aside(facts: AsideFacts) -> Rendered:
    """Word to a department of mail that was set aside, in English. A naive moment raises ValueError."""
    return _aside(facts, _shipped())


def render_notification(facts: NotificationFacts) -> Rendered:
    """The notification in the department's language, else in English. A naive moment raises ValueError."""
    return _notification(facts, _shipped())


def check() -> None:
    """Every shipped template renders in every language and case; otherwise FaultyTemplate. For start-up."""
    _check(_shipped())


@dataclass(frozen=True, slots=True)
class _Templates:
    """The same templates for plain text and, escaping, for HTML."""

    text: SandboxedEnvironment
    html: SandboxedEnvironment


@cache
def _shipped() -> _Templates:
    return _compiled(jinja2.PackageLoader(__package__, package_path=""))


def _compiled(loader: jinja2.BaseLoader) -> _Templates:
    return _Templates(_environment(loader, autoescape=False), _environment(loader, autoescape=True))


def _environment(loader: jinja2.BaseLoader, *, autoescape: bool) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=loader,
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )


def _receipt(facts: ReceiptFacts, templates: _Templates) -> Rendered:
    language = offered(facts.language)
    values, words = _receipt_values(facts), _words(facts, language)
    words |= {"delay": _delay(facts).value, "sent": _sent(facts, language)} | _departments(facts, language)
    subject = None
    if facts.external:
        subject = templates.text.get_template(f"receipt/{language}.subject.j2").render(words).strip()
    text = _text(f"receipt/{language}", templates, values=values, words=words)
    html = templates.html.get_template(f"receipt/{language}.html.j2").render(values, **words)
    return Rendered(subject, text, html)


def _departments(facts: ReceiptFacts, language: str) -> _View:
    """Several departments in a row, and whether they are two; nothing where one has it, or the reader is a stranger."""
    if facts.external or not facts.also:
        return {"departments": "", "two": ""}
    names = (facts.department, *facts.also)
    row = listed(names, language=language, direction=str(_direction(language)["direction"]))
    return {"departments": row, "two": "two" if len(names) == 2 else ""}  # noqa: PLR2004 - Arabic has a dual


def _delay(facts: ReceiptFacts) -> Delay:
    """Why there is no answer today; none is needed where it is promised for the reader's today.

    The department's day may be another one: on its Sunday evening it promises Monday, which a reader in the east has.
    """
    answered, today = (moment.astimezone(facts.zone).date() for moment in (facts.first_response, facts.now))
    return Delay.NONE if answered == today else facts.delay


def _sent(facts: ReceiptFacts, language: str) -> str:
    return in_words(facts.sent, language=language, zone=facts.zone, now=facts.now) if facts.sent is not None else ""


def _receipt_values(facts: ReceiptFacts) -> _View:
    """What a receipt holds of names; nothing that a stranger could learn from reaches an external one's template."""
    if facts.external:
        facts = replace(facts, requester_name="", department="", closed_name="", urgent_contact="")
    return {
        "name": greeted(facts.requester_name),
        "department": one_line(facts.department),
        "closed_name": one_line(facts.closed_name),
        "urgent_contact": one_line(facts.urgent_contact),
        "ref": one_line(f"Ref: {facts.reference} {facts.token}"),
    }


def _joint(facts: JointFacts, templates: _Templates) -> Rendered:
    language = offered(facts.language)
    words = _direction(language) | {"late": "late" if facts.late else ""}
    direction = str(words["direction"])
    answered = [_answered(one, facts, language) for one in facts.answered]
    isolates = [{key: isolated(value, direction=direction) for key, value in one.items()} for one in answered]
    name = greeted(facts.requester_name)
    text = templates.text.get_template(f"joint/{language}.txt.j2")
    html = templates.html.get_template(f"joint/{language}.html.j2")
    return Rendered(
        None,
        text.render(words, name=isolated(name, direction=direction), answered=isolates),
        html.render(words, name=name, answered=answered),
    )


def _answered(one: Answered, facts: JointFacts, language: str) -> dict[str, str]:
    moments = {"sent": one.sent, "first_response": one.first_response, "resolution": one.resolution}
    return {
        "subject": one_line(one.subject, limit=SUBJECT_LIMIT),
        "department": listed(one.departments, language=language, direction=str(_direction(language)["direction"])),
        "ref": one_line(f"Ref: {one.reference} {one.token}"),
    } | {key: in_words(at, language=language, zone=facts.zone, now=facts.now) for key, at in moments.items()}


def _evening(facts: EveningFacts, templates: _Templates) -> Rendered:
    view = _evening_view(facts)
    subject = templates.text.get_template("evening/en.subject.j2").render(view)
    return Rendered(one_line(subject), templates.text.get_template("evening/en.txt.j2").render(view), "")


def _evening_view(facts: EveningFacts) -> _View:
    since, until = facts.since.astimezone(facts.zone), facts.until.astimezone(facts.zone)
    told = {name: getattr(facts, name) for name in ("alarms", "attention", "kept", "sent", "silent", "unsure")}
    return {
        "mailbox": one_line(facts.mailbox),
        "mode": facts.mode,
        "observing": "yes" if facts.observing else "",
        "day": in_words(until, language="en", zone=facts.zone, now=until - _LONG).partition(",")[0],
        "since": in_words(since, language="en", zone=facts.zone, now=until),
    } | {name: tuple(map(one_line, lines)) for name, lines in told.items()}


def _aside(facts: AsideFacts, templates: _Templates) -> Rendered:
    view, listed = aside_view(facts), [aside_line(one, facts) for one in facts.listed]
    subject = templates.text.get_template("set-aside/en.subject.j2").render(view)
    return Rendered(one_line(subject), templates.text.get_template("set-aside/en.txt.j2").render(view, listed=listed))


def _notification(facts: NotificationFacts, templates: _Templates) -> Rendered:
    language = offered(facts.language)
    values, words = _notification_values(facts), _words(facts, language)
    others = listed(facts.others, language=language, direction=str(words["direction"]))
    words |= {"event": facts.event.value, "quoted": quoted(facts.reply), "others": others}
    words |= {"copy": "copy" if facts.is_copy else ""}
    heading = {"reference": values["reference"], "subject": one_line(facts.subject, limit=SUBJECT_LIMIT)}
    subject = templates.text.get_template(f"notification/{language}.subject.j2").render(heading)
    text = _text(f"notification/{language}", templates, values=values, words=words)
    return Rendered(one_line(subject, limit=SUBJECT_LIMIT), text)


def _notification_values(facts: NotificationFacts) -> _View:
    return {
        "reference": one_line(facts.reference),
        "name": one_line(facts.requester_name),
        "address": one_line(facts.requester_address),
        "mailbox": one_line(facts.mailbox),
        "department": one_line(facts.department),
        "receipt_note": one_line(facts.receipt_note),
        "attachments": tuple(map(one_line, facts.attachments)),
        "evidence": tuple(map(one_line, facts.evidence)),
    }


def _words(facts: ReceiptFacts | NotificationFacts, language: str) -> _View:
    """What we say ourselves, the same in both parts."""
    return _direction(language) | {
        "first_response": in_words(facts.first_response, language=language, zone=facts.zone, now=facts.now),
        "resolution": in_words(facts.resolution, language=language, zone=facts.zone, now=facts.now),
    }


def _direction(language: str) -> _View:
    right_to_left = language in _RIGHT_TO_LEFT
    return {
        "language": language,
        "direction": "rtl" if right_to_left else "ltr",
        "start": "right" if right_to_left else "left",
    }


def _text(name: str, templates: _Templates, *, values: _View, words: _View) -> str:
    """The plain text. Values that run the other way stand between isolates, as they stand in bdi elements of HTML."""
    direction = str(words["direction"])
    isolates = {key: _isolated(value, direction) for key, value in values.items()}
    return templates.text.get_template(f"{name}.txt.j2").render(isolates, **words)


def _isolated(value: str | tuple[str, ...], direction: str) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return isolated(value, direction=direction)
    return tuple(isolated(each, direction=direction) for each in value)


def _check(templates: _Templates) -> None:
    _check_variables(templates)
    for receipt in _receipt_samples():
        with _blaming(f"receipt/{receipt.language}") as name:
            _check_rendered(name, _receipt(receipt, templates))
    for joint in _joint_samples():
        with _blaming(f"joint/{joint.language}") as name:
            _check_rendered(name, _joint(joint, templates))
    with _blaming("evening/en"):
        _evening(_EVENING, templates)
    for aside in (_ASIDE, replace(_ASIDE, more=3, moved=True)):
        with _blaming("set-aside/en") as name:
            _check_rendered(name, _aside(aside, templates))
    for notification in _notification_samples():
        with _blaming(f"notification/{notification.language}") as name:
            _check_rendered(name, _notification(notification, templates))


@contextmanager
def _blaming(name: str) -> Iterator[str]:
    try:
        yield name
    except jinja2.TemplateError as fault:  # no mail is in hand: this is start-up
        raise FaultyTemplate(f"{name}: {fault}") from fault


def _check_variables(templates: _Templates) -> None:
    """No template names a variable that is not given to it, not even in a branch that no sample reaches."""
    receipt, notification = next(_receipt_samples()), next(_notification_samples())
    words = _words(receipt, "en").keys()
    given = {
        "receipt": words | _receipt_values(receipt).keys() | {"delay", "sent", "departments", "two"},
        "evening": _evening_view(_EVENING).keys(),
        "set-aside": aside_view(_ASIDE).keys() | {"listed"},
        "joint": _direction("en").keys() | {"name", "late", "answered"},
        "notification": words
        | _notification_values(notification).keys()
        | {"event", "quoted", "subject", "others", "copy"},
    }
    for name in templates.text.list_templates(extensions=["j2"]):
        with _blaming(name):
            unknown = _used(name, templates.text) - given.get(name.partition("/")[0], words)
        if unknown:
            raise FaultyTemplate(f"{name}: unknown variable {', '.join(sorted(unknown))}")


def _used(name: str, environment: SandboxedEnvironment) -> set[str]:
    """The variables that a template expects from outside."""
    assert environment.loader is not None
    source = environment.loader.get_source(environment, name)[0]
    return meta.find_undeclared_variables(environment.parse(source, name))


def _check_rendered(name: str, rendered: Rendered) -> None:
    if rendered.subject is not None and (not rendered.subject or len(rendered.subject.splitlines()) > 1):
        raise FaultyTemplate(f"{name}.subject.j2: the subject is empty or has more than one line")
    if not rendered.text.strip() or (rendered.html is not None and not rendered.html.strip()):
        raise FaultyTemplate(f"{name}: the text is empty")


_MONDAY, _TUESDAY = datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 24, 8, tzinfo=UTC)


_LONG = timedelta(days=3)
"""From so far away a day is called by its name."""
_EVENING = EveningFacts("help@example.com", "observe", observing=True, since=_MONDAY, until=_MONDAY, zone=UTC)


def _receipt_samples() -> Iterator[ReceiptFacts]:
    """Each language with each delay, with everything said and with nothing that can be left out."""
    full = ReceiptFacts(
        language="en",
        requester_name="Anna Nowak",
        department="IT",
        first_response=_TUESDAY,
        resolution=_TUESDAY,
        zone=UTC,
        now=_MONDAY,
        delay=Delay.NONE,
        closed_name="Holiday",
        reference="R-1",
        token="sample",  # noqa: S106 (no secret)
        urgent_contact="1",
    )
    for language in LANGUAGES:
        for delay in Delay:
            told = replace(full, language=language, delay=delay)
            yield told
            yield replace(told, external=True, sent=_MONDAY)
        for also in (("HR",), ("HR", "Payroll")):
            yield replace(full, language=language, also=also)


def _joint_samples() -> Iterator[JointFacts]:
    """Each language, late and for another reason, with and without a subject."""
    one = Answered("Printer", ("IT", "HR"), _MONDAY, _MONDAY, _MONDAY, "R-1", "sample")
    for language in LANGUAGES:
        for late in (False, True):
            yield JointFacts(language, "Anna Nowak", (one, replace(one, subject="")), UTC, _MONDAY, late)


def _notification_samples() -> Iterator[NotificationFacts]:
    """Each language with each event, with everything said and with nothing that can be left out."""
    full = NotificationFacts(
        language="en",
        reference="R-1",
        subject="Printer",
        requester_name="Anna Nowak",
        requester_address="anna@example.com",
        mailbox="help@example.com",
        department="IT",
        reply="It is broken.",
        first_response=_MONDAY,
        resolution=_MONDAY,
        zone=UTC,
        now=_MONDAY,
        event=Event.OPENED,
        receipt_note="automatic mail",
        attachments=("scan.pdf, 12 kB",),
        evidence=("sender unproven",),
    )
    for language in LANGUAGES:
        for event in Event:
            told = replace(full, language=language, event=event)
            yield told
            yield replace(told, subject="", reply="", receipt_note="", attachments=(), evidence=())
        for is_copy in (False, True):
            yield replace(full, language=language, others=("HR",), is_copy=is_copy)
