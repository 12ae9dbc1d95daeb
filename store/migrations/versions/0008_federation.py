"""Identity providers of workspaces, and the workspaces' release channels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "workspace", sa.Column("channel", sa.String(), nullable=False, server_default="general")
    )
    op.create_table(
        "federation",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("domains", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("match", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_federation_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_federation")),
        sa.UniqueConstraint("workspace_id", name=op.f("uq_federation_workspace_id")),
    )
    op.create_table(
        "federated_subject",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_federated_subject_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_federated_subject_workspace_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_federated_subject")),
        sa.UniqueConstraint(
            "workspace_id", "digest", name=op.f("uq_federated_subject_workspace_id_digest")
        ),
    )


def downgrade() -> None:
    op.drop_table("federated_subject")
    op.drop_table("federation")
    op.drop_column("workspace", "channel")
