"""Partway: collect an invoice in stages."""
