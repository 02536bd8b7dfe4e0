"""Pages that ask before they act: the question on GET, the act on POST, and the question again where it was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.http import Http404, HttpResponse
from django.utils.translation import gettext

from partway.billing.errors import BillingError, Conflict
from partway.billing.models import Invoice, Quote
from partway.delivery.messages import error_message

from .context import MemberContext
from .forms import HiddenNumberField, IdempotencyKeyField, StaffForm

FormT = TypeVar("FormT", bound=StaffForm)


class ConfirmForm(StaffForm):
    """The version of the document that the question was asked about, so that no stale page acts (DESIGN D8)."""

    version = HiddenNumberField()


class RepeatableActForm(StaffForm):
    """An act that may be done again from a new page, such as mailing a link, but only once from each (DESIGN P8)."""

    idempotency_key = IdempotencyKeyField()


def unavailable_message(error: BillingError | None) -> str:
    """Returns the sentence of why an act is not offered; empty when it is."""
    return error_message(error) if error else ""


def confirm(
    ctx: MemberContext,
    row: Model,
    template: str,
    *,
    form: FormT,
    act: Callable[[FormT], HttpResponse],
    back: str,
    context: Callable[[], Mapping[str, Any]] = dict,
    unavailable_reason: Callable[[], str] = str,
) -> HttpResponse:
    """Returns the page of an act on `row`.

    `act` makes the one call of billing and redirects with a notice; `back` is where the link beside its button leads.
    The template has the row under its noun, as `payment_request`.
    `context` and `unavailable_reason` (why the act is not offered; empty when it is) are computed after a refusal, on
    the row as it is stored now.
    """
    if form.is_valid():
        try:
            return act(form)
        except BillingError as error:
            form.add_billing_error(error)
            try:
                row.refresh_from_db()
            except ObjectDoesNotExist:  # a draft that another member has just deleted
                raise Http404 from None
    noun = str(row._meta.verbose_name).replace(" ", "_")
    page = {noun: row, "form": form, "back": back, "unavailable_reason": unavailable_reason(), **context()}
    return ctx.render(template, page, status=form.status)


def confirm_deletion(
    ctx: MemberContext, document: Invoice | Quote, delete_draft: Callable[..., None]
) -> HttpResponse:
    """Asks before a draft is deleted by `delete_draft`."""
    noun = document.kind

    def act(form: ConfirmForm) -> HttpResponse:
        delete_draft(document, expected_version=form.cleaned_data["version"], by=ctx.actor, now=ctx.now)
        return ctx.redirect(ctx.url(f"{noun}s"), notice=gettext("The draft is deleted."))

    return confirm(
        ctx,
        document,
        "staff/delete_draft.html",
        form=ConfirmForm(ctx.post_data),
        act=act,
        back=ctx.url(noun, document.pk),
        context=lambda: {"document": document},
        unavailable_reason=lambda: unavailable_message(
            None if document.status == "draft" else Conflict(reason=f"delete_sent_{noun}")
        ),
    )
