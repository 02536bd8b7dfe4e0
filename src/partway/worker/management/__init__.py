"""Management commands of Django, which the `partway` command runs."""
