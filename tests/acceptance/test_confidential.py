"""Requests of a confidential department appear only where somebody asked for it by name."""

import smtplib
from pathlib import Path

import pytest

from tests.servers.installation import Installation, free_port, mailbox
from tests.servers.letters import letter
from tests.service.test_search import ROUTING

pytestmark = pytest.mark.slow

HIDDEN = 'confidential = true\naddress = "hr-team@corp.example"'


def test_who_and_what_is_hidden_until_the_department_is_named(tmp_path: Path):
    """In list, show and search; the others are found as ever."""
    door = free_port()
    config = mailbox("help@corp.example") + mailbox("hr@corp.example", department="hr")
    config += f'[maildir]\npath = "outgoing"\n[listener]\nsmtp = "127.0.0.1:{door}"\n'
    (tmp_path / "routing.toml").write_text(ROUTING.format(more=HIDDEN), encoding="utf-8")
    with Installation(tmp_path, config) as desk:
        desk.start()
        secret, plain = letter("Wniosek o urlop", text="Rozwód\n", to="hr@corp.example"), letter("Drukarka")
        with smtplib.SMTP("127.0.0.1", door) as client:
            client.sendmail("anna@corp.example", ["hr@corp.example"], secret.raw)
            client.sendmail("anna@corp.example", ["help@corp.example"], plain.raw)
        number = desk.settled(secret.message_id)[0]["request_number"]
        desk.settled(plain.message_id)
        listed = {one["department"]: one for one in desk.json("requests", "list")}
        assert (listed["hr"]["subject"], listed["hr"]["requester"], listed["hr"]["entries"]) == (
            *("(confidential)", None, []),
        )
        assert listed["it"]["subject"] == "Drukarka"
        assert desk.json("requests", "list", "--department", "hr")[0]["subject"] == "Wniosek o urlop"
        refused = desk.deskbell("requests", "show", f"R-{number}")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "name it by --department hr" in refused.stderr
        assert desk.json("requests", "show", f"R-{number}", "--department", "hr")["subject"] == "Wniosek o urlop"
        assert desk.json("requests", "search", "rozwod") == []
        assert [one["subject"] for one in desk.json("requests", "search", "DRUKARKA")] == ["Drukarka"]
        assert desk.deskbell("requests", "search", "urlop", "--department", "hr").returncode == 1
        tested = {one["mail"]: one for one in desk.json("rules", "test", "--last", "9")}
        assert sorted(one["subject"] for one in tested.values()) == ["(confidential)", "Drukarka"]
        assert tested[f"R-{number}"]["subject"] == "(confidential)"
        desk.wait_until_quiet()
        recipients = {one["recipient"] for one in desk.json("outbox", "list")}
        assert recipients == {"(confidential)", "anna@corp.example", "it@corp.example"}
        assert {one["recipient"] for one in desk.json("outbox", "list", "--department", "hr")} == {
            *("anna@corp.example", "hr-team@corp.example"),
        }
        assert "sent: outbox 1 <" in desk.said
        assert "anna" not in desk.said
        assert "hr-team" not in desk.said
        shown = desk.deskbell("ledger", "list").stdout + desk.deskbell("requests", "list").stdout
        desk.change("UPDATE arrival SET fate = 'quarantined', reason = 'failed 3 times'")
        assert [one["subject"] for one in desk.json("quarantine", "list")] == ["(confidential)", "Drukarka"]
        assert "urlop" not in shown
