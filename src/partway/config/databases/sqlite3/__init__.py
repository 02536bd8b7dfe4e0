"""Django's backend for SQLite, with calls before the commit."""
