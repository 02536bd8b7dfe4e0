"""Where captured money stands: allocations."""
