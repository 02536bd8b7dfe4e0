"""Wiring: settings, urls, wsgi, logs, and checks that refuse unsafe settings."""
