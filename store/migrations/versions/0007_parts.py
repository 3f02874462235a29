"""Requests of several departments.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A request has a further part for each department but its first."""
    op.create_table(
        "part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_number", sa.Integer(), nullable=False),
        sa.Column("mailbox", AutoString(), nullable=False),
        sa.Column("department", AutoString(), nullable=False),
        sa.Column("priority", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("first_response_due", UTCDateTime(), nullable=False),
        sa.Column("resolution_due", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_part"),
        sa.ForeignKeyConstraint(["request_number"], ["request.number"], name="fk_part_request_number"),
        sa.UniqueConstraint("request_number", "department", name="uq_part_request_number"),
    )
    op.create_index("ix_part_department", "part", ["department"])
