"""Django's backend for PostgreSQL, with calls before the commit."""
