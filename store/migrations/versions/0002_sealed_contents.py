"""Personal contents move into one sealed column a table; keys, uploads, the audit's tree.

What a release before this one wrote in clear is packed into `unsealed`, from where a worker seals
it, row by row (`gatepass keyring status` tells how many are left).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PACKED = {
    "audit": "'text', jsonb_build_object('actor_label', actor_label, 'reason', reason,"
    " 'details', details)::text",
    "idempotency": "'text', coalesce(body->>'text', '')",
    "mail": "'detail', detail",
    "party": "'name', name, 'email', email, 'attributes', attributes",
    "public_session": "'subject', subject, 'notify_email', coalesce(notify_email, ''),"
    " 'rationale', rationale, 'message', message, 'decline_reason', decline_reason,"
    " 'mail_detail', mail_detail, 'advance_reason', advance_reason",
    "submission": "'body', body, 'evidence', evidence",
    "token": "'name', name, 'email', coalesce(email, '')",
}
"""What becomes of each table's contents, as arguments of jsonb_build_object."""
TOLD = "(unsealed->>'text')::jsonb"
UNPACKED = {
    "audit": f"actor_label = {TOLD}->>'actor_label', reason = {TOLD}->>'reason',"
    f" details = {TOLD}->'details'",
    "idempotency": "body = jsonb_build_object('text', unsealed->>'text')",
    "mail": "detail = unsealed->>'detail'",
    "party": "name = unsealed->>'name', email = unsealed->>'email',"
    " attributes = unsealed->'attributes'",
    "public_session": "subject = unsealed->>'subject',"
    " notify_email = nullif(unsealed->>'notify_email', ''),"
    " rationale = unsealed->>'rationale', message = unsealed->>'message',"
    " decline_reason = unsealed->>'decline_reason', mail_detail = unsealed->>'mail_detail',"
    " advance_reason = unsealed->>'advance_reason'",
    "submission": "body = unsealed->'body', evidence = unsealed->'evidence'",
    "token": "name = unsealed->>'name', email = nullif(unsealed->>'email', '')",
}
"""The reverse, as assignments."""


def upgrade() -> None:
    op.create_table(
        "installation_key",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "number", name=op.f("pk_installation_key")),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_audit_checkpoint_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "size", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_node",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_audit_node_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "level", "index", name=op.f("pk_audit_node")),
    )
    op.create_table(
        "audit_signer",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_audit_signer_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_audit_signer")),
    )
    op.create_table(
        "workspace_key",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rewrapped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_workspace_key_workspace_id")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "version", name=op.f("pk_workspace_key")),
    )
    op.create_index(op.f("ix_workspace_key_epoch"), "workspace_key", ["epoch"], unique=False)
    op.create_index(
        "ix_workspace_key_primary",
        "workspace_key",
        ["workspace_id"],
        unique=True,
        postgresql_where=sa.text("state = 'primary'"),
    )
    op.create_table(
        "data_key",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("workspace_key_version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "workspace_key_version"],
            ["workspace_key.workspace_id", "workspace_key.version"],
            name=op.f("fk_data_key_workspace_id_workspace_key_version"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_data_key_workspace_id")
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_data_key")),
    )
    op.create_index(
        op.f("ix_data_key_workspace_id_workspace_key_version"),
        "data_key",
        ["workspace_id", "workspace_key_version"],
        unique=False,
    )
    op.create_table(
        "upload",
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("object_name", sa.String(), nullable=False),
        sa.Column("sealed_sha256", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erase_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("object_gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["public_session.id"], name=op.f("fk_upload_session_id")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_upload_task_id")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_upload_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("object_name", name=op.f("uq_upload_object_name")),
        sa.UniqueConstraint("session_id", "client_id", name=op.f("uq_upload_session_id_client_id")),
    )
    op.create_index(
        "ix_upload_doomed",
        "upload",
        ["removed_at"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NOT NULL AND object_gone_at IS NULL"),
    )
    op.create_index(
        "ix_upload_erase",
        "upload",
        ["erase_at"],
        unique=False,
        postgresql_where=sa.text("erase_at IS NOT NULL AND removed_at IS NULL"),
    )
    op.create_index(op.f("ix_upload_task_id"), "upload", ["task_id"], unique=False)
    op.add_column("audit", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "audit",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(f"UPDATE audit SET unsealed = jsonb_build_object({PACKED['audit']})")
    op.add_column("audit", sa.Column("commitment", sa.LargeBinary(), nullable=True))
    op.add_column("audit", sa.Column("position", sa.BigInteger(), nullable=True))
    op.add_column("audit", sa.Column("leaf_hash", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_audit_unnumbered",
        "audit",
        ["workspace_id", "id"],
        unique=False,
        postgresql_where=sa.text("position IS NULL AND commitment IS NOT NULL"),
    )
    op.create_unique_constraint(
        op.f("uq_audit_workspace_id_position"), "audit", ["workspace_id", "position"]
    )
    op.drop_column("audit", "details")
    op.drop_column("audit", "reason")
    op.drop_column("audit", "actor_label")
    op.add_column("idempotency", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "idempotency",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(f"UPDATE idempotency SET unsealed = jsonb_build_object({PACKED['idempotency']})")
    op.add_column("idempotency", sa.Column("workspace_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE idempotency SET workspace_id = token.workspace_id"
        " FROM token WHERE token.id = token_id"
    )
    op.alter_column("idempotency", "workspace_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_idempotency_workspace_id"), "idempotency", "workspace", ["workspace_id"], ["id"]
    )
    op.drop_column("idempotency", "body")
    op.add_column(
        "idempotency",
        sa.Column("words", postgresql.ARRAY(sa.LargeBinary()), nullable=False, server_default="{}"),
    )
    op.alter_column("idempotency", "words", server_default=None)
    op.create_index(
        op.f("ix_idempotency_words"),
        "idempotency",
        ["words"],
        unique=False,
        postgresql_using="gin",
    )
    op.add_column("mail", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "mail",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(f"UPDATE mail SET unsealed = jsonb_build_object({PACKED['mail']})")
    op.drop_column("mail", "detail")
    op.create_index(op.f("ix_mail_created_at"), "mail", ["created_at"])
    op.create_index(op.f("ix_mail_code_id"), "mail", ["code_id"])
    op.create_index(op.f("ix_code_expires_at"), "code", ["expires_at"])
    op.add_column("party", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "party",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(f"UPDATE party SET unsealed = jsonb_build_object({PACKED['party']})")
    op.add_column(
        "party",
        sa.Column("words", postgresql.ARRAY(sa.LargeBinary()), nullable=False, server_default="{}"),
    )
    op.alter_column("party", "words", server_default=None)
    op.add_column("party", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_party_words"), "party", ["words"], unique=False, postgresql_using="gin"
    )
    op.drop_column("party", "name")
    op.drop_column("party", "email")
    op.drop_column("party", "attributes")
    op.add_column("public_session", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "public_session",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(
        f"UPDATE public_session SET unsealed = jsonb_build_object({PACKED['public_session']})"
    )
    op.add_column(
        "public_session",
        sa.Column("words", postgresql.ARRAY(sa.LargeBinary()), nullable=False, server_default="{}"),
    )
    op.alter_column("public_session", "words", server_default=None)
    op.add_column("public_session", sa.Column("retention_days", sa.Integer(), nullable=True))
    op.add_column(
        "public_session", sa.Column("erase_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "public_session", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_public_session_erase",
        "public_session",
        ["erase_at"],
        unique=False,
        postgresql_where=sa.text("erase_at IS NOT NULL AND erased_at IS NULL"),
    )
    op.create_index(
        op.f("ix_public_session_words"),
        "public_session",
        ["words"],
        unique=False,
        postgresql_using="gin",
    )
    op.drop_column("public_session", "subject")
    op.drop_column("public_session", "decline_reason")
    op.drop_column("public_session", "message")
    op.drop_column("public_session", "notify_email")
    op.drop_column("public_session", "mail_detail")
    op.drop_column("public_session", "rationale")
    op.drop_column("public_session", "advance_reason")
    op.add_column("submission", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "submission",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(f"UPDATE submission SET unsealed = jsonb_build_object({PACKED['submission']})")
    op.drop_column("submission", "body")
    op.drop_column("submission", "evidence")
    op.add_column(
        "task",
        sa.Column(
            "upload", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.add_column("token", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "token",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(f"UPDATE token SET unsealed = jsonb_build_object({PACKED['token']})")
    op.drop_column("token", "name")
    op.drop_column("token", "email")


def downgrade() -> None:
    _refuse_sealed()
    op.drop_index(op.f("ix_code_expires_at"), table_name="code")
    op.drop_index(op.f("ix_mail_code_id"), table_name="mail")
    op.drop_index(op.f("ix_mail_created_at"), table_name="mail")
    op.add_column("token", sa.Column("email", sa.VARCHAR(), autoincrement=False, nullable=True))
    op.add_column("token", sa.Column("name", sa.VARCHAR(), autoincrement=False, nullable=True))
    op.execute(f"UPDATE token SET {UNPACKED['token']} WHERE unsealed IS NOT NULL")
    op.execute("UPDATE token SET name = '' WHERE name IS NULL")
    op.alter_column("token", "name", nullable=False)
    op.drop_column("token", "unsealed")
    op.drop_column("token", "sealed")
    op.drop_column("task", "upload")
    op.add_column(
        "submission",
        sa.Column(
            "body", postgresql.JSONB(astext_type=sa.Text()), autoincrement=False, nullable=True
        ),
    )
    op.add_column(
        "submission",
        sa.Column(
            "evidence", postgresql.JSONB(astext_type=sa.Text()), autoincrement=False, nullable=True
        ),
    )
    op.execute(f"UPDATE submission SET {UNPACKED['submission']} WHERE unsealed IS NOT NULL")
    op.execute(
        "UPDATE submission SET body = coalesce(body, '{}'), evidence = coalesce(evidence, '{}')"
    )
    op.alter_column("submission", "body", nullable=False)
    op.alter_column("submission", "evidence", nullable=False)
    op.drop_column("submission", "unsealed")
    op.drop_column("submission", "sealed")
    op.add_column(
        "public_session",
        sa.Column("advance_reason", sa.VARCHAR(), autoincrement=False, nullable=True),
    )
    op.add_column(
        "public_session", sa.Column("rationale", sa.VARCHAR(), autoincrement=False, nullable=True)
    )
    op.add_column(
        "public_session", sa.Column("mail_detail", sa.VARCHAR(), autoincrement=False, nullable=True)
    )
    op.add_column(
        "public_session",
        sa.Column("notify_email", sa.VARCHAR(), autoincrement=False, nullable=True),
    )
    op.add_column(
        "public_session", sa.Column("message", sa.VARCHAR(), autoincrement=False, nullable=True)
    )
    op.add_column(
        "public_session",
        sa.Column("decline_reason", sa.VARCHAR(), autoincrement=False, nullable=True),
    )
    op.add_column(
        "public_session", sa.Column("subject", sa.VARCHAR(), autoincrement=False, nullable=True)
    )
    op.drop_index(
        op.f("ix_public_session_words"), table_name="public_session", postgresql_using="gin"
    )
    op.drop_index(
        "ix_public_session_erase",
        table_name="public_session",
        postgresql_where=sa.text("erase_at IS NOT NULL AND erased_at IS NULL"),
    )
    op.drop_column("public_session", "erased_at")
    op.drop_column("public_session", "erase_at")
    op.drop_column("public_session", "retention_days")
    op.drop_column("public_session", "words")
    op.execute(f"UPDATE public_session SET {UNPACKED['public_session']} WHERE unsealed IS NOT NULL")
    op.execute("UPDATE public_session SET advance_reason = '' WHERE advance_reason IS NULL")
    op.alter_column("public_session", "advance_reason", nullable=False)
    op.execute("UPDATE public_session SET rationale = '' WHERE rationale IS NULL")
    op.alter_column("public_session", "rationale", nullable=False)
    op.execute("UPDATE public_session SET mail_detail = '' WHERE mail_detail IS NULL")
    op.alter_column("public_session", "mail_detail", nullable=False)
    op.execute("UPDATE public_session SET message = '' WHERE message IS NULL")
    op.alter_column("public_session", "message", nullable=False)
    op.execute("UPDATE public_session SET decline_reason = '' WHERE decline_reason IS NULL")
    op.alter_column("public_session", "decline_reason", nullable=False)
    op.execute("UPDATE public_session SET subject = '' WHERE subject IS NULL")
    op.alter_column("public_session", "subject", nullable=False)
    op.drop_column("public_session", "unsealed")
    op.drop_column("public_session", "sealed")
    op.add_column(
        "party",
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            autoincrement=False,
            nullable=True,
        ),
    )
    op.add_column("party", sa.Column("email", sa.VARCHAR(), autoincrement=False, nullable=True))
    op.add_column("party", sa.Column("name", sa.VARCHAR(), autoincrement=False, nullable=True))
    op.drop_index(op.f("ix_party_words"), table_name="party", postgresql_using="gin")
    op.drop_column("party", "erased_at")
    op.drop_column("party", "words")
    op.execute(f"UPDATE party SET {UNPACKED['party']} WHERE unsealed IS NOT NULL")
    op.execute("UPDATE party SET attributes = '{}' WHERE attributes IS NULL")
    op.alter_column("party", "attributes", nullable=False)
    op.execute("UPDATE party SET email = '' WHERE email IS NULL")
    op.alter_column("party", "email", nullable=False)
    op.execute("UPDATE party SET name = '' WHERE name IS NULL")
    op.alter_column("party", "name", nullable=False)
    op.drop_column("party", "unsealed")
    op.drop_column("party", "sealed")
    op.add_column("mail", sa.Column("detail", sa.VARCHAR(), autoincrement=False, nullable=True))
    op.execute(f"UPDATE mail SET {UNPACKED['mail']} WHERE unsealed IS NOT NULL")
    op.execute("UPDATE mail SET detail = '' WHERE detail IS NULL")
    op.alter_column("mail", "detail", nullable=False)
    op.drop_column("mail", "unsealed")
    op.drop_column("mail", "sealed")
    op.add_column(
        "idempotency",
        sa.Column(
            "body", postgresql.JSONB(astext_type=sa.Text()), autoincrement=False, nullable=True
        ),
    )
    op.drop_constraint(op.f("fk_idempotency_workspace_id"), "idempotency", type_="foreignkey")
    op.drop_column("idempotency", "workspace_id")
    op.drop_index(op.f("ix_idempotency_words"), table_name="idempotency", postgresql_using="gin")
    op.drop_column("idempotency", "words")
    op.execute(f"UPDATE idempotency SET {UNPACKED['idempotency']} WHERE unsealed IS NOT NULL")
    op.drop_column("idempotency", "unsealed")
    op.drop_column("idempotency", "sealed")
    op.add_column(
        "audit", sa.Column("actor_label", sa.VARCHAR(), autoincrement=False, nullable=True)
    )
    op.add_column("audit", sa.Column("reason", sa.VARCHAR(), autoincrement=False, nullable=True))
    op.add_column(
        "audit",
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), autoincrement=False, nullable=True
        ),
    )
    op.drop_constraint(op.f("uq_audit_workspace_id_position"), "audit", type_="unique")
    op.drop_index(
        "ix_audit_unnumbered",
        table_name="audit",
        postgresql_where=sa.text("position IS NULL AND commitment IS NOT NULL"),
    )
    op.drop_column("audit", "leaf_hash")
    op.drop_column("audit", "position")
    op.drop_column("audit", "commitment")
    op.execute(f"UPDATE audit SET {UNPACKED['audit']} WHERE unsealed IS NOT NULL")
    op.execute("UPDATE audit SET actor_label = '' WHERE actor_label IS NULL")
    op.alter_column("audit", "actor_label", nullable=False)
    op.execute("UPDATE audit SET reason = '' WHERE reason IS NULL")
    op.alter_column("audit", "reason", nullable=False)
    op.execute("UPDATE audit SET details = '{}' WHERE details IS NULL")
    op.alter_column("audit", "details", nullable=False)
    op.drop_column("audit", "unsealed")
    op.drop_column("audit", "sealed")
    op.drop_index(op.f("ix_upload_task_id"), table_name="upload")
    op.drop_index(
        "ix_upload_erase",
        table_name="upload",
        postgresql_where=sa.text("erase_at IS NOT NULL AND removed_at IS NULL"),
    )
    op.drop_index(
        "ix_upload_doomed",
        table_name="upload",
        postgresql_where=sa.text("removed_at IS NOT NULL AND object_gone_at IS NULL"),
    )
    op.drop_table("upload")
    op.drop_index(op.f("ix_data_key_workspace_id_workspace_key_version"), table_name="data_key")
    op.drop_table("data_key")
    op.drop_index(
        "ix_workspace_key_primary",
        table_name="workspace_key",
        postgresql_where=sa.text("state = 'primary'"),
    )
    op.drop_index(op.f("ix_workspace_key_epoch"), table_name="workspace_key")
    op.drop_table("workspace_key")
    op.drop_table("audit_signer")
    op.drop_table("audit_node")
    op.drop_table("audit_checkpoint")
    op.drop_table("installation_key")


def _refuse_sealed() -> None:
    """Going back needs the clear contents, and what is sealed cannot be opened here."""
    for table in PACKED:
        if op.get_bind().scalar(
            sa.text(f"SELECT EXISTS (SELECT FROM {table} WHERE sealed IS NOT NULL)")
        ):
            raise RuntimeError(f"{table} has sealed rows, which the release before cannot read")
