"""Pages of payments and payment requests."""
