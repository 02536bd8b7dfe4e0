"""Plain Python below all other packages: money, ids, link tokens, sealing, time, colors, IP addresses."""
