"""Gateways to the companies that move money, as plain Python: one folder each, listed in `registry`."""
