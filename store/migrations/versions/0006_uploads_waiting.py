"""Uploads that wait for the virus scanner are found; what came after the keys is never in clear."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NEVER_CLEAR = ("audit_signer", "upload")


def upgrade() -> None:
    op.create_index(
        "ix_upload_checking",
        "upload",
        ["id"],
        postgresql_where=sa.text("state = 'checking' AND removed_at IS NULL"),
    )
    for table in NEVER_CLEAR:
        op.create_check_constraint(op.f(f"ck_{table}_never_clear"), table, "unsealed IS NULL")


def downgrade() -> None:
    for table in NEVER_CLEAR:
        op.drop_constraint(op.f(f"ck_{table}_never_clear"), table)
    op.drop_index(
        "ix_upload_checking",
        table_name="upload",
        postgresql_where=sa.text("state = 'checking' AND removed_at IS NULL"),
    )
