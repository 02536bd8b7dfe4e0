"""Payment requests: each asks a customer for a part of the amount due."""
