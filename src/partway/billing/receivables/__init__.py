"""Reduces what is due without a gateway: offline payments, credit, write-offs."""
