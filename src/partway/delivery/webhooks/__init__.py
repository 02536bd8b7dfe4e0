"""Webhooks: signed HTTP calls to the programs of an organization."""
