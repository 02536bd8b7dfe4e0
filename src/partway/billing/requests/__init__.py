"""Payment requests: asking for a part of the amount due."""
