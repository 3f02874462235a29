"""The Message-IDs that relays gave our mails.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of aliases."""
    op.create_table(
        "outbox_alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_outbox_alias_outbox_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_alias"),
    )
    op.create_index("ix_outbox_alias_outbox_id", "outbox_alias", ["outbox_id"], unique=False)
    op.create_index("ix_outbox_alias_message_id", "outbox_alias", ["message_id"], unique=False)
