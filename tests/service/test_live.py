"""What of a changed configuration holds at once, and what waits for a restart."""

import pytest

from service.live import take
from service.settings import load

BASE = """
own_domains = ["corp.example"]
[[mailbox]]
address = "help@corp.example"
department = "it"
[mailbox.imap]
host = "127.0.0.1"
tls = "none"
user = "help"
password = "one"
[[mailbox]]
address = "hr@corp.example"
[smtp]
host = "127.0.0.1"
tls = "none"
[listener]
lmtp = "127.0.0.1:2424"
[limits]
message_octets = 5000
[log]
level = "info"
"""


@pytest.fixture
def settings(tmp_path):
    def read(text=BASE):
        config = tmp_path / "config.toml"
        config.write_text(text, encoding="utf-8")
        return load(config)

    return read


HELP = "mailbox help@corp.example"


@pytest.mark.parametrize(
    ("old", "new", "applied", "waiting"),
    [
        ("# nothing", "# something", (), ()),
        ('own_domains = ["corp.example"]', 'own_domains = ["corp.test"]', ("own_domains",), ()),
        ('department = "it"', 'department = "hr"', (f"{HELP} department",), ()),
        ('department = "it"', 'mode = "observe"\nexternal = "none"', None, ()),
        ('department = "it"', 'department = "it"\naliases = ["it@corp.example"]', (f"{HELP} aliases",), ()),
        ('level = "info"', 'level = "debug"', ("log.level",), ()),
        ('level = "info"', 'format = "json"', (), ("log.format",)),
        ("[limits]", "[limits]\nenabled = false", ("limits.enabled",), ()),
        ("5000", "6000", (), ("limits.message_octets",)),
        ("[limits]", '[auth]\nmode = "boundary"\n[limits]', ("auth.mode",), ()),
        ('"one"', '"two"', (), (f"{HELP} imap.password",)),
        ('user = "help"', 'user = "desk"', (), (f"{HELP} imap.user",)),
        ("2424", "2525", (), ("listener.lmtp",)),
        ("[listener]\n", "[listener]\nsmtp = '127.0.0.1:26'\n", (), ("listener.smtp",)),
        ("[smtp]\n", "[smtp]\nconnections = 3\n", (), ("smtp.connections",)),
        ("[limits]", '[database]\nurl = "sqlite:///other.db"\n[limits]', (), ("database.url",)),
        ("[limits]", '[keys]\nfile = "other.key"\n[limits]', (), ("keys.file",)),
        ('"hr@corp.example"', '"pay@corp.example"', (), ("mailbox hr@corp.example", "mailbox pay@corp.example")),
    ],
)
def test_each_changed_setting_is_named_with_when_it_holds(settings, old, new, applied, waiting):
    text = f"# nothing{BASE}"
    assert old in text
    taken = take(settings(text), settings(text.replace(old, new, 1)))
    if applied is not None:
        assert taken.applied == applied
    assert taken.waiting == waiting


def test_what_holds_is_the_new_where_it_may_and_the_old_where_something_was_opened_with_it(settings):
    changed = BASE.replace('department = "it"', 'mode = "observe"').replace('"one"', '"two"').replace("2424", "2525")
    taken = take(settings(), settings(changed.replace("5000", "6000\nexternal_receipts_per_day = 7")))
    one = taken.settings.mailbox[0]
    assert (one.mode, one.department, one.imap.password.get_secret_value()) == ("observe", None, "one")
    assert (taken.settings.limits.external_receipts_per_day, taken.settings.limits.message_octets) == (7, 5000)
    assert taken.settings.listener.lmtp.port == 2424


def test_a_mailbox_that_is_new_or_gone_waits_for_a_restart(settings):
    taken = take(settings(), settings(BASE.replace('"hr@corp.example"', '"pay@corp.example"')))
    assert [one.address for one in taken.settings.mailbox] == ["help@corp.example", "hr@corp.example"]


def test_no_value_is_ever_named(settings):
    taken = take(settings(), settings(BASE.replace('"one"', '"s3cret"')))
    assert "s3cret" not in f"{taken.applied}{taken.waiting}"
