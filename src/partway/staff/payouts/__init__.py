"""Pages of payouts: the list, one payout with all that is in it, and files of both."""
