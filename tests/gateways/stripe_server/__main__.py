"""Runs the stand-in as a process: python -m tests.gateways.stripe_server --port 12111"""

from __future__ import annotations

import argparse

from .server import serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=12111)
    serve(parser.parse_args().port)
