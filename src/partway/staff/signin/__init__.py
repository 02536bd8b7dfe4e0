"""Sign-in and profile of a person: django-allauth's flows behind our own pages; see urls.py."""
