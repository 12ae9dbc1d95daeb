"""The names of bound browsers lie sealed under their session's key.

What lies there in clear is packed into `unsealed`, from where a worker seals it; `gatepass keyring
seal` also removes what the column left in the table's file.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("binding", sa.Column("workspace_id", sa.Uuid(), nullable=True))
    op.add_column("binding", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "binding",
        sa.Column(
            "unsealed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(
        "UPDATE binding SET workspace_id = public_session.workspace_id,"
        " unsealed = CASE WHEN browser <> '' THEN jsonb_build_object('browser', browser) END"
        " FROM public_session WHERE public_session.id = binding.session_id"
    )
    op.alter_column("binding", "workspace_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_binding_workspace_id"), "binding", "workspace", ["workspace_id"], ["id"]
    )
    op.drop_column("binding", "browser")


def downgrade() -> None:
    if op.get_bind().scalar(
        sa.text("SELECT EXISTS (SELECT FROM binding WHERE sealed IS NOT NULL)")
    ):
        raise RuntimeError("binding has sealed rows, which the release before cannot read")
    op.add_column("binding", sa.Column("browser", sa.VARCHAR(), nullable=True))
    op.execute("UPDATE binding SET browser = coalesce(unsealed->>'browser', '')")
    op.alter_column("binding", "browser", nullable=False)
    op.drop_constraint(op.f("fk_binding_workspace_id"), "binding", type_="foreignkey")
    op.drop_column("binding", "unsealed")
    op.drop_column("binding", "sealed")
    op.drop_column("binding", "workspace_id")
