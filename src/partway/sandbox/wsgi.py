"""The web application of the sandbox, with its tables brought up to date and its threads started."""

from __future__ import annotations

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partway.sandbox.settings")
application = get_wsgi_application()
call_command("migrate", verbosity=0, interactive=False, skip_checks=True)

# By name, because models can be imported only after the set-up above.
import_string("partway.sandbox.background.start")()
