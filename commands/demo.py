"""`deskbell demo`, `send` and `read`: the first minute, and a mail client for trying out."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from commands.common import REFUSED, JsonOption, fail, print_json, surroundings, telling_errors

if TYPE_CHECKING:
    from service.demo.fates import Ledger, Outcome
    from service.demo.post import Door, Letter
    from service.settings import Settings

SETTLING_SECONDS = 60.0
ConfigOrDemo = Annotated[
    Path | None,
    typer.Option("--config", help="config.toml; else DESKBELL_CONFIG, else the last demo's.", show_default=False),
]


def demo(
    folder: Annotated[
        Path, typer.Option(help="Where the demo keeps everything: a new or empty folder, or that of an earlier demo.")
    ] = Path("deskbell-demo"),
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End after the morning; exit code 1 if it came out otherwise.")
    ] = False,
) -> None:
    """Play a morning of mail in five languages through a real deskbell, and say what became of each.

    Nothing leaves this machine: mail comes in at a door on the loopback address and goes out into folders.
    """
    from service.demo.stage import Voice, demo

    _speak_to_any_terminal()
    with telling_errors():
        try:
            surprises = demo(folder, os.environ, Voice(_say, _talk), wait=not no_wait)
        except KeyboardInterrupt:  # in the database, or still only in the sent/ folder of the demo
            fail("stopped before the morning was over; it can be played again in the same folder", REFUSED)
        except BrokenPipeError:  # as above
            _nobody_listens()
    if surprises:
        fail("\ndeskbell: ".join(surprises), REFUSED)


def send(  # noqa: PLR0913, PLR0917 # each is an option that people type
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT|-|FILE.eml", help='The text, "-" to read it from stdin, or a whole mail.'),
    ] = "",
    to: Annotated[
        list[str] | None,
        typer.Option(help="A shared mailbox; may be repeated. Else the first one.", show_default=False),
    ] = None,
    sender: Annotated[str, typer.Option("--from", help="Who writes. Else anna@ your domain.", show_default=False)] = "",
    subject: Annotated[str, typer.Option(help="Else the first line of the text.", show_default=False)] = "",
    config: ConfigOrDemo = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines of the ledger as JSON.")] = False,
) -> None:
    """Hand a mail to the door of a running deskbell, and say what became of it.

    Without a text an example is sent.
    """
    from service.demo.fates import Ledger
    from service.demo.post import door_of
    from service.demo.typed import EXAMPLE, Wish, from_file, written
    from service.house import UNSIGNED
    from service.installation import reading
    from service.routing import stored_house

    _speak_to_any_terminal()
    with telling_errors():
        settings = _chosen(config)
        door = door_of(settings)
        house = stored_house(settings, surroundings(UNSIGNED))
        wish = Wish(sys.stdin.read() if text == "-" else text or EXAMPLE, sender, to or (), subject)
        as_file = Path(text) if text.endswith(".eml") else None
        letter = from_file(as_file, wish, house) if as_file else written(wish, house, datetime.now().astimezone())
        with reading(settings) as database:
            outcomes = _sent(door, letter, Ledger(database, house))
        _tell(outcomes, as_json=as_json)
        if settings.maildir is not None and any("receipt" in one.owed for one in outcomes):
            _talk(f"to see the receipt: deskbell read {letter.sender} --config {settings.path}")


def read(
    address: Annotated[str, typer.Argument(help="For whom the mail was written.", show_default=False)],
    config: ConfigOrDemo = None,
    every: Annotated[bool, typer.Option("--all", help="List all mails for the address, newest first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the newest mail that deskbell wrote to an address, where it writes into folders ([maildir])."""
    from service import printing, shown
    from service.demo.inbox import Inbox

    _speak_to_any_terminal()
    with telling_errors():
        settings = _chosen(config)
        if settings.maildir is None:
            fail(f"{settings.path}: sends by [smtp]: what was written is in the recipient's own mailbox", REFUSED)
        inbox = Inbox(settings.maildir.path)
        found = inbox.mails(address) if every else [inbox.newest(address)]
        objects = [{"file": str(one.path), **shown.mail(one.mail)} for one in found]
        if as_json:
            print_json(objects if every else objects[0])
        elif every:
            printing.mails([one.mail for one in found])
        else:
            printing.mail(found[0].mail)


def _chosen(config: Path | None) -> "Settings":
    """As every command, but the last demo before the system's configuration. Says which where nobody named one."""
    from service.demo.place import last_demo
    from service.settings import VARIABLE, SettingsError, find, load

    named = config is not None or bool(os.environ.get(VARIABLE))
    try:
        path = find(config, os.environ) if named else last_demo(os.environ) or find(None, os.environ)
    except SettingsError as error:
        raise SettingsError(f"{error}; or begin with `deskbell demo`") from None
    if not named:
        _talk(f"using {path}")
    return load(path)


def _sent(door: "Door", letter: "Letter", ledger: "Ledger") -> "list[Outcome]":
    from intake.parse import parse
    from service.demo.patience import until
    from service.demo.post import hand_over

    watch = ledger.watch(letter.raw, copies=len(letter.recipients), written=parse(letter.raw).date)
    _talk(f"{letter.sender or '(nobody)'} to {', '.join(letter.recipients)} by {door}")
    hand_over(door, letter)
    outcomes = until(
        lambda: ledger.outcomes(watch), seconds=SETTLING_SECONDS, slow=lambda: _talk("taken; waiting for its fate ...")
    )
    if outcomes is None:
        fail("taken and kept, but not settled yet: `deskbell ledger list` tells when it is", REFUSED)
    return outcomes


def _tell(outcomes: "list[Outcome]", *, as_json: bool) -> None:
    from service import shown
    from service.demo.words import told

    if as_json:
        print_json([shown.arrival(one.line) for one in outcomes])
        return
    for one in outcomes:
        _say(told(one))


def _say(line: str) -> None:
    from service.printing import safe

    print(safe(line), flush=True)


def _talk(words: str) -> None:
    print(f"deskbell: {words}", file=sys.stderr, flush=True)


def _speak_to_any_terminal() -> None:
    """Letters that the terminal's encoding lacks become question marks instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _nobody_listens() -> NoReturn:
    """End without a word where stdout was closed; Python would complain of it once more at its own end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(REFUSED)
