"""What each public session was issued with; sessions of before follow the installation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is a constant, so that no row is written; it stays for processes of the release
    # before, which issue without it until they are replaced.
    column = sa.Column("settings", postgresql.JSONB(), server_default="{}", nullable=False)
    op.add_column("public_session", column)


def downgrade() -> None:
    op.drop_column("public_session", "settings")
