"""Each change of the schema, in order, as an Alembic revision below versions/."""
