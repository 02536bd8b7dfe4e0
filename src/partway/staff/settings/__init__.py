"""Settings of an organization."""
