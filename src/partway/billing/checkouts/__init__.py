"""Checkouts at a gateway: what may be paid, how often, and the calls themselves."""
