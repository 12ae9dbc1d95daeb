"""Second factors of members, recovery codes, the browsers that they trust, and passkeys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("second_factor", "recovery_code", "trusted_device", "passkey")


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
    op.create_table(
        "passkey",
        *_sealed(),
        *_of_member(),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        *_constraints("passkey"),
        sa.UniqueConstraint(
            "workspace_id", "credential", name=op.f("uq_passkey_workspace_id_credential")
        ),
    )
    op.create_table(
        "passkey_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_answer")),
        sa.UniqueConstraint("digest", name=op.f("uq_passkey_answer_digest")),
    )
    op.create_index(op.f("ix_passkey_answer_expires_at"), "passkey_answer", ["expires_at"])
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
    op.drop_table("passkey_answer")
    for table in reversed(TABLES):
        op.drop_table(table)
