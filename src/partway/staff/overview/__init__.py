"""The first pages after signing in: overview, attention, inbox."""
