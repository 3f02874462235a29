"""The first schema.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _installation()
    _requests()
    _arrivals()
    _entries()
    _outbox()


def _installation() -> None:
    op.create_table(
        "meta",
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("floor_uid", sa.BigInteger(), nullable=False),
        sa.Column("cursor_uid", sa.BigInteger(), nullable=False),
        sa.Column("floor_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_folder"),
        sa.UniqueConstraint("mailbox", "name", "uidvalidity", name="uq_folder_mailbox"),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("event", AutoString(), nullable=False),
        sa.Column("request_number", sa.Integer(), nullable=True),
        sa.Column("arrival_id", sa.Integer(), nullable=True),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_request_number", "journal", ["request_number"], unique=False)


def _requests() -> None:
    op.create_table(
        "request",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("requester_address", AutoString(), nullable=True),
        sa.Column("requester_name", AutoString(), nullable=False),
        sa.Column("mailbox", AutoString(), nullable=False),
        sa.Column("department", AutoString(), nullable=False),
        sa.Column("category", AutoString(), nullable=True),
        sa.Column("priority", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("language", AutoString(), nullable=False),
        sa.Column("opened", UTCDateTime(), nullable=False),
        sa.Column("first_response_due", UTCDateTime(), nullable=False),
        sa.Column("resolution_due", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_request"),
    )
    op.create_index("ix_request_state", "request", ["state"], unique=False)
    op.create_table(
        "participant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_number", sa.Integer(), nullable=False),
        sa.Column("address", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["request_number"], ["request.number"], name="fk_participant_request_number"),
        sa.PrimaryKeyConstraint("id", name="pk_participant"),
        sa.UniqueConstraint("request_number", "address", name="uq_participant_request_number"),
    )


def _arrivals() -> None:
    op.create_table(
        "raw",
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_raw"),
    )
    op.create_table(
        "arrival",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox", AutoString(), nullable=False),
        sa.Column("source", AutoString(), nullable=False),
        sa.Column("folder", AutoString(), nullable=True),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("received", UTCDateTime(), nullable=False),
        sa.Column("accepted", UTCDateTime(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("replayed", sa.Boolean(), nullable=False),
        sa.Column("before_floor", sa.Boolean(), nullable=False),
        sa.Column("raw_digest", AutoString(), nullable=False),
        sa.Column("envelope_sender", AutoString(), nullable=True),
        sa.Column("envelope_recipient", AutoString(), nullable=True),
        sa.Column("content_key", AutoString(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fate", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=True),
        sa.Column("receipt", AutoString(), nullable=True),
        sa.Column("trace", sa.JSON(), nullable=True),
        sa.Column("effect", AutoString(), nullable=True),
        sa.Column("request_number", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["raw_digest"], ["raw.digest"], name="fk_arrival_raw_digest"),
        sa.ForeignKeyConstraint(["request_number"], ["request.number"], name="fk_arrival_request_number"),
        sa.PrimaryKeyConstraint("id", name="pk_arrival"),
        sa.UniqueConstraint("mailbox", "folder", "uidvalidity", "uid", name="uq_arrival_mailbox"),
    )
    _arrival_indexes()


def _arrival_indexes() -> None:
    op.create_index("ix_arrival_content_key", "arrival", ["content_key"], unique=False)
    op.create_index(
        "ix_arrival_effect",
        "arrival",
        ["mailbox", "folder"],
        unique=False,
        sqlite_where=sa.text("effect = 'pending'"),
        postgresql_where=sa.text("effect = 'pending'"),
    )
    op.create_index("ix_arrival_message_id", "arrival", ["message_id"], unique=False)
    op.create_index("ix_arrival_request_number", "arrival", ["request_number"], unique=False)
    op.create_index(
        "ix_arrival_unsettled",
        "arrival",
        ["id"],
        unique=False,
        sqlite_where=sa.text("fate = 'received'"),
        postgresql_where=sa.text("fate = 'received'"),
    )


def _entries() -> None:
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_number", sa.Integer(), nullable=False),
        sa.Column("arrival_id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("author", AutoString(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrival.id"], name="fk_entry_arrival_id"),
        sa.ForeignKeyConstraint(["request_number"], ["request.number"], name="fk_entry_request_number"),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
    )
    op.create_index("ix_entry_request_number", "entry", ["request_number"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("request_number", sa.Integer(), nullable=False),
        sa.Column("recipient", AutoString(), nullable=False),
        sa.Column("envelope_sender", AutoString(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sending_order", sa.Integer(), nullable=False),
        sa.Column("created", UTCDateTime(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("phase", AutoString(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ambiguous", sa.Integer(), nullable=False),
        sa.Column("next_attempt", UTCDateTime(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("last_reply", sa.Text(), nullable=True),
        sa.Column("settled", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["request_number"], ["request.number"], name="fk_outbox_request_number"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("message_id", name="uq_outbox_message_id"),
    )
    op.create_index(
        "ix_outbox_owed",
        "outbox",
        ["next_attempt"],
        unique=False,
        sqlite_where=sa.text("settled IS NULL"),
        postgresql_where=sa.text("settled IS NULL"),
    )
    op.create_index("ix_outbox_recipient", "outbox", ["recipient"], unique=False)
    op.create_index("ix_outbox_request_number", "outbox", ["request_number"], unique=False)
    op.create_table(
        "promise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_number", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("due", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_promise_outbox_id"),
        sa.ForeignKeyConstraint(["request_number"], ["request.number"], name="fk_promise_request_number"),
        sa.PrimaryKeyConstraint("id", name="pk_promise"),
    )
    op.create_index("ix_promise_request_number", "promise", ["request_number"], unique=False)
