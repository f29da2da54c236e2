"""Run by Alembic itself: hands the caller's open connection and the tables to the migrations."""

from alembic import context

from recsys.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, once the driver does not commit behind one's back
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
