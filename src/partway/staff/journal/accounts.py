"""The codes and names of the accounts of the journal."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext

from partway.billing.errors import BillingError
from partway.billing.journal import accounts
from partway.delivery.journal_labels import account_name, default_name

from ..context import MemberContext
from ..forms import ConcurrentEditForm, text_field


def rename(ctx: MemberContext) -> HttpResponse:
    """Every account with its code and name; an empty one gets its default again."""
    chart = accounts.chart(ctx.organization)
    shown = {key: chart[key] for key in accounts.known_keys(ctx.organization)}
    stored: dict[str, str] = {}
    for key, account in shown.items():
        stored |= {f"{key}.code": account.code, f"{key}.name": account_name(account)}
    form_class = type("AccountsForm", (ConcurrentEditForm,), {name: text_field() for name in stored})
    form = form_class(ctx.post_data, initial=stored)
    if form.is_valid():
        opened = form.valid_opened_form()
        try:
            accounts.rename(
                ctx.organization,
                names=_names(form, list(shown)),
                defaults={key: default_name(account) for key, account in shown.items()},
                initial=_names(opened, list(shown)) if opened else None,
                by=ctx.actor,
                now=ctx.now,
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(ctx.url("journal_accounts"), notice=gettext("Saved."))
    rows = [
        (default_name(account), form[f"{key}.code"], form[f"{key}.name"]) for key, account in shown.items()
    ]
    context = {
        "form": form,
        "rows": rows,
        "max_code": accounts.MAX_CODE_LENGTH,
        "max_name": accounts.MAX_NAME_LENGTH,
    }
    return ctx.render("staff/journal/accounts.html", context, status=form.status)


def _names(form: ConcurrentEditForm, keys: list[str]) -> dict[str, tuple[str, str]]:
    typed = form.cleaned_data
    return {key: (typed[f"{key}.code"], typed[f"{key}.name"]) for key in keys}
