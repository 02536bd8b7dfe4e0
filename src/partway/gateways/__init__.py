"""Companies that move money, as plain Python: facts in, facts out."""
