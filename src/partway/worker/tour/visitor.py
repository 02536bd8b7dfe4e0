"""Somebody with a browser and no JavaScript: opens pages, reads them, fills in the forms that stand there."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx

_TEXTLESS = {"script", "style", "title", "template"}
_TIMEOUT_SECONDS = 30


class TourFailed(AssertionError):
    """A page was not what the story says it must be."""


@dataclass
class Form:
    """A form as it stands on a page: where it goes, and what its fields hold."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """What came back for one address."""

    url: str
    status: int
    text: str
    forms: list[Form]
    links: list[str]

    def assert_contains(self, *message: str) -> Page:
        """This page, if it says all of `words`; else Surprise."""
        for said in message:
            if said not in self.text:
                raise TourFailed(f"{self.url} does not say “{said}”. It says: {self.text[:1500]}")
        return self

    def assert_status(self, status: int) -> Page:
        """This page, if it came with this HTTP status; else Surprise."""
        if self.status != status:
            raise TourFailed(f"{self.url} request_finished {self.status}, not {status}: {self.text[:600]}")
        return self

    def form(self, *, with_field: str = "", value: str = "", to: str = "") -> Form:
        """The first form that has the field `with_field` (with `value`) and leads to an address that ends in `to`."""
        for form in self.forms:
            holds = not with_field or (with_field in form.fields and value in ("", form.fields[with_field]))
            if holds and urlsplit(form.action).path.endswith(to):
                return form
        raise TourFailed(f"{self.url} has no form {with_field or to}. It says: {self.text[:600]}")

    def has_form(self, to: str) -> bool:
        """Whether a form leads to an address that ends in `to`."""
        return any(urlsplit(form.action).path.endswith(to) for form in self.forms)


class HttpBrowser:
    """One browser with its cookies."""

    def __init__(self) -> None:
        self._client = httpx.Client(follow_redirects=True, trust_env=False, timeout=_TIMEOUT_SECONDS)

    def __enter__(self) -> HttpBrowser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def open(self, url: str) -> Page:
        """Look at an address."""
        return _read(self._client.get(url))

    def submit(self, form: Form, **typed: str) -> Page:
        """Send a form with `typed` over what its fields held, as a browser would from its page."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(form.action))
        headers = {"Origin": origin, "Referer": form.action}
        return _read(
            self._client.request(form.method, form.action, data={**form.fields, **typed}, headers=headers)
        )


def _read(response: httpx.Response) -> Page:
    reader = _Reader(str(response.url))
    reader.feed(response.text)
    return Page(
        str(response.url),
        response.status_code,
        " ".join("".join(reader.message).split()),
        reader.forms,
        reader.links,
    )


class _Reader(HTMLParser):
    """Collects the visible text, the forms and the links of a page."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.message: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._skipping = ""
        self._form: Form | None = None
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attributes}
        if tag in _TEXTLESS:
            self._skipping = tag
        elif tag == "form":
            self._form = Form(urljoin(self.url, held.get("action") or self.url), held.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "a":
            self.links.append(urljoin(self.url, held.get("href", "")))
        elif self._form is not None:
            self._take_field(tag, held, self._form)

    def _take_field(self, tag: str, held: dict[str, str], form: Form) -> None:
        name = held.get("name", self._select if tag == "option" else "")
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            form.fields.setdefault(name, "")
        elif tag == "option":
            if name not in form.fields or "selected" in held:
                form.fields[name] = held.get("value", "")
        elif tag == "input" and name:
            self._take_input(name, held, form)

    def _take_input(self, name: str, held: dict[str, str], form: Form) -> None:
        chosen = held.get("type") not in ("checkbox", "radio") or "checked" in held
        if chosen and held.get("type") not in ("submit", "button", "image"):
            form.fields[name] = held.get("value", "on" if held.get("type") == "checkbox" else "")

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
            self.message.append(data)
