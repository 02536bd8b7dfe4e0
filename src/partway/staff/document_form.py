"""The form that invoices and quotes are written in: a customer, a currency, lines and a discount.

Fields of a line are named as billing names their errors: `lines.0.quantity`. Rows without a description and a price
are spare and do not count, so the rows are numbered anew before anything else reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Self

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import Organization
from partway.billing.documents.drafts import LineDraft
from partway.billing.errors import FieldError
from partway.billing.models import Customer, Invoice, Party, Quote
from partway.billing.models.documents import DiscountKind
from partway.billing.people import customers
from partway.billing.people.customers import CustomerDetails
from partway.delivery.formats import example_amount
from partway.delivery.messages.printing import unprintable_in_document
from partway.lib.money import EXPONENTS, Money

from . import customer_search
from .context import MemberContext
from .forms import (
    MAX_SEARCH_LENGTH,
    DependentFieldsForm,
    HiddenNumberField,
    IdempotencyKeyField,
    MoneyField,
    NumberField,
    PercentField,
    normalize,
    query_text,
    set_currency,
    text_field,
)

NEW_CUSTOMER = "new"  # no id: those begin with cus_
COLUMNS = ("description", "quantity", "unit_amount", "tax_percent")
_SPARE_ROWS = 3
_MAX_ROWS = 250  # of a page; billing has a lower limit of its own, with a sentence for it
_LINE = re.compile(r"lines\.(\d{1,4})\.(description|quantity|unit_amount|tax_percent)", re.ASCII)


class LineForm(forms.Form):
    """One row of the editor."""

    description = forms.CharField(error_messages={"required": _("Say what this line is for.")})
    quantity = NumberField()
    unit_amount = MoneyField()
    tax_percent = PercentField(required=False)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_currency(self, currency)

    def add_prefix(self, field_name: str) -> str:
        """Returns the name of a field as billing names it in errors: `lines.0.quantity` for the prefix `lines-0`."""
        return f"{self.prefix}.{field_name}".replace("-", ".")

    def clean_unit_amount(self) -> Money:
        """Refuses a negative price."""
        price: Money = self.cleaned_data["unit_amount"]
        if price.amount_minor < 0:
            example = {"example": example_amount(price.currency)}
            raise forms.ValidationError(_("Enter a price of zero or more, like %(example)s."), params=example)
        return price

    def line(self) -> LineDraft:
        """Returns the line of a valid row."""
        typed = self.cleaned_data
        return LineDraft(
            description=typed["description"],
            quantity=typed["quantity"],
            unit_amount_minor=typed["unit_amount"].amount_minor,
            tax_percent=typed["tax_percent"],
        )


LineFormSet = forms.formset_factory(LineForm, extra=0, max_num=_MAX_ROWS, absolute_max=_MAX_ROWS)


class DocumentForm(DependentFieldsForm):
    """The fields that the forms of invoices and quotes share.

    With `totals_only` the fields of `no_totals` are left out: for whom and until when changes no total.
    """

    no_totals: ClassVar[tuple[str, ...]] = ("customer", "new_customer_name", "new_customer_email")
    find_customer = "find_customer"  # the operation of the button beside the search
    depends_on = {
        "new_customer_name": ("customer", (NEW_CUSTOMER,)),
        "new_customer_email": ("customer", (NEW_CUSTOMER,)),
        "discount_percent": ("discount_kind", ("percent",)),
        "discount_amount": ("discount_kind", ("amount",)),
    }

    customer = text_field()
    customer_search = text_field()
    customer_searched = text_field()  # the search of which the page shows what was found
    new_customer_name = text_field()
    new_customer_email = text_field()
    currency = text_field()
    notes = text_field()
    discount_kind = text_field()
    discount_percent = PercentField()
    discount_amount = MoneyField()
    version = HiddenNumberField()
    idempotency_key = IdempotencyKeyField()  # of a new document; one that exists has its version

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        organization: Organization,
        initial: Mapping[str, Any] | None = None,
        lines: Sequence[Mapping[str, Any]] = (),
        totals_only: bool = False,
    ) -> None:
        super().__init__(None if data is None else _numbered(normalize(data)), initial=initial)
        self.organization = organization
        for name in self.no_totals if totals_only else ():
            del self.fields[name]
        typed = str(self["currency"].value() or "").strip().upper()
        # Amounts in an unknown currency are parsed in one that exists, so that their errors show as well.
        self._parse_currency = typed if typed in EXPONENTS else "USD"
        set_currency(self, self._parse_currency)
        self.lines = LineFormSet(
            self.data if self.is_bound else None,
            initial=lines,
            prefix="lines",
            form_kwargs={"currency": self._parse_currency},
        )

    def clean_customer(self) -> Customer | str:
        """Finds the customer in this organization; returns NEW_CUSTOMER where one is to be added."""
        if self.cleaned_data["customer"] == NEW_CUSTOMER:
            return NEW_CUSTOMER
        mine = Customer.objects.for_organization(self.organization)
        found = mine.filter(pk=self.cleaned_data["customer"]).first()
        if found is None:
            raise forms.ValidationError(_("Choose a customer."))
        return found

    def clean_currency(self) -> str:
        """Refuses a currency that does not exist."""
        if self.cleaned_data["currency"].upper() not in EXPONENTS:
            raise forms.ValidationError(_("Write the three letters of a currency, like USD."))
        return self._parse_currency

    def clean_discount_kind(self) -> str:
        """Refuses a kind that does not exist."""
        kind: str = self.cleaned_data["discount_kind"]
        if kind not in DiscountKind.values:
            raise forms.ValidationError(_("Choose no discount, a percentage or an amount."))
        return kind

    def clean(self) -> None:
        """Adds the errors of a new customer and of the lines, under the names that billing uses."""
        super().clean()
        if self.cleaned_data.get("customer") == NEW_CUSTOMER:
            # Billing finds them too, but only once no field is wrong.
            name, email = self.cleaned_data["new_customer_name"], self.cleaned_data["new_customer_email"]
            wrong = customers.field_errors(CustomerDetails(name=name, email=email))
            self.add_field_errors({f"new_customer_{name}": error for name, error in wrong.items()})
        for line in self.lines:
            for name, errors in line.errors.items():
                self.errors[line.add_prefix(name)] = errors

    def add_field_errors(self, fields: Mapping[str, FieldError | str]) -> None:
        """Sets the sentences of field errors, those of lines in their rows."""
        super().add_field_errors(fields)
        for line in self.lines:
            for name in COLUMNS:
                if line.add_prefix(name) in self.errors:
                    line.errors[name] = self.errors[line.add_prefix(name)]

    def content(self) -> dict[str, Any]:
        """Returns the fields that a draft of an invoice and one of a quote share."""
        typed = self.cleaned_data
        customer, new_customer = typed.get("customer", Customer()), None
        if customer == NEW_CUSTOMER:
            name, email = typed["new_customer_name"], typed["new_customer_email"]
            customer, new_customer = Customer(), CustomerDetails(name=name, email=email)
        return {
            "customer": customer,
            "new_customer": new_customer,
            "currency": typed["currency"],
            "lines": tuple(line.line() for line in self.lines),
            "discount_kind": typed["discount_kind"],
            "discount_percent": typed["discount_percent"] or Decimal(0),
            "discount_amount_minor": minor(typed["discount_amount"]),
            "notes": typed["notes"],
        }

    def unprintable_message(self, document: Invoice | Quote | None) -> str:
        """Returns which typed characters the document of this form cannot print; empty when it prints all.

        Reads what was typed, valid or not. A sent document keeps its parties.
        """
        texts = self.data if self.is_bound else self.initial
        customer = Customer(name=texts.get("new_customer_name", ""))
        if texts.get("customer") != NEW_CUSTOMER:
            mine = Customer.objects.for_organization(self.organization)
            customer = mine.filter(pk=texts.get("customer")).first() or customer
        typed = Party.of_customer(customer)
        return unprintable_in_document(
            seller=document.seller if document else Party.of_seller(self.organization),
            recipient=document.recipient if document and document.status != "draft" else typed,
            descriptions=[line["description"].value() or "" for line in self.lines],
            notes=self["notes"].value() or "",
        )

    @property
    def continues(self) -> bool:
        """Whether the form was sent to be shown again: with more lines, or with the customers that a search finds.

        Enter in the search presses the button that saves; customers that were not seen yet come first.
        """
        typed = self.data
        if typed.get("operation") in ("add_lines", self.find_customer):
            return True
        return bool(typed.get("customer_search", "").strip() != typed.get("customer_searched", "").strip())

    def unbound(self) -> Self:
        """Returns the same texts as a form that was not sent, so that nothing is checked yet."""
        lines = [{name: line[name].value() for name in COLUMNS} for line in self.lines]
        return type(self)(organization=self.organization, initial=self.data, lines=lines)

    def rows(self, *, tax_percent: str = "", more: bool = False) -> list[LineForm]:
        """Returns the lines, and spare rows after them where there are none yet or `more` are asked for."""
        lines = list(self.lines)
        first = {"quantity": "1", "tax_percent": tax_percent}
        spare = range(len(lines), len(lines) + (_SPARE_ROWS if more or not lines else 0))
        return lines + [
            LineForm(prefix=f"lines-{number}", initial=first, currency=self._parse_currency)
            for number in spare
        ]


def _numbered(texts: dict[str, str]) -> dict[str, str]:
    """Returns the texts with the lines numbered from 0 without gaps, and the counts that a formset reads."""
    rows: dict[int, dict[str, str]] = {}
    for name in list(texts):
        if found := _LINE.fullmatch(name):
            rows.setdefault(int(found[1]), {})[found[2]] = texts.pop(name)
    # A spare row has a quantity and a tax, which alone say nothing.
    kept = [
        row
        for _position, row in sorted(rows.items())
        if row.get("description", "").strip() or row.get("unit_amount", "").strip()
    ][:_MAX_ROWS]  # a form for each of ten thousand rows would take a minute
    for position, row in enumerate(kept):
        texts |= {f"lines.{position}.{column}": text for column, text in row.items()}
    return {**texts, "lines-TOTAL_FORMS": str(len(kept)), "lines-INITIAL_FORMS": str(len(kept))}


def stored_content(document: Invoice | Quote) -> dict[str, Any]:
    """Returns `initial` and `lines` of the form for a stored document."""
    currency = document.currency
    initial = {
        "customer": document.customer_id,
        "currency": currency,
        "notes": document.notes,
        "discount_kind": document.discount_kind,
        "discount_percent": document.discount_percent or "",
        "discount_amount": amount_or_blank(document.discount_amount_minor, currency),
        "version": str(document.version),
    }
    lines = [
        {
            "description": line.description,
            "quantity": line.quantity,
            "unit_amount": Money(line.unit_amount_minor, currency),
            "tax_percent": line.tax_percent or "",
        }
        for line in document.lines.all()
    ]
    return {"initial": initial, "lines": lines}


def amount_or_blank(amount_minor: int, currency: str) -> Money | str:
    """Returns the initial value of a money field: empty where there is no amount."""
    return Money(amount_minor, currency) if amount_minor else ""


def minor(amount: Money | None) -> int:
    """Returns the minor units of an amount; 0 for None."""
    return amount.amount_minor if amount else 0


def first_customer(ctx: MemberContext) -> str:
    """Returns what a new document chooses first: the customer of the address; a new one where there is none yet."""
    has_customers = Customer.objects.for_organization(ctx.organization).exists()
    return query_text(ctx.request.GET, "customer") or ("" if has_customers else NEW_CUSTOMER)


def render_editor(
    ctx: MemberContext, template: str, form: DocumentForm, context: Mapping[str, Any]
) -> HttpResponse:
    """Renders the page of an editor with the customers to choose from; these alone for a search while one types."""
    typed = str(form["customer_search"].value() or "").strip()[:MAX_SEARCH_LENGTH]
    chosen = str(form["customer"].value() or "")
    is_asked = ctx.request.POST.get("operation") == form.find_customer
    found = customer_search.choices(ctx.organization, typed=typed, chosen_id=chosen, is_asked=is_asked)
    if ctx.request.headers.get("HX-Target") == "customer-choices":
        template = "staff/parts/customer_choices.html"
    customers = {"found": found, "search": typed, "chosen": chosen, "new": NEW_CUSTOMER}
    return ctx.render(template, {**context, "form": form, "customers": customers}, status=form.status)
