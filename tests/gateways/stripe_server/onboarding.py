"""The page of Stripe's hosted onboarding, to which an account link leads once."""

from __future__ import annotations

from . import connect, events
from .company import Company
from .pages import Page, frame


def answer(company: Company, method: str, path: str, form: dict[str, str]) -> Page:
    """Serves `/setup/<account>/<token>`; a POST answers all questions, or leaves with `decision=later`."""
    _, _, ref, token = path.split("/")
    for livemode in (False, True):
        account = company.accounts.get((ref, livemode))
        if account is not None and token in account.hidden:
            break
    else:
        return Page(404, frame("This page does not exist."))
    with account.lock:
        link = account.hidden[token]
        if method == "GET" and (link.get("visited") or account.now() > link["expires_at"]):
            return Page(303, location=link["refresh_url"])
        link["visited"] = True
        if method == "GET":
            buttons = "".join(
                f'<button name="decision" value="{value}">{label}</button> '
                for value, label in (("finish", "Agree and submit"), ("later", "Finish later"))
            )
            return Page(200, frame(f'<h1>Set up payments</h1><form method="post">{buttons}</form>'))
        if form.get("decision") != "later":
            connect.finish_onboarding(account)
            events.release(account)
    return Page(303, location=link["return_url"])
