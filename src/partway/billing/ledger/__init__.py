"""The ledger: which part of each payment is allocated to which invoice."""
