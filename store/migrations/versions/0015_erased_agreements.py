"""When an agreement was erased, and the events of one found without reading them all."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agreement", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    # Those that came with a session were erased with it, and say so from now on.
    op.execute(
        "UPDATE agreement SET erased_at = public_session.erased_at, digest = '', "
        "sealed_sha256 = '' FROM public_session "
        "WHERE public_session.id = agreement.session_id AND public_session.erased_at IS NOT NULL"
    )
    op.execute(
        "UPDATE agreement_version SET sha256 = '', paper_sha256 = '', pages = '[]' FROM agreement "
        "WHERE agreement.id = agreement_version.agreement_id AND agreement.erased_at IS NOT NULL"
    )
    op.create_index(
        "ix_audit_subject",
        "audit",
        ["workspace_id", "subject"],
        postgresql_where=sa.text("subject <> ''"),
    )
    # Their events tell the hashes too. Each has its commitment: trees are older than agreements.
    op.execute(
        "UPDATE audit SET sealed = NULL, unsealed = NULL FROM agreement "
        "WHERE agreement.erased_at IS NOT NULL AND audit.workspace_id = agreement.workspace_id "
        "AND audit.subject = 'agreement:' || agreement.id AND audit.subject <> ''"
    )
    # There is no key to seal these with: it was tried for ever.
    op.execute(
        "UPDATE agreement SET state = 'cancelled', ended_at = erased_at "
        "WHERE erased_at IS NOT NULL AND state IN ('sent', 'active') AND sealed_paper_id IS NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_audit_subject", table_name="audit")
    op.drop_column("agreement", "erased_at")
