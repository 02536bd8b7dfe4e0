"""The `partway` command: demo, tour and api, which read no settings of ours, and Django's management commands."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

from django.core.management import execute_from_command_line

# These start an installation of their own, or call one elsewhere, so they run before any setting is read.
STANDALONE_COMMANDS = {
    "api": "partway.worker.api_command",
    "demo": "partway.worker.demo",
    "tour": "partway.worker.tour",
}

HELP = """usage: partway COMMAND [options]

  demo            a demo organization on your machine: web, worker and sandbox in one
  tour            the main job end to end, headless, against a throw-away home
  serve           one web server
  worker          one worker
  migrate         bring the database up to date
  verify          recompute the books; exit 1 on any difference
  organizations   create or list organizations
  keys            create, list or revoke keys of the API
  api             call the API from the shell, with a key
  gateways        list gateways, or try one in a real account of its test mode
  seed            a large organization, to try and to measure with
  users           help a user who cannot sign in

partway COMMAND --help says more. docs/reference/settings.md lists the settings.
"""


def main() -> None:
    """Runs the command given on the command line."""
    os.umask(0o077)  # only this user may read the database, the stored mails and the logs
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    if name in STANDALONE_COMMANDS:
        sys.exit(import_module(STANDALONE_COMMANDS[name]).main(sys.argv[2:]))
    if name in ("help", "--help", "-h") and len(sys.argv) <= 2:
        print(HELP, end="")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partway.config.settings")
    # What is loaded stays, and to search it for garbage is a tenth of the start; config/apps.py enables it again.
    gc.disable()
    execute_from_command_line(["partway", *sys.argv[1:]])


if __name__ == "__main__":
    main()
