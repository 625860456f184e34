"""How far a pass of forgetting is; cases made anonymous, whose log alone may be rewritten, and by that act alone."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_SAME = " AND ".join(
    f"NEW.{column} = OLD.{column}" for column in ("case_no", "seq", "id", "at", "verb", "before", "after")
)
_UNDER_WAY = "EXISTS (SELECT 1 FROM anonymised WHERE case_no = OLD.case_no AND at IS NULL)"
_SQLITE = f"""CREATE TRIGGER case_event_no_UPDATE BEFORE UPDATE ON case_event
WHEN NOT ({_UNDER_WAY} AND {_SAME})
BEGIN SELECT RAISE(ABORT, 'case_event is append-only'); END"""
_POSTGRES_FUNCTION = f"""CREATE FUNCTION case_event_only_anonymised() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF {_UNDER_WAY} AND {_SAME} THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'case_event is append-only';
END $$"""
_POSTGRES = (
    "DROP TRIGGER case_event_no_change ON case_event",
    """CREATE TRIGGER case_event_no_change BEFORE DELETE OR TRUNCATE ON case_event
FOR EACH STATEMENT EXECUTE FUNCTION case_event_append_only()""",
    _POSTGRES_FUNCTION,
    """CREATE TRIGGER case_event_no_update BEFORE UPDATE ON case_event
FOR EACH ROW EXECUTE FUNCTION case_event_only_anonymised()""",
)


def upgrade() -> None:
    op.create_table(
        "forgetting",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("walk", sa.Text, nullable=False),
        sa.Column("after", sa.LargeBinary, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("through", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("gone", sa.Integer, nullable=False),
    )
    op.create_table(
        "anonymised",
        sa.Column("case_no", sa.Text, primary_key=True),
        sa.Column("head", sa.LargeBinary, nullable=False),
        sa.Column("at", INSTANT),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER case_event_no_UPDATE")
        op.execute(_SQLITE)
    else:
        for statement in _POSTGRES:
            op.execute(statement)
