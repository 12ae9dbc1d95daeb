"""Members who let others act for them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("delegate_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_delegation_workspace_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["member.id"], name=op.f("fk_delegation_owner_id")),
        sa.ForeignKeyConstraint(
            ["delegate_id"], ["member.id"], name=op.f("fk_delegation_delegate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index(op.f("ix_delegation_owner_id"), "delegation", ["owner_id"])
    op.create_index(op.f("ix_delegation_delegate_id"), "delegation", ["delegate_id"])
    op.add_column("member_session", sa.Column("delegation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_member_session_delegation_id"),
        "member_session",
        "delegation",
        ["delegation_id"],
        ["id"],
    )


def downgrade() -> None:
    op.drop_constraint(
        op.f("fk_member_session_delegation_id"), "member_session", type_="foreignkey"
    )
    op.drop_column("member_session", "delegation_id")
    op.drop_table("delegation")
