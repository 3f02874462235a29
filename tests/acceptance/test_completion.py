"""The shell completes commands, options and the words an option accepts."""

import subprocess

import pytest

from tests.servers.installation import COMMAND, deskbell

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("deskbell quar", {"quarantine"}),
        ("deskbell outbox re", {"release"}),
        ("deskbell outbox list --sta", {"--state"}),
        ("deskbell outbox list --state se", {"sending", "sent"}),
        ("deskbell ledger list --fate qu", {"quarantined"}),
        ("deskbell requests list --state a", {"answered"}),
        ("deskbell ledger list --fate nonsense", set()),
    ],
)
def test_bash_is_offered_what_can_follow(typed: str, offered: set[str]):
    """As bash asks, by the environment."""
    words = {"_DESKBELL_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = deskbell(environ=words)
    assert (done.returncode, set(done.stdout.split())) == (0, offered)


def test_the_script_for_the_shell_is_shown():
    """For the shell that asks, whichever program started that one."""
    asked = ["bash", "-c", f"{COMMAND} --show-completion; exit $?"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert "_DESKBELL_COMPLETE=complete_bash" in done.stdout
