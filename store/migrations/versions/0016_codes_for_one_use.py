"""What a code was asked for: to come in, or one signature from one browser."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Those there are were all made to come in with, whatever else they were good for.
    purpose = sa.Column("purpose", sa.String(), nullable=False, server_default="door")
    op.add_column("code", purpose)
    op.alter_column("code", "purpose", server_default=None)
    op.add_column("code", sa.Column("task_id", sa.Uuid(), nullable=True))
    op.add_column("code", sa.Column("binding_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_code_task_id"), "code", "task", ["task_id"], ["id"])


def downgrade() -> None:
    # None may come in with a code that was to sign.
    op.execute("UPDATE code SET expires_at = least(expires_at, now()) WHERE purpose <> 'door'")
    op.drop_constraint(op.f("fk_code_task_id"), "code", type_="foreignkey")
    op.drop_column("code", "binding_id")
    op.drop_column("code", "task_id")
    op.drop_column("code", "purpose")
