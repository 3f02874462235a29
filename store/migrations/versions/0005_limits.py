"""Limiter, modes of mailboxes, mails of ours that are held or belong to no request.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; no row is changed."""
    _outbox()
    _limiter()
    op.create_table(
        "mode",
        sa.Column("mailbox", AutoString(), nullable=False),
        sa.Column("mode", AutoString(), nullable=False),
        sa.Column("changed", UTCDateTime(), nullable=False),
        sa.Column("author", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name="pk_mode"),
    )


def _outbox() -> None:
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("hold_reason", sa.Text(), nullable=True))
        outbox.add_column(sa.Column("worded", UTCDateTime(), nullable=True))
        outbox.alter_column("request_number", existing_type=sa.Integer(), nullable=True)
    op.create_index("ix_promise_outbox_id", "promise", ["outbox_id"], unique=False)


def _limiter() -> None:
    op.create_table(
        "limiter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", AutoString(), nullable=False),
        sa.Column("domain", AutoString(), nullable=False),
        sa.Column("mailbox", AutoString(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("words", AutoString(), nullable=False),
        sa.Column("waited", sa.Boolean(), nullable=False),
        sa.Column("echo", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_limiter_outbox_id"),
        sa.PrimaryKeyConstraint("id", name="pk_limiter"),
    )
    op.create_index("ix_limiter_address", "limiter", ["address", "at"], unique=False)
    op.create_index("ix_limiter_at", "limiter", ["at"], unique=False)
    op.create_index("ix_limiter_domain", "limiter", ["domain", "at"], unique=False)
