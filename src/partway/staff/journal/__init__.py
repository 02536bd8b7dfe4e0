"""Pages of the journal: entries, balances, exports, closing of periods, names of accounts."""
