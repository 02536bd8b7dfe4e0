"""Organizations, users and members, permissions, and accounts at gateways."""
