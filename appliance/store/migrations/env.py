"""Alembic's entry: migrates over the connection that the store hands it."""

from alembic import context

from appliance.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
