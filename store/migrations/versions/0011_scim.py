"""What directories say of members, and tokens that are for SCIM alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("token", sa.Column("kind", sa.String(), nullable=False, server_default="api"))
    op.alter_column("token", "kind", server_default=None)
    op.create_table(
        "provision",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("external_digest", sa.String(), nullable=True),
        sa.Column("groups", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_provision_member_id")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_provision_workspace_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_provision")),
    )
    op.create_index(
        op.f("ix_provision_workspace_id_external_digest"),
        "provision",
        ["workspace_id", "external_digest"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("provision")
    op.execute("DELETE FROM token WHERE kind = 'scim'")
    op.drop_column("token", "kind")
