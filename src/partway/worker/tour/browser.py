"""A minimal browser without JavaScript: opens pages, reads their text, and submits their forms."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx

_WITHOUT_TEXT = {"script", "style", "title", "template"}
_TIMEOUT_SECONDS = 30


class TourFailed(AssertionError):
    """A page is not what a step expects; the message says what is different."""


@dataclass
class Form:
    """A form of a page: where it is sent, and the values of its fields."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """The response to one request: final URL, status, visible text, forms and links."""

    url: str
    status: int
    text: str
    forms: list[Form]
    links: list[str]

    @classmethod
    def read(cls, url: str, status: int, html: str) -> Page:
        """Returns the page of this HTML."""
        reader = _Reader(url)
        reader.feed(html)
        return cls(url, status, " ".join("".join(reader.text).split()), reader.forms, reader.links)

    def assert_contains(self, *texts: str) -> Page:
        """Returns this page if it contains all `texts`, else raises TourFailed."""
        for text in texts:
            if text not in self.text:
                raise TourFailed(f"{self.url} does not contain “{text}”. Its text: {self.text[:1500]}")
        return self

    def assert_status(self, status: int) -> Page:
        """Returns this page if it has this HTTP status, else raises TourFailed."""
        if self.status != status:
            raise TourFailed(f"{self.url} has status {self.status}, not {status}: {self.text[:600]}")
        return self

    def form(self, *, with_field: str = "", value: str = "", to: str = "") -> Form:
        """Returns the first form with the field `with_field` (and `value`) whose action ends in `to`."""
        for form in self.forms:
            holds = not with_field or (with_field in form.fields and value in ("", form.fields[with_field]))
            if holds and urlsplit(form.action).path.endswith(to):
                return form
        raise TourFailed(f"{self.url} has no form {with_field or to}. Its text: {self.text[:600]}")

    def has_form(self, to: str) -> bool:
        """Returns whether the action of a form ends in `to`."""
        return any(urlsplit(form.action).path.endswith(to) for form in self.forms)


class HttpBrowser(AbstractContextManager["HttpBrowser"]):
    """A browser with cookies of its own."""

    def __init__(self) -> None:
        self._client = httpx.Client(follow_redirects=True, trust_env=False, timeout=_TIMEOUT_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def open(self, url: str) -> Page:
        """Opens a URL and follows redirects."""
        return self._page(self._client.get(url))

    def submit(self, form: Form, **typed: str) -> Page:
        """Submits a form with `typed` in place of its values, with the headers of a browser on the same origin."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(form.action))
        headers = {"Origin": origin, "Referer": form.action}
        data = {**form.fields, **typed}
        return self._page(self._client.request(form.method, form.action, data=data, headers=headers))

    def _page(self, response: httpx.Response) -> Page:
        return Page.read(str(response.url), response.status_code, response.text)


class _Reader(HTMLParser):
    """Collects the visible text, the forms and the links of a page."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.text: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._skipping = ""
        self._form: Form | None = None
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag in _WITHOUT_TEXT:
            self._skipping = tag
        elif tag == "form":
            url = urljoin(self.url, values.get("action") or self.url)
            self._form = Form(url, values.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "a":
            self.links.append(urljoin(self.url, values.get("href", "")))
        elif self._form is not None:
            self._add_field(tag, values, self._form.fields)

    def _add_field(self, tag: str, values: dict[str, str], fields: dict[str, str]) -> None:
        name = values.get("name", self._select if tag == "option" else "")
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            fields.setdefault(name, "")
        elif tag == "option":
            if name not in fields or "selected" in values:
                fields[name] = values.get("value", "")
        elif tag == "input" and _is_sent(values):
            fields[name] = values.get("value", "on" if values.get("type") == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipping:
            self._skipping = ""
        elif tag == "form":
            self._form = None
        elif tag in ("select", "textarea"):
            self._select = self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea and self._form is not None:
            self._form.fields[self._textarea] += data
        elif not self._skipping:
            self.text.append(data)


def _is_sent(attributes: dict[str, str]) -> bool:
    """Returns whether a browser sends this input untouched: it has a name, is no button, and no unchecked box."""
    kind = attributes.get("type", "text")
    if not attributes.get("name"):
        return False
    if kind in ("checkbox", "radio"):
        return "checked" in attributes
    return kind not in ("submit", "button", "image")
