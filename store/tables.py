"""The tables. Types are portable: SQLite and PostgreSQL hold the same rows. Every moment is UTC.

These classes declare; rows are written and read by Core statements (`arrival.__table__`), because the hot path must not
pay for a unit of work, and none of these objects leaves store/.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Meta(SQLModel, table=True):
    """What the installation is: instance id, epoch (one more at each start), fingerprint of its key."""

    key: str = Field(primary_key=True)
    value: str = Field(sa_column=Column(Text, nullable=False))


class Folder(SQLModel, table=True):
    """A watched folder under one UIDVALIDITY: the floor below which all is old, and how far we have read."""

    __table_args__: ClassVar[Any] = (UniqueConstraint("mailbox", "name", "uidvalidity"),)
    id: int | None = Field(default=None, primary_key=True)
    mailbox: str
    name: str
    uidvalidity: int = Field(sa_type=BigInteger)
    floor_uid: int = Field(sa_type=BigInteger)
    cursor_uid: int = Field(sa_type=BigInteger)
    floor_at: datetime


class Raw(SQLModel, table=True):
    """The bytes of a mail, once per SHA-256, zlib-compressed; size in octets before compression."""

    digest: str = Field(primary_key=True)
    size: int
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Request(SQLModel, table=True):
    """One matter."""

    number: int | None = Field(default=None, primary_key=True)
    subject: str = Field(sa_column=Column(Text, nullable=False))
    requester_address: str | None
    requester_name: str
    mailbox: str
    department: str
    category: str | None
    priority: str
    state: str = Field(index=True)
    language: str
    opened: datetime
    first_response_due: datetime
    resolution_due: datetime
    erased: datetime | None = None


class Part(SQLModel, table=True):
    """What a further department has of a request; the first one's is in the request's own row."""

    __table_args__: ClassVar[Any] = (UniqueConstraint("request_number", "department"),)
    id: int | None = Field(default=None, primary_key=True)
    request_number: int = Field(foreign_key="request.number")
    mailbox: str
    department: str = Field(index=True)
    priority: str
    state: str
    first_response_due: datetime
    resolution_due: datetime


class Arrival(SQLModel, table=True):
    """The ledger: one row for each mail that came in, with exactly one fate."""

    __table_args__: ClassVar[Any] = (UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),)
    id: int | None = Field(default=None, primary_key=True)
    mailbox: str
    source: str
    folder: str | None
    uidvalidity: int | None = Field(sa_type=BigInteger)
    uid: int | None = Field(sa_type=BigInteger)
    received: datetime
    accepted: datetime
    epoch: int
    size: int
    complete: bool
    replayed: bool
    before_floor: bool
    raw_digest: str = Field(foreign_key="raw.digest")
    envelope_sender: str | None
    envelope_recipient: str | None
    content_key: str | None = Field(default=None, index=True)
    message_id: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    evidence: int | None = None
    attempts: int = 0
    fate: str
    reason: str | None = None
    receipt: str | None = None
    trace: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    effect: str | None = None
    request_number: int | None = Field(default=None, foreign_key="request.number", index=True)
    erased: datetime | None = None


class SetAside(SQLModel, table=True):
    """An arrival that a department has to be told of and was not yet, and since when."""

    __tablename__ = "set_aside"
    arrival_id: int | None = Field(default=None, primary_key=True, foreign_key="arrival.id")
    at: datetime


class Participant(SQLModel, table=True):
    """Somebody who may write in a request's thread; the address is folded for comparing."""

    __table_args__: ClassVar[Any] = (UniqueConstraint("request_number", "address"),)
    id: int | None = Field(default=None, primary_key=True)
    request_number: int = Field(foreign_key="request.number")
    address: str
    name: str


class Entry(SQLModel, table=True):
    """One mail or event in a request's history."""

    id: int | None = Field(default=None, primary_key=True)
    request_number: int = Field(foreign_key="request.number", index=True)
    arrival_id: int = Field(foreign_key="arrival.id")
    kind: str
    at: datetime
    author: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    message_id: str | None = Field(sa_column=Column(Text, nullable=True))


class Outbox(SQLModel, table=True):
    """A mail that is owed, and what is known of its sending."""

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    request_number: int | None = Field(foreign_key="request.number", index=True)
    recipient: str = Field(index=True)
    envelope_sender: str
    message_id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    sending_order: int
    created: datetime
    state: str
    phase: str | None = None
    attempts: int = 0
    ambiguous: int = 0
    next_attempt: datetime
    fence: int = 0
    holder: int | None = None
    last_reply: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    settled: datetime | None = None
    hold_reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    worded: datetime | None = None


class OutboxContent(SQLModel, table=True):
    """The bytes of an owed mail. By themselves, because its row is written anew at each step of its sending."""

    __tablename__ = "outbox_content"
    outbox_id: int | None = Field(default=None, primary_key=True, foreign_key="outbox.id")
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class OutboxAlias(SQLModel, table=True):
    """A Message-ID that a relay gave a mail of ours instead of its own."""

    __tablename__ = "outbox_alias"
    id: int | None = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    message_id: str = Field(sa_column=Column(Text, nullable=False, index=True))


class Lease(SQLModel, table=True):
    """What one start (epoch) of several has to itself until that moment: milliseconds, by the database's clock."""

    name: str = Field(primary_key=True)
    holder: int
    until: int = Field(sa_type=BigInteger)


class Promise(SQLModel, table=True):
    """A date we told somebody, with the mail that told it."""

    id: int | None = Field(default=None, primary_key=True)
    request_number: int = Field(foreign_key="request.number", index=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    kind: str
    due: datetime


class Journal(SQLModel, table=True):
    """Append-only: what happened, to what, and why."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    event: str
    request_number: int | None = Field(default=None, index=True)
    arrival_id: int | None = None
    outbox_id: int | None = None
    detail: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class Routing(SQLModel, table=True):
    """One version of departments, calendars and rules, as TOML; rows are added, never changed. The highest holds."""

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime
    author: str
    origin: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    content: str = Field(sa_column=Column(Text, nullable=False))


class Person(SQLModel, table=True):
    """Somebody of our own; addresses are folded for comparing, empty is unknown."""

    address: str = Field(primary_key=True)
    aliases: list[str] = Field(sa_column=Column(JSON, nullable=False))
    language: str
    zone: str
    country: str
    manager: str


class Limiter(SQLModel, table=True):
    """A receipt that an address is told, at the moment it goes out; what later ones are measured by.

    The address is folded and without plus-tag; domain is empty where a domain is no group of people.
    """

    id: int | None = Field(default=None, primary_key=True)
    address: str
    domain: str
    mailbox: str
    own: bool
    at: datetime
    words: str
    waited: bool
    echo: bool
    late: bool
    outbox_id: int | None = Field(foreign_key="outbox.id")


class Mode(SQLModel, table=True):
    """The mode that an admin gave a mailbox; without a row that of the configuration holds."""

    mailbox: str = Field(primary_key=True)
    mode: str
    changed: datetime
    author: str


def _table(model: type[SQLModel]) -> Table:
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    assert isinstance(table, Table)
    return table


metadata: MetaData = SQLModel.metadata
meta = _table(Meta)
folder = _table(Folder)
raw = _table(Raw)
request = _table(Request)
part = _table(Part)
arrival = _table(Arrival)
participant = _table(Participant)
entry = _table(Entry)
outbox = _table(Outbox)
outbox_content = _table(OutboxContent)
outbox_alias = _table(OutboxAlias)
lease = _table(Lease)
promise = _table(Promise)
journal = _table(Journal)
routing = _table(Routing)
person = _table(Person)
limiter = _table(Limiter)
mode = _table(Mode)
set_aside = _table(SetAside)

Index("ix_limiter_address", limiter.c.address, limiter.c.at)
Index("ix_limiter_domain", limiter.c.domain, limiter.c.at)
Index("ix_limiter_at", limiter.c.at)
