"""Django's database backends, which call what waits for the end of a transaction before they commit it."""
