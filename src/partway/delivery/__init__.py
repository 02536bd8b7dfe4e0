"""What leaves the house: mails today; and the look that every page and mail shares."""
