"""Signed heads of the audit log: which of them are kept outside."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "audit_checkpoint", sa.Column("witnessed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_audit_checkpoint_unwitnessed",
        "audit_checkpoint",
        ["signed_at"],
        postgresql_where=sa.text("witnessed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_audit_checkpoint_unwitnessed", table_name="audit_checkpoint")
    op.drop_column("audit_checkpoint", "witnessed_at")
