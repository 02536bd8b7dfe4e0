"""Checks that lists sort and search by keys of the texts that they show."""

from __future__ import annotations

from django.db.models import F, Q

from ..models import Adjustment, Customer, Invoice, Party, Payment, Quote, Refund
from ..models.search_index import is_in_index
from ..models.text_keys import text_keys
from .checks import Findings, Rows, TableCheck, check, no_rows_where


def _wrong_keys(rows: Rows) -> Findings:
    keys = text_keys(rows.model)
    columns = {*(key.attname for key in keys), *(name for key in keys for name in key.sources)}
    for row in rows.values("pk", *columns).iterator():
        for key in keys:
            stored, computed = row[key.attname], key.compute(row)
            if (bytes(stored) if isinstance(computed, bytes) else stored) != computed:
                texts = ", ".join(str(row[name]) for name in key.sources)
                yield row["pk"], f"its {key.attname} is not that of {texts}"


def _not_in_search_index(rows: Rows) -> Findings:
    for pk in (
        rows.alias(is_found=is_in_index(rows.model)).filter(is_found=False).values_list("pk", flat=True)
    ):
        yield pk, "its search_key is not in the search index"


CHECKS = (
    check(
        "M6",
        "sort keys and search keys are those of their texts",
        *(
            TableCheck(model, _wrong_keys)
            for model in (Customer, Party, Invoice, Quote, Payment, Refund, Adjustment)
        ),
    ),
    check(
        "M6",
        "the search index finds each row by its key",
        *(
            TableCheck(model, _not_in_search_index)
            for model in (Customer, Party, Invoice, Quote, Payment, Refund, Adjustment)
        ),
    ),
    check(
        "M6",
        "documents are sorted by the present name of their customer",
        *(
            no_rows_where(
                model, ~Q(customer_key=F("customer__sort_key")), "its customer_key is not that of {customer}"
            )
            for model in (Invoice, Quote)
        ),
    ),
)
