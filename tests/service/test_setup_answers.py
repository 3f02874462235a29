"""The answers of init: what is taken, what is refused and in which words, and which files come of them."""

import tomllib

import pytest

from routing.reading import read_routing
from service.settings import load
from service.setup_answers import AnswersRefused, read_answers, require_complete
from service.setup_files import CONFIG, ROUTING, files_of

SECRET = "open sesame"
HELP = f'[[mailbox]]\naddress = "help@corp.example"\npassword = "{SECRET}"\n'
SERVERS = '[imap]\nhost = "imap.corp.example"\n[smtp]\nhost = "smtp.corp.example"\n'
SMALL = SERVERS + HELP
OAUTH = '[oauth]\nclient_id = "app"\nclient_secret = "open sesame"\n'
BARE = '[[mailbox]]\naddress = "help@corp.example"\n'


@pytest.fixture
def answers(tmp_path):
    """Read a text as answers.toml, complete."""

    def read(text, provider=None):
        path = tmp_path / "answers.toml"
        path.write_text(text, encoding="utf-8")
        found = read_answers(path, provider=provider)
        require_complete(found, path)
        return found

    return read


@pytest.fixture
def refusal(tmp_path, answers):
    """The words with which a text is refused, without the file's name."""

    def refuse(text, provider=None):
        with pytest.raises(AnswersRefused) as caught:
            answers(text, provider)
        assert SECRET not in str(caught.value)
        return str(caught.value).replace(f"{tmp_path / 'answers.toml'}: ", "")

    return refuse


def config(answers):
    return tomllib.loads(files_of(answers)[CONFIG])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("imap = 1\n" + HELP, "imap: found 1; accepted: a table"),
        (SMALL.replace("address", "adress"), "mailbox[1].adress: unknown setting; did you mean address?"),
        (SMALL + "colour = 1\n", "mailbox[1].colour (help@corp.example): unknown setting"),
        ('contry = "PL"\n' + SMALL, "contry: unknown setting; did you mean country?"),
        ('country = "XX"\n' + SMALL, 'country: found "XX"; accepted: an ISO 3166 code'),
        ('zone = "Mars"\n' + SMALL, 'zone: found "Mars"; accepted: an IANA name'),
        ('provider = "aol"\n' + SMALL, 'provider: found "aol"; accepted: "m365", "google" or "generic"'),
        (SERVERS, "mailbox: is missing"),
        (HELP, 'imap: is missing; accepted: [imap] with host = "..."'),
        (SERVERS + BARE, "mailbox (help@corp.example): password is missing"),
        (SMALL + 'password_env = "X"\n', "found password and password_env; accepted: one of"),
        (SMALL + 'department = "sales"\n', "department: found sales; accepted: it, hr, payroll, facilities"),
        ('[departments]\nsales = "a@b.example"\n' + SMALL, "departments: found sales; accepted: it, hr"),
        ('[departments]\nit = "nobody"\n' + SMALL, "departments"),
        (
            '[departments]\nit = "Help@corp.example"\n' + SMALL,
            "departments.it: found Help@corp.example, which is watched",
        ),
        (SMALL.replace("help@", "hr@"), "departments.hr: found hr@corp.example, which is watched"),
        (SMALL.replace("[smtp]", '[smtp]\ntls = "none"'), 'smtp.tls: found "none"'),
        (SMALL + OAUTH, 'provider: found "generic" with [oauth]; accepted: "m365", "google"'),
        ("not toml", "not TOML"),
    ],
)
def test_a_mistake_is_refused_with_what_would_be_accepted(refusal, text, words):
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("provider", "text", "words"),
    [
        ("m365", BARE, "oauth: is missing; accepted: [oauth] with tenant, client_id and client_secret_file"),
        ("m365", BARE + OAUTH, "oauth.tenant: is missing"),
        ("google", BARE + OAUTH, "oauth.refresh_token_file: is missing"),
        ("google", BARE, "password is missing"),
        ("m365", BARE + '[oauth]\ntenant = "t"\nclient_id = "app"\n', "oauth.client_secret: found neither"),
    ],
)
def test_what_a_provider_needs_is_asked_for(refusal, provider, text, words):
    assert words in refusal(text, provider)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AnswersRefused, match=r"none\.toml: cannot be read"):
        read_answers(tmp_path / "none.toml", provider=None)


def test_no_secret_stands_in_the_configuration_and_each_has_a_file(answers):
    files = files_of(answers(SMALL))
    assert [name for name, text in files.items() if SECRET in text] == ["help@corp.example.password"]
    assert files["help@corp.example.password"] == f"{SECRET}\n"
    assert list(files)[-1] == CONFIG


def test_a_slash_in_an_address_leads_to_no_other_folder(answers):
    assert "a_help@corp.example.password" in files_of(answers(SMALL.replace("help@", "a/help@")))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ('password_env = "X"', ("password_env", "X")),
        ('password_command = "pass show help"', ("password_command", ["pass", "show", "help"])),
    ],
)
def test_a_password_from_elsewhere_stays_there(answers, given, wanted):
    written = files_of(answers(SMALL.replace(f'password = "{SECRET}"', given)))
    imap = tomllib.loads(written[CONFIG])["mailbox"][0]["imap"]
    assert imap[wanted[0]] == wanted[1]
    assert list(written) == [ROUTING, CONFIG]


def test_a_relative_password_file_starts_where_the_answers_are(answers, tmp_path):
    imap = config(answers(SMALL.replace(f'password = "{SECRET}"', 'password_file = "p"')))["mailbox"][0]["imap"]
    assert imap["password_file"] == str(tmp_path / "p")


@pytest.mark.parametrize(
    ("more", "login"),
    [
        ("", {"user": "help@corp.example", "password_file": "help@corp.example.password"}),
        ('user = "desk"\n', {"user": "desk", "password_file": "help@corp.example.password"}),
        (f'user = "desk"\npassword = "{SECRET}"\n', {"user": "desk", "password_file": "smtp.password"}),
        ("login = false\n", {}),
    ],
)
def test_the_relay_is_logged_in_to_as_told_else_as_the_first_mailbox(answers, more, login):
    smtp = config(answers(SMALL.replace('"smtp.corp.example"\n', f'"smtp.corp.example"\n{more}')))["smtp"]
    assert smtp == {"host": "smtp.corp.example", "tls": "tls", **login}


def test_mailboxes_begin_in_observe_and_own_domains_are_theirs(answers):
    found = config(answers(SMALL + HELP.replace("help@corp", "hello@Other")))
    assert [one["mode"] for one in found["mailbox"]] == ["observe", "observe"]
    assert found["own_domains"] == ["corp.example", "other.example"]


def test_microsoft_logs_in_by_tokens_as_each_mailbox_and_keeps_to_its_limits(answers):
    text = 'own_domains = ["corp.example"]\n' + BARE + BARE.replace("help@", "desk@")
    files = files_of(answers(text + OAUTH + 'tenant = "corp.onmicrosoft.com"\n', "m365"))
    found = tomllib.loads(files[CONFIG])
    tokens = {"provider": "m365", "tenant": "corp.onmicrosoft.com", "client_id": "app"}
    tokens["client_secret_file"] = "oauth.secret"
    assert [one["imap"]["user"] for one in found["mailbox"]] == ["help@corp.example", "desk@corp.example"]
    assert all(one["imap"]["oauth"] == tokens for one in found["mailbox"])
    assert found["smtp"] == {
        "host": "smtp.office365.com",
        "tls": "starttls",
        "user": "help@corp.example",
        "oauth": tokens,
        "rate_per_minute": 30,
        "connections": 3,
    }
    assert found["auth"] == {"mode": "exchange"}
    assert files["oauth.secret"] == f"{SECRET}\n"


def test_google_logs_in_by_a_password_of_the_account_or_by_a_refresh_token(answers, tmp_path):
    simple = config(answers(HELP, "google"))
    assert simple["mailbox"][0]["imap"]["password_file"] == "help@corp.example.password"
    assert simple["auth"] == {"mode": "trusted_ar", "trusted_ids": ["mx.google.com"]}
    token = config(answers(BARE + OAUTH + 'refresh_token_file = "token"\n', "google"))["smtp"]["oauth"]
    assert token["refresh_token_file"] == str(tmp_path / "token")
    assert "tenant" not in token


def test_a_providers_server_can_be_replaced(answers):
    found = config(answers(HELP + '[smtp]\nhost = "smtp-relay.gmail.com"\ntls = "starttls"\n', "google"))
    assert (found["smtp"]["host"], found["mailbox"][0]["imap"]["host"]) == ("smtp-relay.gmail.com", "imap.gmail.com")


def test_the_routing_is_the_starter_set_with_addresses_zone_and_country(answers):
    more = 'zone = "Europe/Warsaw"\ncountry = "PL"\n[departments]\nit = "it-team@corp.example"\n'
    text = files_of(answers(more + SMALL))[ROUTING]
    routing = read_routing(text, source="it", default_domain="elsewhere.example")
    assert {one.key: one.address for one in routing.departments} == {
        "it": "it-team@corp.example",
        "hr": "hr@corp.example",
        "payroll": "payroll@corp.example",
        "facilities": "facilities@corp.example",
    }
    assert {(one.zone, one.country) for one in routing.calendars} == {("Europe/Warsaw", "PL")}


def test_without_zone_and_country_the_calendar_is_that_of_the_machine(answers):
    routing = read_routing(files_of(answers(SMALL))[ROUTING], source="it", default_domain="x.example")
    assert {(one.zone, one.country or "") for one in routing.calendars} == {("system", "")}


def test_the_configuration_is_one_that_run_takes(answers, tmp_path):
    """Odd letters survive."""
    text = SMALL.replace("[[mailbox]]", '[[mailbox]]\nuser = "a \\"b\\" \\\\ ł"\ndepartment = "it"')
    path = tmp_path / CONFIG
    path.write_text(files_of(answers(text))[CONFIG], encoding="utf-8")
    (mailbox,) = load(path).mailbox
    assert mailbox.imap is not None
    assert (mailbox.imap.user, mailbox.department, mailbox.mode) == ('a "b" \\ ł', "it", "observe")
