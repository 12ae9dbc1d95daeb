"""Second factors of members, their recovery codes, and the browsers that they trust."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_second_factors"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("second_factor", "recovery_code", "trusted_device")


def upgrade() -> None:
    op.create_table(
        "second_factor",
        *_sealed(),
        *_of_member(),
        sa.Column("begun_in", sa.Uuid(), nullable=False),
        sa.Column("time_code", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        *_constraints("second_factor"),
    )
    op.create_index(
        "ix_second_factor_confirmed",
        "second_factor",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_second_factor_expires_at"), "second_factor", ["expires_at"])
    op.create_table(
        "recovery_code",
        *_of_member(),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        *_constraints("recovery_code"),
        sa.UniqueConstraint("digest", name=op.f("uq_recovery_code_digest")),
    )
    op.create_table(
        "trusted_device",
        *_sealed(),
        *_of_member(),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_constraints("trusted_device"),
        sa.UniqueConstraint("digest", name=op.f("uq_trusted_device_digest")),
    )
    op.create_index(op.f("ix_trusted_device_expires_at"), "trusted_device", ["expires_at"])
    op.create_index(op.f("ix_trusted_device_workspace_id"), "trusted_device", ["workspace_id"])
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_member_id"), table, ["member_id"])


def _sealed() -> list[sa.Column]:
    shape = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    return [
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("unsealed", shape, nullable=True),
    ]


def _of_member() -> list[sa.Column]:
    return [
        sa.Column(each, sa.Uuid(), nullable=False) for each in ("id", "workspace_id", "member_id")
    ]


def _constraints(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f(f"fk_{table}_member_id")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f(f"fk_{table}_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
