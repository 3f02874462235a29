"""The Message-IDs that relays gave our mails: an answer names the mail by one of these as often as by ours."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select

from store.tables import outbox_alias


def add(connection: Connection, outbox_id: int, message_id: str) -> None:
    """The mail is known by this id too. A relay that gives many mails one id breaks nothing: see StoredThreads.sent."""
    connection.execute(insert(outbox_alias).values(outbox_id=outbox_id, message_id=message_id))


def of(connection: Connection, outbox_ids: Sequence[int]) -> Mapping[int, list[str]]:
    """The aliases of each of the mails, oldest first."""
    found: dict[int, list[str]] = {one: [] for one in outbox_ids}
    rows = select(outbox_alias.c.outbox_id, outbox_alias.c.message_id).order_by(outbox_alias.c.id)
    for row in connection.execute(rows.where(outbox_alias.c.outbox_id.in_(list(outbox_ids)))):
        found[row.outbox_id].append(row.message_id)
    return found
