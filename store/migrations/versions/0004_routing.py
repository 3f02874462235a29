"""Versions of departments, calendars and rules; people.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "routing",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("author", AutoString(), nullable=False),
        sa.Column("origin", AutoString(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_routing"),
    )
    op.create_table(
        "person",
        sa.Column("address", AutoString(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("language", AutoString(), nullable=False),
        sa.Column("zone", AutoString(), nullable=False),
        sa.Column("country", AutoString(), nullable=False),
        sa.Column("manager", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_person"),
    )
