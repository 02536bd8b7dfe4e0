"""Invoices and quotes: written, numbered, sent, changed and ended."""
