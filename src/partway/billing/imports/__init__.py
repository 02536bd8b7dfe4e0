"""Imports of customers, open invoices and quotes from files of other software."""
