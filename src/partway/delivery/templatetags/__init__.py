"""Template tags that both doors and the mails share."""
