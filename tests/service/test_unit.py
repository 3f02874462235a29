"""The systemd unit: what systemd says about it, and that it names the right places."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from service.settings import load
from service.unit import Service, unit

ANALYZE = shutil.which("systemd-analyze")
CONFIG = '[[mailbox]]\naddress = "help@corp.example"\n'
MAILDIR = '[maildir]\npath = "out"\n'


@pytest.fixture
def made(tmp_path):
    """The unit for a configuration in a folder, as a file."""

    def make(config=CONFIG + MAILDIR, folder="srv", command=Path("/bin/sh")):
        path = tmp_path / folder / "config.toml"
        path.parent.mkdir()
        path.write_text(config, encoding="utf-8")
        path.chmod(0o600)
        written = tmp_path / "deskbell.service"
        written.write_text(unit(Service(command, load(path), "mail")), encoding="utf-8")
        return written

    return make


def value(text, key):
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def analyze(*words):
    if ANALYZE is None:
        pytest.skip("not run: systemd-analyze is not installed (apt-get install systemd)")
    return subprocess.run(
        [ANALYZE, *words], check=False, capture_output=True, text=True, env={**os.environ, "SYSTEMD_COLORS": "0"}
    )


@pytest.mark.parametrize("folder", ["srv", "with space", "100% of $HOME"])
def test_systemd_has_nothing_to_say_against_it(made, folder):
    done = analyze("verify", str(made(folder=folder)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("door", ["", '[listener]\nlmtp = "127.0.0.1:24"\n'])
def test_its_exposure_is_low(made, door):
    """Systemd's own scale: 0 is none, a web server of Debian has 9."""
    done = analyze("security", "--offline=yes", "--threshold=25", str(made(CONFIG + MAILDIR + door)))
    assert done.returncode == 0, done.stdout


def test_it_may_write_where_it_keeps_things_and_nowhere_else(made):
    config = (
        '[keys]\nfile = "/etc/deskbell/deskbell.key"\n[database]\nurl = "sqlite:////var/lib/deskbell/deskbell.db"\n'
    )
    text = made(CONFIG + '[maildir]\npath = "/srv/out"\n' + config).read_text()
    assert value(text, "ReadWritePaths") == ["/var/lib/deskbell /etc/deskbell /srv"]
    assert value(text, "ProtectSystem") == ["strict"]


def test_a_door_below_1024_is_all_it_may_do_with_privileges(made):
    low = made(CONFIG + MAILDIR + '[listener]\nlmtp = "127.0.0.1:24"\n').read_text()
    assert value(low, "CapabilityBoundingSet") == ["CAP_NET_BIND_SERVICE"]
    high = made(CONFIG + MAILDIR + '[listener]\nlmtp = "127.0.0.1:2424"\n', folder="other").read_text()
    assert value(high, "CapabilityBoundingSet") == [""]


@pytest.mark.parametrize(
    ("command", "shown"), [("/opt/deskbell/bin/deskbell", "yes"), ("/home/eve/deskbell", "read-only")]
)
def test_homes_are_hidden_unless_the_program_lies_in_one(made, command, shown):
    assert value(made(command=Path(command)).read_text(), "ProtectHome") == [shown]


def test_it_runs_this_program_with_this_configuration(made, tmp_path):
    text = made(command=Path("/opt/deskbell/bin/deskbell")).read_text()
    assert value(text, "ExecStart") == [f"/opt/deskbell/bin/deskbell run --config {tmp_path}/srv/config.toml"]
    assert value(text, "Type") == ["notify"]
