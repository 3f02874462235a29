"""What departments are to be told of mail that was set aside, and what was erased.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; of what was set aside before, nobody is told, and nothing is erased."""
    for table in ("request", "arrival"):
        op.add_column(table, sa.Column("erased", UTCDateTime(), nullable=True))
    op.create_table(
        "set_aside",
        sa.Column("arrival_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrival.id"], name="fk_set_aside_arrival_id"),
        sa.PrimaryKeyConstraint("arrival_id", name="pk_set_aside"),
    )
