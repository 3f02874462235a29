"""Rows that are read and written often hold less.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The bytes of owed mails stand by themselves; owed effects are found in their index alone."""
    op.create_table(
        "outbox_content",
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_outbox_content_outbox_id"),
        sa.PrimaryKeyConstraint("outbox_id", name="pk_outbox_content"),
    )
    op.execute("INSERT INTO outbox_content (outbox_id, content) SELECT id, content FROM outbox")
    op.drop_column("outbox", "content")
    op.drop_index("ix_arrival_effect", "arrival")
    op.create_index(
        "ix_arrival_effect",
        "arrival",
        ["mailbox", "folder", "uidvalidity", "uid"],
        unique=False,
        sqlite_where=sa.text("effect = 'pending'"),
        postgresql_where=sa.text("effect = 'pending'"),
    )
