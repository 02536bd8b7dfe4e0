"""The response that fills a frame with the HTML of a mail: its styles and links to new tabs work, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.template.loader import render_to_string

from partway.billing import links
from partway.billing.errors import BillingError
from partway.billing.models import Mail
from partway.delivery.mail import failures, rendering
from partway.delivery.mail.content import required
from partway.delivery.mail.rendering import SenderInvalid
from partway.delivery.messages.mails import mail_error_message

from .forms import StaffForm

_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


def response(html: str, *, headers: str = "", status: int = 200) -> HttpResponse:
    """Returns a mail for a frame of a staff page; `headers` is HTML that is shown above it."""
    # Payment pages refuse to be framed, so every link of the mail opens in a tab of its own.
    html = html.replace("<head>", '<head><base target="_blank">', 1)
    head, tag, body = html.partition("<body")
    attributes, end, content = body.partition(">")
    return HttpResponse(
        "".join([head, tag, attributes, end, headers, content]),
        status=status,
        headers={"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": _POLICY},
    )


def preview(form: StaffForm, unsaved_mail: Callable[[], Mail]) -> HttpResponse:
    """Returns the mail that `form` would send, with its headers above, or why it cannot be shown; sends nothing.

    unsaved_mail: makes the mail with its rows, none of which is stored; raises the BillingError that sending would
    raise. The link of the mail has dots in place of its token: it would be a dead one if it were passed on.
    """
    if form.is_valid():
        try:
            mail = unsaved_mail()
            message = rendering.message(mail)
        except BillingError as error:
            form.add_billing_error(error)
        except SenderInvalid as error:  # an imported address of the organization, by which no mail leaves
            failure = failures.classify(error)
            form.refuse(mail_error_message(failure.code, failure.params), status=409)
        else:
            request = mail.payment_request
            path = links.link_path(request if request is not None else required(mail.event))
            masked = f"{path.rstrip('/').rpartition('/')[0]}/…/"
            headers = render_to_string("staff/parts/preview_headers.html", {"mail": mail, "message": message})
            return response(str(message.alternatives[0][0]).replace(path, masked), headers=headers)
    refused = render_to_string("staff/parts/preview_refused.html", {"form": form})
    return response(refused, status=form.status)
