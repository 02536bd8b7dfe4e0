"""Changes to the tables of the sandbox."""
