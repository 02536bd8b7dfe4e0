"""A small job-management program: it raises an invoice for a job, asks for a stage at each step, and hears of payments.

    export PARTWAY_API_URL=https://pay.example.com PARTWAY_API_KEY=ptw_… PARTWAY_WEBHOOK_SECRET=whsec_…
    python jobs.py jobs.json begin 4711
    python jobs.py jobs.json done 4711 "Treads"
    python jobs.py jobs.json listen 8400

It was written from Partway's OpenAPI document alone. What it knows is kept in the file jobs.json, whose jobs have a
customer, a total and steps with a share of it each.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from partway_client import Partway, PartwayError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass
class Jobs:
    """The jobs of a business, each with the ids of what was made of it at Partway."""

    path: Path
    partway: Partway
    _lock: Lock = field(default_factory=Lock)

    def begin(self, number: str) -> dict[str, Any]:
        """Raises and sends the invoice of a job; begun twice, or again after a crash, there is still one."""
        with self._lock:
            jobs = self._read()
            job = jobs[number]
            customer = self.partway.customers.create(
                **job["customer"], idempotency_key=f"job-{number}-customer"
            )
            invoice = self.partway.invoices.create(
                customer=customer["id"],
                due_days=30,
                lines=[{"description": job["title"], "unit_amount": job["total"], "tax_percent": "0"}],
                idempotency_key=f"job-{number}-invoice",
            )
            self.partway.invoices.send(invoice["id"], idempotency_key=f"job-{number}-send")
            job["invoice"] = invoice["id"]
            self._write(jobs)
            return job

    def finish_step(self, number: str, name: str) -> str:
        """Marks a step as done and asks for its share; returns the link that the customer pays by."""
        with self._lock:
            jobs = self._read()
            job = jobs[number]
            step = next(step for step in job["steps"] if step["name"] == name)
            try:
                request = self.partway.payment_requests.create(
                    job["invoice"],
                    amount_requested=step["amount"],
                    note=f"{job['title']}: {name} is done.",
                    return_url=job.get("portal", ""),
                    send=False,
                    idempotency_key=f"job-{number}-step-{name}",
                )
            except PartwayError as error:
                if error.code != "payment_request_open":
                    raise
                raise SystemExit("The step before is not paid yet.") from error
            step |= {"status": "requested", "payment_request": request["id"]}
            self._write(jobs)
            return str(request["url"])

    def hear(self, request_id: str, status: str) -> None:
        """Notes how the request of a step has ended: paid, canceled or expired."""
        with self._lock:
            jobs = self._read()
            for job in jobs.values():
                for step in job["steps"]:
                    if step.get("payment_request") == request_id:
                        step["status"] = status
            self._write(jobs)

    def ask(self) -> None:
        """Asks for the state of each open request: for whom no webhook can reach, and after a time without one."""
        for job in self._read().values():
            for step in job["steps"]:
                if step.get("status") == "requested":
                    request = self.partway.payment_requests.show(step["payment_request"])
                    if request["status"] != "open":
                        self.hear(request["id"], request["status"])

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.read_text())
        return found

    def _write(self, jobs: dict[str, Any]) -> None:
        """Replaces the file whole, so that a crash leaves the old one."""
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(jobs, indent=1))
        draft.replace(self.path)


def receiver(jobs: Jobs, secret: str, port: int) -> ThreadingHTTPServer:
    """Returns the server that hears webhooks; `serve_forever` runs it."""
    webhook = Webhook(secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                event = webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
            except WebhookVerificationError:
                self.send_response(401)
            else:
                # To hear the same twice changes nothing, so no id has to be remembered.
                if event["object"] == "payment_request":
                    jobs.hear(event["data"]["id"], event["data"]["status"])
                self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main(path: str, command: str, *arguments: str) -> None:
    """Runs one command."""
    with Partway(os.environ["PARTWAY_API_URL"], os.environ["PARTWAY_API_KEY"]) as partway:
        jobs = Jobs(Path(path), partway)
        match command, arguments:
            case "begin", [number]:
                print(jobs.begin(number)["invoice"])
            case "done", [number, step]:
                print(jobs.finish_step(number, step))
            case "ask", []:
                jobs.ask()
            case "listen", [port]:
                receiver(jobs, os.environ["PARTWAY_WEBHOOK_SECRET"], int(port)).serve_forever()
            case _:
                raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
