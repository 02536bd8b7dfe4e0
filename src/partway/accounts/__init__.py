"""Who: organizations, the people who log in for them, and their accounts at gateways."""
