"""Agreements, their papers, the windows they are signed and edited in, and what seals them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _sealed() -> list[sa.Column]:
    return [
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("unsealed", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
    ]


def _kept(table: str) -> list[sa.Constraint]:
    return [
        sa.CheckConstraint("unsealed IS NULL", name=op.f(f"ck_{table}_never_clear")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f(f"fk_{table}_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    op.create_table(
        "paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_paper_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
    )
    op.create_index(op.f("ix_paper_owner_id"), "paper", ["owner_id"], unique=False)
    op.create_index(op.f("ix_paper_workspace_id"), "paper", ["workspace_id"], unique=False)
    op.create_table(
        "signing_certificate",
        *_sealed(),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timestamp_url", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        *_kept("signing_certificate"),
    )
    op.create_index(
        "ix_signing_certificate_current",
        "signing_certificate",
        ["workspace_id"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "agreement",
        *_sealed(),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("step_up", sa.Boolean(), nullable=False),
        sa.Column("time_bound_days", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_paper_id", sa.Uuid(), nullable=True),
        sa.Column("sealed_sha256", sa.String(), nullable=False),
        sa.Column("sealed_level", sa.String(), nullable=False),
        sa.Column("seal_failures", sa.Integer(), nullable=False),
        *_kept("agreement"),
        sa.CheckConstraint("version > 0", name=op.f("ck_agreement_version")),
        sa.ForeignKeyConstraint(
            ["sealed_paper_id"], ["paper.id"], name=op.f("fk_agreement_sealed_paper_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["public_session.id"], name=op.f("fk_agreement_session_id")
        ),
    )
    op.create_index(op.f("ix_agreement_session_id"), "agreement", ["session_id"], unique=False)
    op.create_index(
        op.f("ix_agreement_workspace_id_id"), "agreement", ["workspace_id", "id"], unique=False
    )
    op.create_table(
        "agreement_signer",
        *_sealed(),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("signs", sa.Boolean(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_version", sa.Integer(), nullable=True),
        *_kept("agreement_signer"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_signer_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["party_id"], ["party.id"], name=op.f("fk_agreement_signer_party_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["public_session.id"], name=op.f("fk_agreement_signer_session_id")
        ),
        sa.UniqueConstraint(
            "agreement_id", "position", name=op.f("uq_agreement_signer_agreement_id_position")
        ),
    )
    op.create_index(
        op.f("ix_agreement_signer_session_id"), "agreement_signer", ["session_id"], unique=False
    )
    op.create_table(
        "agreement_version",
        *_sealed(),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("paper_sha256", sa.String(), nullable=False),
        sa.Column("pages", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *_kept("agreement_version"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_version_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["paper.id"], name=op.f("fk_agreement_version_paper_id")
        ),
        sa.UniqueConstraint(
            "agreement_id", "version", name=op.f("uq_agreement_version_agreement_id_version")
        ),
    )
    op.create_table(
        "editing_session",
        *_sealed(),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("member_session_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_reason", sa.String(), nullable=True),
        *_kept("editing_session"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_editing_session_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_editing_session_member_id")
        ),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_editing_session_agreement_id")),
    )
    op.create_table(
        "signing_session",
        *_sealed(),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("binding_id", sa.Uuid(), nullable=True),
        sa.Column("seen_version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stepped_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stepped_up_fence", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        *_kept("signing_session"),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_signing_session_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["public_session.id"], name=op.f("fk_signing_session_session_id")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_signing_session_task_id")),
        sa.UniqueConstraint("task_id", name=op.f("uq_signing_session_task_id")),
    )
    op.create_index(
        op.f("ix_signing_session_agreement_id"), "signing_session", ["agreement_id"], unique=False
    )
    op.create_index(
        op.f("ix_signing_session_session_id"), "signing_session", ["session_id"], unique=False
    )
    op.add_column(
        "public_session",
        sa.Column("signs", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("public_session", "signs", server_default=None)
    op.add_column("task", sa.Column("agreement_id", sa.Uuid(), nullable=True))
    op.add_column("task", sa.Column("signer", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_task_agreement_id"), "task", "agreement", ["agreement_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_task_agreement_id"), "task", type_="foreignkey")
    op.drop_column("task", "signer")
    op.drop_column("task", "agreement_id")
    op.drop_column("public_session", "signs")
    op.drop_index(op.f("ix_signing_session_session_id"), table_name="signing_session")
    op.drop_index(op.f("ix_signing_session_agreement_id"), table_name="signing_session")
    op.drop_table("signing_session")
    op.drop_table("editing_session")
    op.drop_table("agreement_version")
    op.drop_index(op.f("ix_agreement_signer_session_id"), table_name="agreement_signer")
    op.drop_table("agreement_signer")
    op.drop_index(op.f("ix_agreement_workspace_id_id"), table_name="agreement")
    op.drop_index(op.f("ix_agreement_session_id"), table_name="agreement")
    op.drop_table("agreement")
    op.drop_index(
        "ix_signing_certificate_current",
        table_name="signing_certificate",
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.drop_table("signing_certificate")
    op.drop_index(op.f("ix_paper_workspace_id"), table_name="paper")
    op.drop_index(op.f("ix_paper_owner_id"), table_name="paper")
    op.drop_table("paper")
