"""The indexes that PostgreSQL is told more about. Only who makes a schema, or compares one, imports this.

An option of a dialect loads that dialect, and PostgreSQL's is large.
"""

from sqlalchemy import Index, MetaData

from store import tables
from store.tables import arrival, outbox

metadata: MetaData = tables.metadata
"""All that a schema is made of: the tables with every index."""

# Others write these ids, up to a thousand characters long: more than a B-tree of PostgreSQL can hold.
Index("ix_arrival_message_id", arrival.c.message_id, postgresql_using="hash")
Index(
    "ix_arrival_unsettled",
    arrival.c.id,
    sqlite_where=arrival.c.fate == "received",
    postgresql_where=arrival.c.fate == "received",
)
Index(
    "ix_arrival_effect",
    arrival.c.mailbox,
    arrival.c.folder,
    arrival.c.uidvalidity,
    arrival.c.uid,
    sqlite_where=arrival.c.effect == "pending",
    postgresql_where=arrival.c.effect == "pending",
)
Index(
    "ix_outbox_owed",
    outbox.c.next_attempt,
    sqlite_where=outbox.c.settled.is_(None),
    postgresql_where=outbox.c.settled.is_(None),
)
