"""Alembic's folder: ``env.py`` runs the scripts in ``versions`` on the connection that ``recsys.store.migrate`` passes."""
