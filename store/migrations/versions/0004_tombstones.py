"""What a restored backup must not take back, and by which an object store knows its database."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restored_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("orphans_kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.execute("INSERT INTO installation (id) VALUES (gen_random_uuid())")
    op.create_table(
        "tombstone",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fate", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("laid_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
    )
    op.create_index(op.f("ix_tombstone_subject_id"), "tombstone", ["subject_id"])
    op.create_index(op.f("ix_tombstone_laid_at"), "tombstone", ["laid_at"])
    op.create_index(
        "ix_tombstone_waiting",
        "tombstone",
        ["id"],
        postgresql_where=sa.text("laid_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("tombstone")
    op.drop_table("installation")
