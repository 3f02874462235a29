"""The files that init writes, as texts: config.toml without any secret, routing.toml, and a file for each secret."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from routing.rules import starter_text
from service.setup_answers import (
    Answers,
    Login,
    MailboxAnswer,
    RelayAnswer,
    ServerAnswer,
    addresses_of_departments,
)

CONFIG, ROUTING = "config.toml", "routing.toml"
_HEAD = """\
# Written by `deskbell init`. All settings with their meaning: config.example.toml; those in use: deskbell config show.
# Mailboxes begin in mode "observe": requests are made, nothing is sent. Then "receipts", then "full".
"""
_AUTH = {"m365": ('mode = "exchange"',), "google": ('mode = "trusted_ar"', 'trusted_ids = ["mx.google.com"]')}
_RELAY_LIMITS = {"m365": ("rate_per_minute = 30", "connections = 3")}
"""Exchange Online takes 30 mails a minute from a mailbox, by 3 connections at a time."""


class _Secret(NamedTuple):
    """How config.toml names a secret, and the file that has to be written for it, if any."""

    lines: tuple[str, ...]
    files: Mapping[str, str]


def files_of(answers: Answers) -> dict[str, str]:
    """Name and text of each file; config.toml is the last one, so that none is there before the others."""
    imap, relay = answers.imap, answers.smtp
    assert imap is not None, "answers are checked"
    assert relay is not None, "answers are checked"
    config: list[str] = [_HEAD, f"own_domains = {_toml(list(answers.domains))}"]
    config += [f"admins = {_toml(list(answers.admins))}"] if answers.admins else []
    files: dict[str, str] = {ROUTING: routing_text(answers)}
    for one in answers.mailbox:
        secret = _login(one, answers, user=one.user or one.address, name=one.address)
        files.update(secret.files)
        config += ["", *_mailbox(one), "", "[mailbox.imap]", *_server(imap), *secret.lines]
    secret = _relay_login(relay, answers)
    files.update(secret.files)
    config += ["", "[smtp]", *_server(relay), *secret.lines, *_RELAY_LIMITS.get(answers.provider, ())]
    if auth := _AUTH.get(answers.provider):
        config += ["", "[auth]", *auth]
    return {**files, CONFIG: "\n".join([*config, ""])}


def _mailbox(one: MailboxAnswer) -> Iterator[str]:
    yield "[[mailbox]]"
    yield f"address = {_toml(one.address)}"
    if one.department is not None:
        yield f"department = {_toml(one.department)}"
    yield 'mode = "observe"'


def _server(one: ServerAnswer) -> Iterator[str]:
    yield f"host = {_toml(one.host)}"
    if one.port is not None:
        yield f"port = {one.port}"
    yield f"tls = {_toml(one.tls)}"
    if one.ca_file is not None:
        yield f"ca_file = {_toml(str(one.ca_file))}"


def _relay_login(relay: RelayAnswer, answers: Answers) -> _Secret:
    """The relay's own account, else that of the first mailbox, whose secret is in its file already."""
    first = answers.mailbox[0]
    if not relay.login:
        return _Secret((), {})
    if relay.has_password:
        return _login(relay, answers, user=relay.user or first.address, name="smtp")
    return _login(first, answers, user=relay.user or first.user or first.address, name=first.address)


def _login(one: Login, answers: Answers, *, user: str, name: str) -> _Secret:
    named = f"user = {_toml(user)}"
    if answers.oauth is not None and not one.has_password:
        line, files = _oauth(answers)
        return _Secret((named, line), files)
    if one.password is not None:
        file = f"{name}.password".replace("/", "_")
        return _Secret((named, f"password_file = {_toml(file)}"), {file: one.password.get_secret_value() + "\n"})
    if one.password_file is not None:
        return _Secret((named, f"password_file = {_toml(str(one.password_file))}"), {})
    if one.password_command is not None:
        return _Secret((named, f"password_command = {_toml(list(one.password_command))}"), {})
    return _Secret((named, f"password_env = {_toml(one.password_env or '')}"), {})


def _oauth(answers: Answers) -> tuple[str, Mapping[str, str]]:
    oauth = answers.oauth
    assert oauth is not None
    files: dict[str, str] = {}
    path = str(oauth.client_secret_file)
    if oauth.client_secret is not None:
        path = "oauth.secret"
        files[path] = oauth.client_secret.get_secret_value() + "\n"
    values = {
        "provider": answers.provider,
        "tenant": oauth.tenant if answers.provider == "m365" else None,
        "client_id": oauth.client_id,
        "client_secret_file": path,
        "refresh_token_file": str(oauth.refresh_token_file) if oauth.refresh_token_file else None,
    }
    told = ", ".join(f"{key} = {_toml(value)}" for key, value in values.items() if value is not None)
    return f"oauth = {{ {told} }}", files


_DEPARTMENT = re.compile(r"^\[departments\.([a-z][a-z0-9-]*)\]\n", re.MULTILINE)
_ADDRESS = re.compile(r"^address = .*\n", re.MULTILINE)
_ZONE = re.compile(r'^zone = "system"$', re.MULTILINE)


def routing_text(answers: Answers) -> str:
    """The starter set with the addresses of the departments, and the zone and country of the calendar."""
    addresses = addresses_of_departments(answers)
    text = _ADDRESS.sub("", starter_text())
    text = _DEPARTMENT.sub(lambda found: f"{found[0]}address = {_toml(addresses[found[1]])}\n", text)
    calendar = [f"zone = {_toml(answers.zone or 'system')}"]
    calendar += [f"country = {_toml(answers.country)}"] if answers.country else []
    return _ZONE.sub(lambda _found: "\n".join(calendar), text, count=1)


def _toml(value: str | list[str]) -> str:
    """A TOML value: JSON's texts and lists are written the same way in TOML."""
    return json.dumps(value, ensure_ascii=False)
