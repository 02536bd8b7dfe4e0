"""The customer's side: the page of a session, where a card or a bank account is entered, and 3-D Secure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from . import events, sessions
from .amounts import written
from .company import Account, Company
from .errors import Json
from .instruments import DELAYED, Instrument, find_bank_account, find_card


@dataclass
class Page:
    """A response to a browser: a page, or a redirect to `location`."""

    status: int
    html: str = ""
    location: str = ""


def answer(company: Company, method: str, path: str, form: dict[str, str]) -> Page:
    """Serves `/c/pay/<session>` and `/c/pay/<session>/3ds`; a POST pays, or decides."""
    ref, _, step = path.removeprefix("/c/pay/").partition("/")
    for account in list(company.accounts.values()):
        session = account.objects.get("checkout.session", {}).get(ref)
        if session is not None:
            with account.lock:
                account.catch_up()
                page = _serve(account, session, method, step, form)
            with account.lock:
                events.release(account)
            return page
    return Page(404, frame("This page does not exist."))


def _serve(account: Account, session: Json, method: str, step: str, form: dict[str, str]) -> Page:
    if session["status"] == "complete":
        return Page(409, frame("You're all done here. You already paid."))
    if session["status"] == "expired":
        return Page(410, frame("Something went wrong. This checkout session has timed out."))
    if method != "POST":
        return Page(200, _authentication_form(session) if step == "3ds" else _payment_form(session))
    if step == "3ds":
        status = sessions.authenticate(account, session, succeeds=form.get("decision") == "confirm")
    else:
        chosen = form.get("method", "card")
        if chosen not in session["payment_method_types"]:
            return Page(422, frame(f"{escape(chosen)} is not offered here."))
        status = sessions.pay(account, session, _instrument(account, chosen, form), _customer(session, form))
    if status == "requires_action":
        return Page(303, location=f"{session['url']}/3ds")
    if status == "requires_payment_method":
        error = account.get("payment_intent", session["payment_intent"])["last_payment_error"]
        return Page(402, _payment_form(session, error["message"]))
    return Page(303, location=(session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _instrument(account: Account, method: str, form: dict[str, str]) -> Instrument:
    if method == "card":
        return find_card(form.get("number", ""), livemode=account.livemode)
    if method in DELAYED:
        return find_bank_account(form.get("account", ""), method)
    return Instrument("", method=method)  # a wallet or a pay-later method, which its own page approved


def _customer(session: Json, form: dict[str, str]) -> Json:
    name = form.get("name") or None
    return {
        "address": {
            **dict.fromkeys(("city", "line1", "line2", "state")),
            "country": form.get("country", "US"),
            "postal_code": form.get("postal_code") or None,
        },
        "business_name": None,
        "email": session["customer_email"] or form.get("email") or "customer@example.com",
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def _payment_form(session: Json, error: str = "") -> str:
    amount = written(session["amount_total"], session["currency"])
    methods = "".join(
        f'<label><input type="radio" name="method" value="{one}"{" checked" if not number else ""}> {one}</label> '
        for number, one in enumerate(session["payment_method_types"])
    )
    back = f'<p><a href="{escape(session["cancel_url"])}">Back</a></p>' if session["cancel_url"] else ""
    return frame(
        f"<h1>Pay {amount}</h1>"
        + (f'<p role="alert">{escape(error)}</p>' if error else "")
        + f'<form method="post" action="/c/pay/{session["id"]}"><p>{methods}</p>'
        '<p><label>Card number <input name="number" autocomplete="cc-number"></label></p>'
        '<p><label>Expiry <input name="expiry" value="12 / 34"></label> '
        '<label>CVC <input name="cvc" value="123"></label></p>'
        '<p><label>Account number or IBAN <input name="account"></label></p>'
        f"<p><button>Pay {amount}</button></p></form>{back}"
    )


def _authentication_form(session: Json) -> str:
    return frame(
        "<h1>3-D Secure</h1><p>Your bank asks you to confirm this payment.</p>"
        f'<form method="post" action="/c/pay/{session["id"]}/3ds">'
        '<button name="decision" value="confirm">Complete</button> '
        '<button name="decision" value="decline">Fail</button></form>'
    )


def frame(content: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Checkout</title>'
        f"<p>This stands in for Stripe in tests. No money moves.</p>{content}</html>"
    )
