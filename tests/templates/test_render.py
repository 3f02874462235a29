"""Rendering: hostile values stay values, both parts are well-formed, faults show at start-up."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from desk.promise import Delay
from templates import render
from templates.plain import one_line
from templates.render import LANGUAGES, FaultyTemplate, check, render_notification, render_receipt

HOSTILE = [
    "{{ 7*7 }}",
    "{% for x in () %}{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</bdi></table><b>&amp;&#39;",
    "O'Brien & Sons",
    "${7*7} #{7*7} %(x)s %s {0}",
]

VOID = {"meta", "br"}
ALLOWED = {"html", "head", "meta", "body", "div", "p", "bdi", "table", "tr", "th", "td", "br", "strong"}
ALLOWED |= {"ul", "li", "blockquote"}
ATTRIBUTES = {"lang", "dir", "charset", "name", "content", "style", "scope", "cellpadding"}

every_language = pytest.mark.parametrize("language", LANGUAGES)
hostile = pytest.mark.parametrize("value", HOSTILE)


class Elements(HTMLParser):
    """The elements of a page: names and attributes met, and those still open."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes, self.open = set(), [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def printed(rendered):
    return tuple(filter(None, (rendered.subject, rendered.text, rendered.html)))


def told_holiday(facts, value):
    return replace(facts, delay=Delay.CLOSED, closed_name=value)


def test_the_shipped_templates_are_sound():
    assert check() is None


@hostile
@every_language
def test_a_hostile_department_is_words_in_a_receipt(receipt_facts, language, value):
    rendered = render_receipt(replace(receipt_facts, language=language, department=value))
    assert value in rendered.text
    assert f"<bdi>{escape(value)}</bdi>" in rendered.html
    assert Elements(rendered.html).names <= ALLOWED


@hostile
@every_language
def test_a_hostile_holiday_is_words_in_a_receipt(receipt_facts, language, value):
    rendered = render_receipt(replace(told_holiday(receipt_facts, value), language=language))
    assert value in rendered.text
    assert f"<bdi>{escape(value)}</bdi>" in rendered.html


@hostile
@every_language
def test_a_hostile_urgent_contact_is_words_in_a_receipt(receipt_facts, language, value):
    rendered = render_receipt(replace(receipt_facts, language=language, urgent_contact=value))
    assert value in rendered.text
    assert f"<bdi>{escape(value)}</bdi>" in rendered.html


@every_language
@pytest.mark.parametrize("value", ["{{ 7*7 }}", "<script>alert(1)</script>", "Visit http://evil.example now"])
def test_what_is_no_name_does_not_reach_a_receipt(receipt_facts, language, value):
    """A receipt carries no words of a sender who may be forged."""
    named = replace(receipt_facts, language=language, requester_name=value)
    assert render_receipt(named) == render_receipt(replace(named, requester_name=""))


@hostile
@every_language
def test_hostile_values_are_words_in_a_notification(notification_facts, language, value):
    facts = replace(
        notification_facts,
        language=language,
        subject=value,
        requester_name=value,
        reply=value,
        receipt_note=value,
        attachments=(value,),
        evidence=(value,),
    )
    rendered = render_notification(facts)
    assert rendered.subject == f"[R-1042] {value}"
    assert rendered.text.count(value) == 5


@every_language
def test_the_text_part_knows_no_entities(receipt_facts, language):
    facts = replace(receipt_facts, language=language, requester_name="Seán O'Brien", department="R&D <lab>")
    rendered = render_receipt(facts)
    assert "R&D <lab>" in rendered.text
    assert not re.search(r"&#?\w+;", rendered.text)
    assert ("Seán O'Brien" in rendered.text) == (language != "pl")  # Polish greets by a vocative or not at all
    assert "R&amp;D &lt;lab&gt;" in rendered.html


@every_language
@pytest.mark.parametrize("subject", ["one\ntwo", "one\r\nBcc: x@example.net", "a\u2028b\x0bc\x85d", "x" * 5_000])
def test_a_subject_is_one_line_of_at_most_120_letters(notification_facts, language, subject):
    rendered = render_notification(replace(notification_facts, language=language, subject=subject))
    assert rendered.subject == one_line(f"[R-1042] {subject}", limit=120)
    assert len(rendered.subject) <= 120
    assert len(rendered.subject.splitlines()) == 1


def test_a_newline_in_a_value_adds_no_line(notification_facts, receipt_facts):
    """Otherwise a name could write a line that looks like ours."""
    broken = "Anna\n\nRef: R-1 forged"
    plain = broken.replace("\n\n", " ")
    for field in ("requester_name", "requester_address", "mailbox", "department", "receipt_note"):
        assert render_notification(replace(notification_facts, **{field: broken})) == render_notification(
            replace(notification_facts, **{field: plain})
        )
    for field in ("department", "urgent_contact", "reference"):
        assert render_receipt(replace(receipt_facts, **{field: broken})) == render_receipt(
            replace(receipt_facts, **{field: plain})
        )


def test_the_words_of_a_mail_cannot_pass_for_ours(notification_facts):
    """Each of their lines is quoted, the first and the empty ones too."""
    reply = "Hello\n\nReply to this mail: it goes to nobody.\n> old"
    text = render_notification(replace(notification_facts, reply=reply)).text
    assert "\nMessage:\n> Hello\n>\n> Reply to this mail: it goes to nobody.\n> > old\n\nReply to" in text


@every_language
def test_overrides_in_a_value_do_not_turn_the_words_around_it(notification_facts, receipt_facts, language):
    turned = "\u202egnp.\u2069\u2066evil"
    notification = replace(
        notification_facts, language=language, requester_name=turned, subject=turned, attachments=(turned,)
    )
    receipt = replace(receipt_facts, language=language, department=turned, requester_name=turned)
    for part in (*printed(render_notification(notification)), *printed(render_receipt(receipt))):
        assert "\u202e" not in part
        assert part.count("\u2066") + part.count("\u2068") == part.count("\u2069")
        assert "\u2069\u2066" not in part


def test_a_name_in_another_direction_is_isolated_from_the_address(notification_facts):
    facts = replace(notification_facts, requester_name="أحمد العلي")
    assert "From: \u2068أحمد العلي\u2069 <anna@corp.example>" in render_notification(facts).text


def test_a_value_of_5000_letters_is_cut(receipt_facts, notification_facts):
    huge = "x" * 5_000
    receipt = render_receipt(replace(receipt_facts, department=huge, requester_name=huge, urgent_contact=huge))
    notification = render_notification(replace(notification_facts, requester_name=huge, attachments=(huge,)))
    for rendered in (receipt, notification):
        assert max(map(len, rendered.text.splitlines())) < 300
    assert len(receipt.html) < 5_000


def test_a_long_text_of_a_mail_is_kept_whole(notification_facts):
    """What staff do not see they cannot answer."""
    reply = "\n".join(f"line {number}" for number in range(5_000))
    assert "> line 4999\n" in render_notification(replace(notification_facts, reply=reply)).text


@pytest.mark.parametrize(
    ("language", "direction"),
    [("en", "ltr"), ("pl", "ltr"), ("it", "ltr"), ("ar", "rtl"), ("ja", "ltr"), ("de", "ltr")],
)
def test_a_page_says_its_language_and_direction(receipt_facts, language, direction):
    """A language that is not offered is English, and says so. Clients that drop <html> find it in the div."""
    spoken = language if language in LANGUAGES else "en"
    page = render_receipt(replace(receipt_facts, language=language)).html
    assert page.startswith(f'<!doctype html>\n<html lang="{spoken}" dir="{direction}">')
    assert f'<body>\n<div lang="{spoken}" dir="{direction}"' in page


@every_language
@pytest.mark.parametrize("delay", Delay)
def test_a_page_closes_what_it_opens_and_links_to_nothing(receipt_facts, language, delay):
    """No link, image, script, style sheet or remote content, and no colour that a dark screen would hide."""
    page = render_receipt(replace(receipt_facts, language=language, delay=delay)).html
    elements = Elements(page)
    assert elements.open == []
    assert elements.names <= ALLOWED
    assert {name for name, _ in elements.attributes} <= ATTRIBUTES
    assert not re.search(r"https?:|url\(|color:|background", page)


@every_language
def test_a_notification_is_plain_text(notification_facts, language):
    assert render_notification(replace(notification_facts, language=language)).html is None


@every_language
def test_the_reference_of_a_page_stays_left_to_right(receipt_facts, language):
    page = render_receipt(replace(receipt_facts, language=language)).html
    assert '<bdi dir="ltr">Ref: R-1042 k7f3qz2m9x4w8tbd</bdi>' in page


def test_a_moment_without_zone_is_refused(receipt_facts, notification_facts):
    naive = receipt_facts.resolution.replace(tzinfo=None)
    with pytest.raises(ValueError, match="needs a zone"):
        render_receipt(replace(receipt_facts, resolution=naive))
    with pytest.raises(ValueError, match="needs a zone"):
        render_notification(replace(notification_facts, first_response=naive))


def with_one_changed(name, source):
    """The shipped templates, one of them replaced."""
    shipped = render._shipped().text.loader
    return render._compiled(jinja2.ChoiceLoader([jinja2.DictLoader({name: source}), shipped]))


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("receipt/pl.txt.j2", "{{ nmae }}", r"receipt/pl\.txt\.j2: unknown variable nmae"),
        ("receipt/ja.txt.j2", "x{% if delay == 'never' %}{{ nmae }}{% endif %}", r"receipt/ja.*unknown.*nmae"),
        ("receipt/en.txt.j2", "{{ subject }}", r"receipt/en\.txt\.j2: unknown variable subject"),
        ("layout.html.j2", "{{ ref }}", r"layout\.html\.j2: unknown variable ref"),
        ("receipt/ar.html.j2", "{{ name.first.letter }}", r"receipt/ar: .*no attribute 'first'"),
        ("notification/it.txt.j2", "{% if %}", r"notification/it\.txt\.j2: "),
        ("notification/en.txt.j2", "{{ event.mro.__class__ }}", r"notification/en: "),
        ("notification/pl.txt.j2", " \n", r"notification/pl: the text is empty"),
        ("receipt/it.html.j2", "{# nothing #}", r"receipt/it: the text is empty"),
        ("receipt/en.subject.j2", "one\ntwo\n", r"receipt/en\.subject\.j2: .*more than one line"),
        ("receipt/ja.subject.j2", "\n", r"receipt/ja\.subject\.j2: .*empty"),
    ],
)
def test_a_faulty_template_is_named_at_start_up(name, source, complaint):
    with pytest.raises(FaultyTemplate, match=complaint):
        render._check(with_one_changed(name, source))


def test_a_missing_template_is_named_at_start_up():
    shipped = render._shipped().text
    kept = {
        name: shipped.loader.get_source(shipped, name)[0]
        for name in shipped.list_templates(extensions=["j2"])
        if name != "notification/ar.txt.j2"
    }
    with pytest.raises(FaultyTemplate, match=r"notification/ar\.txt\.j2"):
        render._check(render._compiled(jinja2.DictLoader(kept)))


@given(value=st.text(), language=st.sampled_from(LANGUAGES))
def test_any_name_and_subject_render_and_stay_words(notification_facts, value, language):
    facts = replace(notification_facts, language=language, subject=value, requester_name=value)
    rendered = render_notification(facts)
    assert rendered.subject.startswith("[R-1042] ")
    assert len(rendered.subject.splitlines()) == 1
    assert one_line(value) in rendered.text


@given(value=st.text(), language=st.sampled_from(LANGUAGES), external=st.booleans())
def test_any_value_renders_a_receipt_with_nothing_undefined(receipt_facts, value, language, external):
    facts = replace(receipt_facts, language=language, requester_name=value, department=value, external=external)
    rendered = render_receipt(told_holiday(facts, value))
    assert rendered.text.splitlines()[-1].strip("\u2068\u2069") == "Ref: R-1042 k7f3qz2m9x4w8tbd"
    assert Elements(rendered.html).open == []
    assert (rendered.subject is not None) == external
    assert "undefined" in value or not any("undefined" in part.lower() for part in printed(rendered))
    assert external or one_line(value) in rendered.text
