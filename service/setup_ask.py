"""The questions of `deskbell init`: few, each with a default where there is one, each answer tried at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from delivery.trial import RelayFault
from desk.errors import RefusedError, UserError
from intake.mailbox import MailboxError
from service.notation import read_address
from service.setup_answers import PRESETS, Answers, Provider, checked, require_complete, starter_departments
from service.setup_probe import Server, Unreachable, find_imap, find_smtp, imap_offers, relay_takes
from service.setup_provider import commands

T = TypeVar("T")
_SOURCE = Path("/the answers")
_SHOWN = ("IDLE", "UIDPLUS", "MOVE")
_TRIES = 5


class NotAnswered(RefusedError):
    """The questions ended before all was known; nothing was written."""


class Person:
    """Who is asked: ask(question, hidden) gives one line and raises EOFError at the end, say tells something."""

    def __init__(self, ask: Callable[[str, bool], str], say: Callable[[str], None]) -> None:
        self._ask = ask
        self.say = say

    def asked(self, question: str, take: Callable[[str], T], *, default: str | None = None) -> T:
        """The answer as take understands it; asked again where take raises ValueError or UserError with its words."""
        shown = f"{question} [{default}]: " if default else f"{question}: "
        for _ in range(_TRIES):
            answer = self._line(shown, hidden=False).strip() or (default or "")
            try:
                return take(answer)
            except (ValueError, UserError) as error:  # no mail is in hand: nothing runs yet
                self.say(f"  {error}" if isinstance(error, UserError) else f"  accepted: {error}")
        raise NotAnswered(f"no usable answer to {question!r}: nothing was written")

    def hidden(self, question: str) -> str:
        """A password, not shown."""
        return self._line(f"{question}: ", hidden=True)

    def agrees(self, question: str) -> bool:
        """Whether the answer is yes; Enter is."""
        return self.asked(f"{question} (y/n)", _yes_or_no, default="y")

    def _line(self, shown: str, *, hidden: bool) -> str:
        try:
            return self._ask(shown, hidden)
        except EOFError:
            raise NotAnswered(
                "the questions ended too early: nothing was written; answers.toml with --from needs no questions"
            ) from None


def interview(person: Person, provider: Provider, show: Callable[[str], None]) -> Answers:
    """The answers of a person; show prints the commands of the provider. Raises NotAnswered."""
    raw: dict[str, Any] = {"provider": provider, "mailbox": [], **PRESETS.get(provider, {})}
    first = person.asked("Shared address to watch", read_address)
    domain = first.rpartition("@")[2].lower()
    if provider == "generic":
        raw["imap"] = _server(person, "IMAP server (host or host:port)", f"mail.{domain}", find_imap)
    else:
        show(commands(provider, [first]))
    if provider == "m365":
        raw["oauth"] = _application(person)
    address: str | None = first
    while address is not None:
        raw["mailbox"].append(_mailbox(person, address, raw))
        address = person.asked(
            "Another shared address (Enter: none)", lambda text: read_address(text) if text else None
        )
    if provider == "generic":
        raw["smtp"] = _relay(person, raw)
    raw["departments"] = _departments(person, domain, {one["address"].lower() for one in raw["mailbox"]})
    raw["admins"] = _admins(person, {one["address"].lower() for one in raw["mailbox"]})
    country = person.asked("Country whose public holidays are closed days, such as PL (Enter: none)", _country)
    answers = checked(raw | ({"country": country} if country else {}), _SOURCE)
    require_complete(answers, _SOURCE)
    return answers


def _admins(person: Person, watched: set[str]) -> list[str]:
    def take(text: str) -> list[str]:
        if text.lower() in watched:
            raise ValueError("an address that deskbell does not watch")
        return [read_address(text)] if text else []

    return person.asked("Who reads each evening what the mailboxes would have sent (Enter: nobody)", take)


def _server(person: Person, question: str, default: str, find: Callable[[str, str | None], Server]) -> Server:
    """A server that answered; its certificates are asked for where the system's do not do."""
    trusted: list[str] = []

    def take(text: str) -> Server:
        try:
            return find(text, trusted[0] if trusted else None)
        except Unreachable as fault:
            if fault.certificate:
                person.say(f"  {fault}")
                trusted[:] = [person.asked("Certificates (PEM file) of your own authority", _file)]
                return find(text, trusted[0])
            raise

    found = person.asked(question, take, default=default)
    person.say(f"  connected: port {found['port']}, tls = {found['tls']!r}")
    return found


def _application(person: Person) -> dict[str, str]:
    tenant = person.asked("Directory (tenant) ID (Enter: stop here and do the above first)", str)
    if not tenant:
        raise NotAnswered("nothing was written: do the above, then run deskbell init again")
    return {
        "tenant": tenant,
        "client_id": person.asked("Application (client) ID", _something),
        "client_secret": person.hidden("Client secret (its value)"),
    }


def _mailbox(person: Person, address: str, raw: dict[str, Any]) -> dict[str, Any]:
    known = starter_departments()

    def department(text: str) -> str:
        if text not in known:
            raise ValueError(", ".join(known))
        return text

    local = address.partition("@")[0].lower()
    default = local if local in known else next(iter(known))
    mailbox = {"address": address, "department": ""}
    if raw["provider"] != "m365":
        mailbox |= _imap_login(person, address, raw["imap"])
    mailbox["department"] = person.asked(f"Which department answers {address}", department, default=default)
    return mailbox


def _imap_login(person: Person, address: str, server: Server) -> dict[str, str]:
    server = {"port": 993, "tls": "tls", **server}
    for _ in range(_TRIES):
        user = person.asked("Login name", _something, default=address)
        password = person.hidden(f"Password of {user}")
        try:
            offers = imap_offers(server, user, password)
        except MailboxError as fault:  # no mail is in hand: nothing runs yet
            person.say(f"  {fault}")
        else:
            person.say(
                f"  logged in; the server offers {', '.join(name for name in _SHOWN if name in offers) or 'little'}"
            )
            return {"user": user, "password": password}
    raise NotAnswered(f"no login as {address}: nothing was written")


def _relay(person: Person, raw: dict[str, Any]) -> dict[str, Any]:
    server = _server(person, "SMTP server (host or host:port)", raw["imap"]["host"], find_smtp)
    first = raw["mailbox"][0]
    if not person.agrees("Does one log in there to send"):
        return {**server, "login": False}
    login = {"user": first["user"], "password": first["password"]}
    if not person.agrees(f"As {first['user']} with the same password"):
        login = _new_login(person, first["user"])
    for _ in range(_TRIES):
        try:
            relay_takes(server, login["user"], login["password"])
        except RelayFault as fault:  # no mail is in hand: nothing runs yet
            person.say(f"  {fault}")
            login = _new_login(person, login["user"])
        else:
            person.say("  logged in")
            return {**server, **login}
    raise NotAnswered("no login at the SMTP server: nothing was written")


def _new_login(person: Person, default: str) -> dict[str, str]:
    user = person.asked("Login name for sending", _something, default=default)
    return {"user": user, "password": person.hidden(f"Password of {user}")}


def _departments(person: Person, domain: str, watched: set[str]) -> dict[str, str]:
    def take(text: str) -> str:
        address = read_address(text)
        if address.lower() in watched:
            raise ValueError("an address that is not watched: its mail would come back")
        return address

    usual = {key: f"{key}@{domain}" for key in starter_departments()}
    return {
        key: person.asked(
            f"Where does {name} read its requests", take, default=usual[key] if usual[key] not in watched else None
        )
        for key, name in starter_departments().items()
    }


def _country(text: str) -> str:
    from holidays import list_supported_countries  # noqa: PLC0415 - large, needed by few commands

    if text and text.upper() not in list_supported_countries():
        raise ValueError('an ISO 3166 code such as "PL", or Enter')
    return text.upper()


def _yes_or_no(text: str) -> bool:
    if text.lower() not in {"y", "yes", "n", "no"}:
        raise ValueError("y or n")
    return text.lower().startswith("y")


def _file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError("the path of a file")
    return str(Path(text).absolute())


def _something(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("at least one printable character")
    return text
