"""Invoices and quotes: drafts, numbers, versions, sending and ending."""
