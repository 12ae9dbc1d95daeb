"""Where members have signed in, so that they are told of sign-ins from elsewhere."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FIRST_TIMES = """
    UPDATE member SET first_signed_in_at = coalesce(
        (SELECT min(login.at) FROM login
            WHERE login.member_id = member.id AND login.outcome = 'signed_in'),
        member.password_set_at
    )
"""
"""Whoever has had its account for long is told of its next sign-in, too: nothing is known yet."""


def upgrade() -> None:
    op.create_table(
        "known_device",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("is_program", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_known_device_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_known_device_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_device")),
        sa.UniqueConstraint("member_id", "digest", name=op.f("uq_known_device_member_id_digest")),
    )
    for column in ("workspace_id", "session_id", "expires_at"):
        op.create_index(op.f(f"ix_known_device_{column}"), "known_device", [column])
    op.add_column("mail", sa.Column("known_device_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_mail_known_device_id"), "mail", ["known_device_id"])
    op.create_foreign_key(
        op.f("fk_mail_known_device_id"),
        "mail",
        "known_device",
        ["known_device_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.add_column(
        "member", sa.Column("first_signed_in_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(FIRST_TIMES)


def downgrade() -> None:
    op.drop_column("member", "first_signed_in_at")
    op.execute("DELETE FROM mail WHERE kind = 'member_new_device'")
    op.drop_constraint(op.f("fk_mail_known_device_id"), "mail", type_="foreignkey")
    op.drop_column("mail", "known_device_id")
    op.drop_table("known_device")
