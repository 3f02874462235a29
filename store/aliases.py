"""The Message-IDs that relays gave our mails: an answer names the mail by one of these as often as by ours."""

from sqlalchemy import Connection, insert

from store.tables import outbox_alias


def add(connection: Connection, outbox_id: int, message_id: str) -> None:
    """The mail is known by this id too. A relay that gives many mails one id breaks nothing: see StoredThreads.sent."""
    connection.execute(insert(outbox_alias).values(outbox_id=outbox_id, message_id=message_id))
