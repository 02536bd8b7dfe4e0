"""Every route, field, parameter, header and file takes anything without a server error.

The URL table, the pages' own forms and links say what to try. Of the cross of all places and all texts a run tries a
sample, always the same one; `make fuzz` tries all of it, on both databases.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from tests.attacks import nasty_texts
from tests.attacks.nasty_texts import BODIES, MAX_PATH, MULTIPART, TEXTS, multipart
from tests.attacks.site import ROUTES, Failure, FormOfPage, Site, encoded, form_body

# "all", or the number of attempts.
FUZZ = os.environ.get("PARTWAY_FUZZ", "120")
RANDOM_EXAMPLES = 2_000 if FUZZ == "all" else 30
ROWS = 2 if FUZZ == "120" else 40

Attempt = Callable[[], Failure | None]
# A place that takes a text, with its name.
Place = tuple[str, Callable[[str], Failure | None]]

# Fields that forms of Django and of Partway read beside those that a page shows.
UNSHOWN_FIELDS = (
    *("next", "initial", "operation", "idempotency_key", "version", "csrfmiddlewaretoken"),
    *("lines-TOTAL_FORMS", "lines-INITIAL_FORMS", "lines-MIN_NUM_FORMS", "lines-MAX_NUM_FORMS"),
    *(
        "lines.9999.description",
        "lines.99999999999.unit_amount",
        "lines.0.quantity",
        "lines.__prefix__.quantity",
    ),
)
UNSHOWN_PARAMETERS = ("page", "q", "sort", "next", "before", "by", "kind", "customer", "status", "operation")
HEADERS = (
    *(
        "accept",
        "accept-language",
        "accept-encoding",
        "referer",
        "origin",
        "x-forwarded-for",
        "x-forwarded-proto",
    ),
    *("host", "if-modified-since", "if-none-match", "range", "user-agent", "hx-target", "hx-current-url"),
    *("cookie", "x-csrftoken", "authorization", "webhook-id", "webhook-timestamp", "webhook-signature"),
)
COOKIES = ("sessionid", "csrftoken", "messages", "django_language", "unknown")


@pytest.fixture
def site(db: None, settings: Settings) -> Site:
    """The site; its gateway refuses connections at once."""
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    return Site()


def path_places(site: Site) -> Iterator[Place]:
    for route in ROUTES:
        for name in site.parameters(route):
            for method in ("get", "post"):

                def attempt(
                    text: str, route: str = route, name: str = name, method: str = method
                ) -> Failure | None:
                    path = site.path(route, {name: encoded(text[:MAX_PATH])})
                    return site.send("owner", method, path)

                yield f"{method} {route} {name}", attempt


def field_places(site: Site, forms: list[FormOfPage]) -> Iterator[Place]:
    for form in forms:
        unshown = UNSHOWN_FIELDS if form.method == "post" else UNSHOWN_PARAMETERS
        for name in dict.fromkeys([*dict(form.fields), *unshown]):
            yield f"{form.method} {form.path} {name}", partial(send_form, site, form, name)


def send_form(site: Site, form: FormOfPage, name: str, text: str) -> Failure | None:
    content = form_body([*((key, value) for key, value in form.fields if key != name), (name, text)])
    if form.method == "post":
        return site.send(form.client, "post", form.path, body=content)
    return site.send(form.client, "get", form.path, query=content.decode())


def header_places(site: Site) -> Iterator[Place]:
    pages = (site.path("o/<slug:slug>/invoices/", {}), site.path("i/<str:token>/", {}), "/signin/")
    account = site.path("callbacks/<slug:account_id>/", {})
    for path in pages:
        for name in HEADERS:
            yield (
                f"{path} {name}",
                lambda text, path=path, name=name: send_header(site, "get", path, name, text),
            )
        for cookie in COOKIES:
            yield (
                f"{path} cookie {cookie}",
                lambda text, path=path, cookie=cookie: send_header(
                    site, "get", path, "cookie", f"{cookie}={text}"
                ),
            )
    for name in HEADERS:
        yield f"callback {name}", lambda text, name=name: send_header(site, "post", account, name, text)
    yield (
        "callback body",
        lambda text: site.send("visitor", "post", account, body=text.encode("utf-8", "surrogatepass")),
    )


def send_header(site: Site, method: str, path: str, name: str, text: str) -> Failure | None:
    # As a server passes it on: bytes read as Latin-1, without the characters that end a header.
    value = text.encode("utf-8", "surrogatepass").decode("latin-1")[:8_000]
    value = value.translate({0: None, 10: None, 13: None})
    client = "visitor" if name == "cookie" else "owner"
    return site.send(client, method, path, headers={name: value})


def other_attempts(site: Site, forms: list[FormOfPage]) -> Iterator[Attempt]:
    """Yields what takes no text: bodies that are not what they say, files, and methods."""
    logo = site.path("o/<slug:slug>/settings/logo/", {})
    for filename, content in nasty_texts.files().values():
        body = multipart("logo", filename, content)
        yield partial(site.send, "owner", "post", logo, body=body, content_type=MULTIPART)
    posts = sorted({(form.client, form.path) for form in forms if form.method == "post"})
    for client, path in [*posts, ("visitor", site.path("callbacks/<slug:account_id>/", {}))]:
        for kind, body in BODIES:
            yield partial(site.send, client, "post", path, body=body, content_type=kind)
    for route in ROUTES:
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
            yield partial(site.send, "owner", method, site.path(route, {}))
    for text in TEXTS:
        yield partial(site.send, "owner", "get", f"/{encoded(text[:MAX_PATH])}")
        yield partial(
            site.send, "owner", "get", site.path("o/<slug:slug>/invoices/", {}), query=encoded(text)
        )


def attempts(site: Site, forms: list[FormOfPage]) -> list[Attempt]:
    """Returns the attempts of this run: all, or a sample of them."""
    places = [*path_places(site), *field_places(site, forms), *header_places(site)]
    everything = [*other_attempts(site, forms)]
    assert len(places) > 700, "the forms were not found"
    everything += [partial(attempt, text) for _, attempt in places for text in TEXTS]
    if FUZZ == "all":
        return everything
    return random.Random(18).sample(everything, int(FUZZ))  # noqa: S311


@pytest.mark.long(30)
@pytest.mark.left_to(
    "sqlite"
)  # both databases refuse the same texts, which the tests of forms and of the API show
def test_no_route_or_field_causes_server_error(site: Site) -> None:
    forms = site.forms(ROWS)  # takes as long as all attempts, so the two parts share it
    failures: list[Failure] = []
    for attempt in attempts(site, forms):
        if (failure := attempt()) is not None:
            print(failure, flush=True)  # `make fuzz` runs for long; what it found must not wait for its end
            failures.append(failure)
    by_exception = {failure.exception: failure for failure in failures}
    assert not failures, f"{len(failures)} of {len(by_exception)} kinds:\n" + "\n".join(
        f"{sum(each.exception == kind for each in failures)} × {kind}\n    {failure.attempt}"
        for kind, failure in by_exception.items()
    )
    send_random_texts_in_several_fields(site, forms)


def send_random_texts_in_several_fields(site: Site, forms: list[FormOfPage]) -> None:
    texts = st.sampled_from(TEXTS) | st.text(max_size=40)

    @hypothesis_settings(
        max_examples=RANDOM_EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=FUZZ != "all",
    )
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(forms), "form")
        names = [*dict(form.fields), *(UNSHOWN_FIELDS if form.method == "post" else UNSHOWN_PARAMETERS)]
        changed = data.draw(st.dictionaries(st.sampled_from(names), texts, min_size=1, max_size=4), "changed")
        content = form_body(list({**dict(form.fields), **changed}.items()))
        if form.method == "post":
            failure = site.send(form.client, "post", form.path, body=content)
        else:
            failure = site.send(form.client, "get", form.path, query=content.decode())
        assert failure is None, failure

    fuzz()
