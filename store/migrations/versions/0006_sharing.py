"""Several daemons on one database: who holds an owed mail, and leases.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A claimed mail names the start that claimed it; an index takes Message-IDs of any length."""
    op.add_column("outbox", sa.Column("holder", sa.Integer(), nullable=True))
    op.create_table(
        "lease",
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("holder", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_arrival_message_id", "arrival")
        op.create_index("ix_arrival_message_id", "arrival", ["message_id"], postgresql_using="hash")
