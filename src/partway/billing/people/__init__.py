"""Organizations, members, customers and payment modes."""
