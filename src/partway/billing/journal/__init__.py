"""The double-entry journal: derived from the facts, never stored; only its closings and account names are (0054)."""
