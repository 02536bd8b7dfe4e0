"""Plain Python that everything else stands on: money, ids, links, sealing, the clock."""
