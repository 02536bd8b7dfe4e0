"""Mails: one row each, rendered and sent by the worker."""
