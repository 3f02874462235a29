"""config.toml: what is taken, what it becomes, and how a refusal reads."""

import sys
from pathlib import Path

import pytest

from service import settings as module
from service.settings import Row, Settings, SettingsError, describe, find, load

MAILBOX = """
[[mailbox]]
address = "help@corp.example"
"""
IMAP = """
[mailbox.imap]
host = "imap.corp.example"
user = "help"
password_env = "IMAP_PASSWORD"
"""
MAILDIR = """
[maildir]
path = "out"
"""
SMTP = """
[smtp]
host = "smtp.corp.example"
"""
SMALL = MAILBOX + MAILDIR


@pytest.fixture
def written(tmp_path: Path):
    """Write a text as config.toml that only its owner may read; the path of it."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def read(written):
    return lambda text: load(written(text))


@pytest.fixture
def refusal(written):
    """The words with which a text is refused, without the file's name."""

    def refuse(text: str) -> str:
        path = written(text)
        with pytest.raises(SettingsError) as caught:
            load(path)
        return str(caught.value).replace(f"{path}: ", "")

    return refuse


class TestDatabase:
    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("postgresql://desk@db.corp.example/deskbell", "postgresql://desk@db.corp.example/deskbell"),
            ("postgres://desk:pw@db:5433/deskbell", "postgresql://desk:***@db:5433/deskbell"),
            ("postgresql:///deskbell?host=/run/postgresql", "postgresql:///deskbell?host=/run/postgresql"),
            ("postgresql://h/d?sslmode=verify-full&password=pw", "postgresql://h/d?sslmode=verify-full&password=***"),
        ],
    )
    def test_postgresql_is_taken_and_shown_without_its_password(self, read, given: str, shown: str) -> None:
        config = read(f'{SMALL}[database]\nurl = "{given}"')
        assert config.database.url == given.replace("postgres://", "postgresql://")
        assert Row("database.url", shown, "file") in describe(config)
        assert config.database.url.has_password is ("pw" in given)

    def test_a_password_in_a_url_that_everyone_may_read_is_exposed(self, written) -> None:
        path = written(f'{SMALL}[database]\nurl = "postgresql://u:pw@h/d"')
        assert not load(path).exposes_passwords
        path.chmod(0o644)
        assert load(path).exposes_passwords


class TestDefaults:
    def test_one_mailbox_and_a_way_out_are_enough(self, read) -> None:
        config = read(SMALL)
        assert config.mailbox[0].address == "help@corp.example"
        assert config.mailbox[0].imap is None
        assert config.mailbox[0].department is None
        assert (config.mailbox[0].mode, config.mailbox[0].external) == ("full", "limited")

    def test_paths_start_at_the_folder_of_the_file(self, read, tmp_path: Path) -> None:
        config = read(SMALL)
        assert config.path == tmp_path / "config.toml"
        assert config.database.url == f"sqlite:///{tmp_path}/deskbell.db"
        assert config.keys.file == tmp_path / "deskbell.key"
        assert config.maildir.path == tmp_path / "out"

    def test_absolute_paths_stay(self, read) -> None:
        config = read(SMALL + '[database]\nurl = "sqlite:////var/lib/desk.db"\n[keys]\nfile = "/etc/desk.key"')
        assert config.database.url == "sqlite:////var/lib/desk.db"
        assert config.keys.file == Path("/etc/desk.key")

    def test_no_door_is_open_and_nobody_is_proven(self, read) -> None:
        config = read(SMALL)
        assert (config.listener.lmtp, config.listener.smtp) == (None, None)
        assert (config.auth.mode, config.auth.trusted_ids) == ("none", ())

    def test_limits_and_log_have_the_documented_values(self, read) -> None:
        config = read(SMALL)
        assert config.limits.enabled is True
        assert config.limits.message_octets == 35 * 1024 * 1024
        assert config.limits.external_receipts_per_day == 2
        assert (config.log.format, config.log.level) == ("text", "info")

    def test_own_domains_are_those_of_the_mailboxes_each_once(self, read) -> None:
        second = '[[mailbox]]\naddress = "hr@Corp.Example"\n[[mailbox]]\naddress = "it@other.example"\n'
        assert read(second + SMALL).own_domains == ("corp.example", "other.example")

    def test_own_domains_as_written_replace_those_of_the_mailboxes(self, read) -> None:
        assert read('own_domains = ["Other.example"]' + SMALL).own_domains == ("other.example",)

    def test_a_byte_order_mark_does_not_matter(self, written) -> None:
        path = written(SMALL)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert load(path).mailbox

    @pytest.mark.parametrize(("tls", "port"), [("tls", 993), ("starttls", 143), ("none", 143)])
    def test_the_imap_port_follows_from_tls(self, read, tls: str, port: int) -> None:
        imap = IMAP.replace("imap.corp.example", "localhost") + f'tls = "{tls}"\n'
        assert read(MAILBOX + imap + MAILDIR).mailbox[0].imap.port == port

    @pytest.mark.parametrize(("tls", "port"), [("tls", 465), ("starttls", 587), ("none", 25)])
    def test_the_smtp_port_follows_from_tls(self, read, tls: str, port: int) -> None:
        assert read(f'{MAILBOX}[smtp]\nhost = "::1"\ntls = "{tls}"').smtp.port == port

    def test_a_written_port_wins(self, read) -> None:
        assert read(f"{MAILBOX}{IMAP}port = 1993{MAILDIR}").mailbox[0].imap.port == 1993

    def test_an_account_watches_the_inbox_and_settles_by_itself_what_it_does_there(self, read) -> None:
        imap = read(MAILBOX + IMAP + MAILDIR).mailbox[0].imap
        assert (imap.folders, imap.after, imap.tls, imap.ca_file) == (("INBOX",), "auto", "tls", None)

    def test_smtp_without_an_account_logs_in_nowhere(self, read) -> None:
        smtp = read(MAILBOX + SMTP).smtp
        assert (smtp.user, smtp.secret, smtp.rate_per_minute, smtp.connections) == (None, None, 0, 2)


class TestPasswords:
    @pytest.mark.parametrize(
        ("line", "source"),
        [
            ('password = "hunter2"', "in the file (hidden)"),
            ('password_env = "PW"', "env PW"),
            ('password_file = "/run/pw"', "file /run/pw"),
            ('password_command = "pass show imap"', "command pass"),
            ('password_command = ["pass", "show imap"]', "command pass"),
        ],
    )
    def test_each_of_four_sources_is_taken(self, read, line: str, source: str) -> None:
        assert read(f'{MAILBOX}{SMTP}user = "x"\n{line}').smtp.secret.source == source

    def test_a_relative_password_file_starts_at_the_folder_of_the_file(self, read, tmp_path: Path) -> None:
        config = read(f'{MAILBOX}{SMTP}user = "x"\npassword_file = "pw"')
        assert config.smtp.secret.source == f"file {tmp_path / 'pw'}"

    def test_a_written_password_is_in_no_representation(self, read) -> None:
        config = read(f'{MAILBOX}{SMTP}user = "x"\npassword = "hunter2"')
        assert config.smtp.secret.reveal() == "hunter2"
        assert "hunter2" not in repr(config) + str(config) + repr(config.smtp.secret) + repr(describe(config))

    @pytest.mark.parametrize(("mode", "exposed"), [(0o644, True), (0o640, False), (0o600, False)])
    def test_a_written_password_in_a_file_for_everyone_is_told(self, written, mode: int, exposed: bool) -> None:
        path = written(f'{MAILBOX}{SMTP}user = "x"\npassword = "hunter2"')
        path.chmod(mode)
        assert load(path).exposes_passwords is exposed

    def test_a_file_for_everyone_is_taken_where_no_password_stands_in_it(self, written) -> None:
        path = written(MAILBOX + IMAP + MAILDIR)
        path.chmod(0o644)
        assert load(path).mailbox[0].imap.secret.source == "env IMAP_PASSWORD"
        assert not load(path).exposes_passwords

    @pytest.mark.parametrize(
        "lines",
        [
            'user = "x"\npasword = "hunter2"',
            'user = "x"\npassword = ["hunter2"]',
            'user = "x"\npassword_env = "hunter2 "',
            'user = "x"\npassword_file = ["hunter2"]',
            'user = "x"\npassword_command = "echo \'hunter2"',
            'password = "hunter2"',
            'user = "x"\npassword = "hunter2"\npassword_env = "A"',
            'tls = "smtp://x:hunter2@host"',
            'host = "x:hunter2@host"',
            'secret = {value = "hunter2"}',
        ],
    )
    def test_no_refusal_shows_a_password(self, refusal, lines: str) -> None:
        smtp = "[smtp]\n" if lines.startswith("host") else SMTP
        assert "hunter2" not in refusal(MAILBOX + smtp + lines)


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "mailbox: is missing; accepted: a watched shared address"),
            (f"mailbox = []{MAILDIR}", "mailbox: found a list of 0; accepted: at least 1 entry"),
            ('[mailbox]\naddress = "a@b"' + MAILDIR, "mailbox: found a table; accepted: a list in square brackets"),
            (MAILBOX, "smtp: found neither; accepted: exactly one of [smtp] and [maildir]"),
            (MAILBOX + SMTP + MAILDIR, "smtp: found both; accepted: exactly one of [smtp] and [maildir]"),
            (f"{MAILBOX}{SMTP}port = 0{MAILDIR}", "smtp: found both"),
            (f"{SMALL}[log]\nlevl = 1", "log.levl: unknown setting; did you mean level?"),
            (f'{SMALL}[log]\nlmtp = ""', "log.lmtp: unknown setting here; did you mean listener.lmtp?"),
            (f"{SMALL}[log]\nxyzzy = 1", "log.xyzzy: unknown setting; accepted: format, level"),
            (f"{SMALL}[logs]\n", "logs: unknown setting; did you mean log?"),
            (
                f'{SMALL}[log]\nlevel = "loud"',
                'log.level: found "loud"; accepted: "debug", "info", "warning" or "error"',
            ),
            (f"{SMALL}[log]\nlevel = 1", "log.level: found 1; accepted: "),
            (f'{SMALL}[limits]\nenabled = "yes"', 'limits.enabled: found "yes"; accepted: true or false'),
            (f"{SMALL}[limits]\nmessage_octets = true", "limits.message_octets: found true; accepted: a whole number"),
            (f"{SMALL}[limits]\nexternal_receipts_per_day = -1", "found -1; accepted: 0 or more"),
            (f"log = 3{SMALL}", "log: found 3; accepted: a table"),
            (f"own_domains = []{SMALL}", "own_domains: found a list of 0; accepted: at least 1 entry"),
            (f'own_domains = "b.example"{SMALL}', 'found "b.example"; accepted: a list in square brackets'),
            (f'{SMALL}[auth]\nmode = "trusted_ar"', "auth.trusted_ids: found a list of 0; accepted: at least one name"),
            (f"{MAILBOX}{SMTP}connections = 11", "smtp.connections: found 11; accepted: 10 or less"),
            (f"{MAILBOX}{SMTP}rate_per_minute = -1", "smtp.rate_per_minute: found -1; accepted: 0 or more"),
            (f'{MAILBOX}{SMTP}user = "x"', "smtp.password: found none; accepted: exactly one of password"),
            (f'{MAILBOX}{SMTP}password_env = "X"', "smtp.user: found a password without user; accepted: both"),
            (f'{MAILBOX}{SMTP}tls = "none"', 'smtp.tls: found "none"; accepted: "tls" or "starttls"; "none" only'),
            (f'{SMALL}[database]\nurl = "sqlite://"', 'database.url: found "sqlite://"; accepted: sqlite:///PATH'),
            (f'{SMALL}[database]\nurl = "sqlite:///:memory:"', "accepted: sqlite:///PATH"),
            (f'{SMALL}[database]\nurl = "sqlite:///a.db?mode=ro"', "accepted: sqlite:///PATH"),
            (f'{SMALL}[database]\nurl = "mysql://u:pw@h/d"', 'found "mysql://***@h/d"; accepted: sqlite:///PATH'),
            (f'{SMALL}[database]\nurl = "postgresql://u:pw@h:x/d"', 'found "postgresql://u:***@h:x/d"; accepted: s'),
            (f'{SMALL}[database]\nurl = "postgresql://u:p/w@h/d"', "accepted: sqlite:///PATH"),
            (f'{SMALL}[database]\nurl = "postgresql://u@h/d/e"', "found a URL with a part too many"),
            (f'{SMALL}[database]\nurl = "postgresql://u:p#w@h/d"', "accepted: sqlite:///PATH"),
        ],
    )
    def test_a_refusal_says_key_found_and_accepted(self, refusal, text: str, words: str) -> None:
        assert words in refusal(text)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (f'{MAILBOX}{IMAP}after = "delete"{MAILDIR}', 'found "delete", which comes later; accepted: "auto", '),
            (
                f'{SMALL}[auth]\nmode = "dkim"',
                'auth.mode: found "dkim", which comes later; accepted: "none", "boundary"',
            ),
        ],
    )
    def test_what_is_not_offered_yet_is_said_to_come(self, refusal, text: str, words: str) -> None:
        assert words in refusal(text)

    @pytest.mark.parametrize("password", ["hunter2", "hun/ter2", "hun#ter2", "hun?ter2", "hun@ter2", "hun:ter2"])
    @pytest.mark.parametrize("rest", ["h/d", "h:port/d", "h/d/e", "h/d#e"])
    def test_no_refusal_and_no_table_of_settings_shows_the_password_of_a_database(
        self, written, password: str, rest: str
    ) -> None:
        path = written(f'{SMALL}[database]\nurl = "postgresql://u:{password}@{rest}"')
        try:
            config = load(path)
            said = repr(config) + repr(describe(config))
        except SettingsError as refusal:
            said = str(refusal)
        assert "hun" not in said
        assert "ter2" not in said

    def test_without_its_library_postgresql_is_refused_with_the_line_to_type(self, refusal, monkeypatch) -> None:
        monkeypatch.setattr("service.notation.find_spec", lambda _name: None)
        words = refusal(f'{SMALL}[database]\nurl = "postgresql://u@h/d"')
        assert words.startswith('database.url: found "postgresql://u@h/d" without its library; accepted: PostgreSQL')
        assert f"{sys.executable} -m pip install 'psycopg[binary]>=3.2'" in words

    def test_a_problem_of_a_mailbox_names_which_one(self, refusal) -> None:
        second = '[[mailbox]]\naddress = "it@corp.example"\n[mailbox.imap]\nhost = "h"\nuser = "x"\nport = 99999\n'
        words = refusal(MAILBOX + second + 'password_env = "A"' + MAILDIR)
        assert words == "mailbox[2].imap.port (it@corp.example): found 99999; accepted: 65535 or less"

    def test_an_address_may_stand_once_only(self, refusal) -> None:
        second = '[[mailbox]]\naddress = "it@corp.example"\naliases = ["HELP@corp.example"]\n'
        assert refusal(second + SMALL).startswith("mailbox: found help@corp.example more than once; accepted: each")

    def test_all_problems_are_listed_at_once_and_none_that_only_follows(self, refusal) -> None:
        broken = '[[mailbox]]\naddress = "help"\n[smtp]\nhost = "a/b"\ntls = "ssl"\n[log]\nlevel = "x"\n'
        keys = [line.split(":")[0] for line in refusal(broken).splitlines()]
        assert keys == ["mailbox[1].address (help)", "smtp.host", "smtp.tls", "log.level"]

    def test_every_line_of_a_refusal_names_the_file(self, written) -> None:
        path = written("[log]\nlevel = 1\nformat = 1")
        with pytest.raises(SettingsError) as caught:
            load(path)
        assert all(line.startswith(f"{path}: ") for line in str(caught.value).splitlines())

    def test_broken_toml_names_the_line(self, refusal) -> None:
        assert "line 3" in refusal('[log]\nlevel = "info"\nformat =\n')

    def test_bytes_that_are_not_utf_8_are_named_by_line(self, written) -> None:
        path = written("")
        path.write_bytes(b'[log]\nlevel = "\xff"')
        with pytest.raises(SettingsError, match="line 2 is not UTF-8"):
            load(path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"gone\.toml: cannot be read: No such file"):
            load(tmp_path / "gone.toml")

    def test_settings_do_not_change_after_reading(self, read) -> None:
        config = read(SMALL)
        with pytest.raises(ValueError, match="frozen"):
            config.log.level = "debug"

    def test_settings_come_from_a_file_alone(self) -> None:
        with pytest.raises(TypeError, match=r"service\.settings\.load"):
            Settings.model_validate({"mailbox": [{"address": "a@b.example"}], "maildir": {"path": "out"}})


class TestEncryption:
    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1"])
    def test_plain_text_is_taken_on_this_machine(self, read, host: str) -> None:
        assert read(f'{MAILBOX}[smtp]\nhost = "{host}"\ntls = "none"').smtp.tls == "none"


class TestFind:
    def test_the_given_path_comes_first_even_if_it_is_not_there(self) -> None:
        assert find(Path("x.toml"), {"DESKBELL_CONFIG": "y.toml"}) == Path("x.toml")

    def test_the_variable_comes_second(self) -> None:
        assert find(None, {"DESKBELL_CONFIG": "y.toml"}) == Path("y.toml")

    def test_the_system_file_comes_last(self, monkeypatch, written) -> None:
        monkeypatch.setattr(module, "SYSTEM_PATH", written(""))
        assert find(None, {"DESKBELL_CONFIG": ""}) == module.SYSTEM_PATH

    def test_without_any_the_three_places_are_named(self, monkeypatch, tmp_path: Path) -> None:
        monkeypatch.setattr(module, "SYSTEM_PATH", tmp_path / "config.toml")
        with pytest.raises(SettingsError) as caught:
            find(None, {})
        for place in ("--config", "DESKBELL_CONFIG", str(tmp_path / "config.toml")):
            assert place in str(caught.value)


class TestDescribe:
    def test_each_row_says_whether_it_is_written_or_a_default(self, read) -> None:
        rows = describe(read(SMALL + '[log]\nlevel = "debug"'))
        assert Row("mailbox[1].address", "help@corp.example", "file") in rows
        assert Row("mailbox[1].mode", "full", "default") in rows
        assert Row("log.level", "debug", "file") in rows
        assert Row("limits.enabled", "true", "default") in rows
        assert Row("own_domains", "corp.example", "default") in rows
        assert Row("smtp", "", "default") in rows

    def test_a_password_is_shown_as_its_source(self, read) -> None:
        rows = describe(read(MAILBOX + IMAP + SMTP + 'user = "x"\npassword = "hunter2"'))
        assert [row for row in rows if "password" in row.key] == [
            Row("mailbox[1].imap.password", "env IMAP_PASSWORD", "file"),
            Row("smtp.password", "in the file (hidden)", "file"),
        ]

    def test_no_key_stands_twice(self, read) -> None:
        keys = [row.key for row in describe(read(MAILBOX + IMAP + SMTP))]
        assert len(keys) == len(set(keys))

    def test_lists_and_doors_are_shown_as_text(self, read) -> None:
        text = f'{MAILBOX}aliases = ["a@b.example", "c@d.example"]{MAILDIR}[listener]\nlmtp = "[::1]:24"'
        values = {row.key: row.value for row in describe(read(text))}
        assert values["mailbox[1].aliases"] == "a@b.example, c@d.example"
        assert values["listener.lmtp"] == "[::1]:24"
