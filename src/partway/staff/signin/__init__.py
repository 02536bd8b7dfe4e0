"""Signing in and all that belongs to a person: django-allauth's flows behind our own pages; see urls.py."""
