"""A failure is told by its kind and place; what it met stays out."""

from service.failure import failure
from service.parser import ParserDied


def fail(subject):
    raise ValueError(f"not ASCII: {subject}")


def caught(subject):
    try:
        fail(subject)
    except ValueError as error:  # no mail is in hand
        return error


def test_an_error_that_quotes_the_mail_is_told_without_its_words():
    words = failure(caught("my divorce"))
    assert "divorce" not in words
    assert words.startswith("ValueError < test_failure.py:")
    assert words.index(" fail") < words.index(" caught")


def test_our_own_words_are_told_as_they_are():
    assert failure(ParserDied("ran out of memory")) == "ran out of memory"


def test_an_error_that_was_never_raised_has_its_name():
    assert failure(RuntimeError("secret")) == "RuntimeError"
