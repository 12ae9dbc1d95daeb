"""Members, their sessions, links and mails, what a workspace set, and what the reports tell."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "member",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("email_digest", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_member_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
    )
    op.create_index(
        "ix_member_address",
        "member",
        ["workspace_id", "email_digest"],
        unique=True,
        postgresql_where=sa.text("email_digest IS NOT NULL"),
    )
    op.create_table(
        "workspace_setting",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_workspace_setting_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "name", name=op.f("pk_workspace_setting")),
    )
    op.create_table(
        "login",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_login_member_id")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_login_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
    )
    op.create_index(op.f("ix_login_at"), "login", ["at"], unique=False)
    op.create_index(op.f("ix_login_member_id"), "login", ["member_id"], unique=False)
    op.create_index(op.f("ix_login_workspace_id_id"), "login", ["workspace_id", "id"], unique=False)
    op.create_table(
        "member_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_link_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_member_link_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_member_link_digest")),
    )
    op.create_index(
        op.f("ix_member_link_member_id_kind_created_at"),
        "member_link",
        ["member_id", "kind", "created_at"],
        unique=False,
    )
    op.create_table(
        "member_session",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle", sa.Interval(), nullable=False),
        sa.Column("grace", sa.Interval(), nullable=False),
        sa.Column("idles_out_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("absolute_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unchecked", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_session_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_member_session_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_session")),
        sa.UniqueConstraint(
            "digest", "workspace_id", name=op.f("uq_member_session_digest_workspace_id")
        ),
    )
    op.create_index(
        op.f("ix_member_session_idles_out_at"), "member_session", ["idles_out_at"], unique=False
    )
    op.create_index(
        op.f("ix_member_session_member_id_signed_in_at"),
        "member_session",
        ["member_id", "signed_in_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_member_session_workspace_id"), "member_session", ["workspace_id"], unique=False
    )
    op.create_table(
        "page_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("denied", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_page_visit_member_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_page_visit_token_id")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_page_visit_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_visit")),
    )
    op.create_index(op.f("ix_page_visit_member_id"), "page_visit", ["member_id"], unique=False)
    op.create_index(op.f("ix_page_visit_at"), "page_visit", ["at"], unique=False)
    op.create_index(
        op.f("ix_page_visit_workspace_id_id"), "page_visit", ["workspace_id", "id"], unique=False
    )
    op.create_table(
        "sign_in_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("needs", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_sign_in_step_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_sign_in_step_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_step")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_in_step_digest")),
    )
    op.create_index(
        op.f("ix_sign_in_step_expires_at"), "sign_in_step", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_sign_in_step_member_id"), "sign_in_step", ["member_id"], unique=False)
    op.create_table(
        "member_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("access_digest", sa.String(), nullable=False),
        sa.Column("refresh_digest", sa.String(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["member_session.id"],
            name=op.f("fk_member_token_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_member_token_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_token")),
        sa.UniqueConstraint("access_digest", name=op.f("uq_member_token_access_digest")),
        sa.UniqueConstraint("refresh_digest", name=op.f("uq_member_token_refresh_digest")),
    )
    op.create_index(
        op.f("ix_member_token_session_id"), "member_token", ["session_id"], unique=False
    )
    # What was made before there were roles goes on doing what it did.
    op.add_column("token", sa.Column("role", sa.String(), nullable=False, server_default="admin"))
    # A member repeats requests as a token does.
    op.drop_constraint(op.f("fk_idempotency_token_id"), "idempotency", type_="foreignkey")
    op.alter_column("mail", "session_id", nullable=True)
    op.add_column("mail", sa.Column("member_id", sa.Uuid(), nullable=True))
    op.add_column("mail", sa.Column("member_link_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_mail_member_id"), "mail", "member", ["member_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_mail_member_link_id"),
        "mail",
        "member_link",
        ["member_link_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_mail_member_id"), "mail", ["member_id"], unique=False)
    op.create_index(op.f("ix_mail_member_link_id"), "mail", ["member_link_id"], unique=False)
    op.create_check_constraint(
        op.f("ck_mail_about"), "mail", "num_nonnulls(session_id, member_id) = 1"
    )
    op.add_column(
        "workspace",
        sa.Column(
            "mail_versions",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
    )
    op.create_table(
        "mail_content",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_mail_content_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "language", name=op.f("pk_mail_content")),
    )


def downgrade() -> None:
    op.drop_table("mail_content")
    op.drop_column("workspace", "mail_versions")
    op.execute("DELETE FROM mail WHERE session_id IS NULL")
    op.drop_constraint(op.f("ck_mail_about"), "mail")
    op.drop_index(op.f("ix_mail_member_link_id"), table_name="mail")
    op.drop_index(op.f("ix_mail_member_id"), table_name="mail")
    op.drop_constraint(op.f("fk_mail_member_link_id"), "mail")
    op.drop_constraint(op.f("fk_mail_member_id"), "mail")
    op.drop_column("mail", "member_link_id")
    op.drop_column("mail", "member_id")
    op.alter_column("mail", "session_id", nullable=False)
    op.execute("DELETE FROM idempotency WHERE token_id NOT IN (SELECT id FROM token)")
    op.create_foreign_key(
        op.f("fk_idempotency_token_id"), "idempotency", "token", ["token_id"], ["id"]
    )
    op.drop_column("token", "role")
    op.drop_index(op.f("ix_member_token_session_id"), table_name="member_token")
    op.drop_table("member_token")
    op.drop_index(op.f("ix_sign_in_step_member_id"), table_name="sign_in_step")
    op.drop_index(op.f("ix_sign_in_step_expires_at"), table_name="sign_in_step")
    op.drop_table("sign_in_step")
    op.drop_index(op.f("ix_page_visit_workspace_id_id"), table_name="page_visit")
    op.drop_index(op.f("ix_page_visit_member_id"), table_name="page_visit")
    op.drop_index(op.f("ix_page_visit_at"), table_name="page_visit")
    op.drop_table("page_visit")
    op.drop_index(op.f("ix_member_session_workspace_id"), table_name="member_session")
    op.drop_index(op.f("ix_member_session_member_id_signed_in_at"), table_name="member_session")
    op.drop_index(op.f("ix_member_session_idles_out_at"), table_name="member_session")
    op.drop_table("member_session")
    op.drop_index(op.f("ix_member_link_member_id_kind_created_at"), table_name="member_link")
    op.drop_table("member_link")
    op.drop_index(op.f("ix_login_workspace_id_id"), table_name="login")
    op.drop_index(op.f("ix_login_member_id"), table_name="login")
    op.drop_index(op.f("ix_login_at"), table_name="login")
    op.drop_table("login")
    op.drop_table("workspace_setting")
    op.drop_index(
        "ix_member_address",
        table_name="member",
        postgresql_where=sa.text("email_digest IS NOT NULL"),
    )
    op.drop_table("member")
