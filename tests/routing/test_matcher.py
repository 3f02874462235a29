"""The automaton finds what a naive search finds."""

from hypothesis import given
from hypothesis import strategies as st

from routing.matcher import Matcher
from routing.rules import Condition, Rule, RuleSet, Where
from routing.text import normal

# Few letters of five scripts, so that keywords meet texts; a space, a border and a star among them.
LETTERS = "abłÉ1_ .-がカ印طاпй한ไ"
WORDS = st.text(LETTERS, min_size=1, max_size=4).filter(lambda word: normal(word) != "")
KEYWORDS = st.builds(
    lambda start, word, end: start + word + end, st.sampled_from(["", "*"]), WORDS, st.sampled_from(["", "*"])
)
TEXTS = st.text(LETTERS, max_size=40)
UNSPACED = "がカ印한ไ"


def matcher(*rules: Rule) -> Matcher:
    return Matcher(RuleSet(rules, "it"))


def rule(name: str, *any_of: str, **more: object) -> Rule:
    return Rule(**({"name": name, "department": "it", "any": any_of} | more))


def found_rules(made: Matcher, text: str) -> list[str]:
    return [bound.rule.name for bound in made.candidates(made.found(normal(text)))]


def goes_on(text: str, position: int) -> bool:
    """The naive twin of a word border."""
    if not 0 <= position < len(text):
        return False
    letter = text[position]
    return (letter.isalnum() or letter == "_") and letter not in UNSPACED


def naively_found(written: str, text: str) -> bool:
    form = normal(written)
    core = form.strip("* ")
    free_start = form[0] == "*" or not goes_on(core, 0)
    free_end = form[-1] == "*" or not goes_on(core, len(core) - 1)
    return any(
        text.startswith(core, at)
        and (free_start or not goes_on(text, at - 1))
        and (free_end or not goes_on(text, at + len(core)))
        for at in range(len(text))
    )


@given(st.lists(KEYWORDS, min_size=1, max_size=8), TEXTS)
def test_the_automaton_agrees_with_a_naive_search(keywords, text):
    made = matcher(*(rule(f"{number}", word) for number, word in enumerate(keywords)))
    expected = [f"{number}" for number, word in enumerate(keywords) if naively_found(word, normal(text))]
    assert found_rules(made, text) == expected


def test_overlapping_and_nested_keywords_are_all_found():
    made = matcher(rule("net", "*net*"), rule("network", "network"), rule("work", "*work"), rule("tw", "tw"))
    assert found_rules(made, "Network!") == ["net", "network", "work"]


def test_one_word_with_and_without_star_are_two_keywords():
    made = matcher(rule("exact", "drukark"), rule("free", "drukark*"))
    assert found_rules(made, "drukarka") == ["free"]


def test_rules_share_equal_keywords_and_come_in_their_order():
    made = matcher(rule("b", "Hasło"), rule("a", "haslo"), rule("c", "HASŁO"))
    assert found_rules(made, "moje hasło") == ["b", "a", "c"]


def test_a_rule_is_no_candidate_before_a_needed_keyword_is_there():
    made = matcher(rule("all", all=("vpn", "home"), any=()), rule("any", "x", all=("vpn",)))
    assert found_rules(made, "home") == []
    assert found_rules(made, "vpn") == ["all"]


def test_a_rule_of_conditions_only_is_always_a_candidate():
    made = matcher(rule("boss", any=(), conditions=(Condition(Where.SENDER, any=("boss@corp.example",)),)))
    assert found_rules(made, "") == ["boss"]


def test_a_rule_switched_off_is_never_found():
    assert found_rules(matcher(rule("off", "vpn", enabled=False)), "vpn") == []


def test_no_rule_finds_nothing():
    assert found_rules(matcher(), "anything") == []


def test_a_keyword_is_named_once_as_first_written():
    (bound,) = (made := matcher(rule("r", "Hasło", "haslo", all=("HASLO", "vpn")))).candidates(made.found("haslo vpn"))
    assert list(bound.written.values()) == [(0, "Hasło"), (3, "vpn")]


def test_ten_thousand_keywords_are_one_automaton():
    rules = [rule(f"{number}", *(f"word{number}x{part}" for part in range(10))) for number in range(1000)]
    assert found_rules(matcher(*rules), "word7x3 word999x9 word1000x1 word7x30") == ["7", "999"]
