"""The stage bar: paid solid, requested hatched, left empty; no inline style, which our pages forbid."""

from __future__ import annotations

import secrets
from html import escape

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from partway.lib.money import Money

from ..formats import format_money

_MIN_PERCENT = 1.5  # a part that exists is visible, and a bar that is not full does not look full

_HATCH = (
    '<pattern id="{0}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="stage-hatch-ground" width="6" height="6"/>'
    '<line class="stage-hatch-line" x1="1" y1="0" x2="1" y2="6"/></pattern>'
)


def stage_bar(total: Money, paid: Money, requested: Money | None = None, size: str = "") -> SafeString:
    """An SVG as wide as its place; `size` "large" for the page that is about this invoice."""
    asked = requested or Money(0, total.currency)
    amounts = {
        "paid": format_money(paid),
        "total": format_money(total),
        "requested": format_money(asked),
    }
    label = (
        _("Paid %(paid)s of %(total)s, %(requested)s requested") if asked else _("Paid %(paid)s of %(total)s")
    )
    first, second = stage_widths(total.amount_minor, paid.amount_minor, asked.amount_minor)
    kind = "stage-bar stage-bar-large" if size == "large" else "stage-bar"
    return _drawing(first, second, label=label % amounts, kind=kind)


def stage_legend(
    total: Money, paid: Money, requested: Money | None = None, requested_word: str | Promise = ""
) -> SafeString:
    """The parts of the bar with their amounts, each beside a sample of how it is drawn."""
    asked = requested or Money(0, total.currency)
    rest = Money(max(0, total.amount_minor - paid.amount_minor - asked.amount_minor), total.currency)
    parts = [
        (_drawing(100, 0), _("Paid"), format_money(paid)),
        (_drawing(0, 100), requested_word or _("Requested"), format_money(asked)),
        (_drawing(0, 0), _("Left"), format_money(rest)),
    ]
    shown = parts if asked else [parts[0], parts[2]]
    items = format_html_join("", '<li>{}{} <span class="amount">{}</span></li>', shown)
    return format_html('<ul class="stage-legend">{}</ul>', items)


def _drawing(first: float, second: float, *, label: str = "", kind: str = "stage-bar") -> SafeString:
    # Not by format_html, which takes five times as long; only the label has a text from outside.
    name = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    parts = ['<rect class="stage-left" width="100%" height="100%"/>']
    if first:
        parts.append(f'<rect class="stage-paid" width="{first:g}%" height="100%"/>')
    if second:
        hatch = f"hatch-{secrets.token_hex(4)}"  # unique in a page that shows many bars
        at = f'x="{first:g}%" width="{second:g}%" height="100%"'
        parts += [_HATCH.format(hatch), f'<rect class="stage-requested" {at} fill="url(#{hatch})"/>']
    return SafeString(f'<svg class="{kind}" {name}>{"".join(parts)}</svg>')


def stage_widths(total: int, paid: int, requested: int) -> tuple[float, float]:
    """Returns how much of the bar is paid and requested, in percent. A total of nothing is an empty bar."""
    if total <= 0:
        return 0, 0
    first = min(_visible(paid, total), 100 if paid >= total else 100 - _MIN_PERCENT)
    second = min(_visible(requested, total), 100 - first)
    if first + second > 100 - _MIN_PERCENT and paid + requested < total:
        over = first + second - (100 - _MIN_PERCENT)
        return (first, second - over) if second > over else (first - over, second)
    return first, second


def _visible(part: int, total: int) -> float:
    return 0 if part <= 0 else min(100, max(_MIN_PERCENT, round(part * 100 / total, 2)))
