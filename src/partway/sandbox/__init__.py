"""Sandbox Pay, the pretend payment company: its own process, tables and pages; no real money moves.

`python -m partway.sandbox --home DIR --port N` runs it. A merchant uses its HTTP API (api.py); a customer pays on its
pages (checkout_pages.py). To pay without a browser, post the form below the checkout's `url`:

    POST {url}/pay      number=4242424242424242                          a card, see instruments.py
    POST {url}/pay      method=bank_debit&account=000123456789           a bank debit
    POST {url}/confirm  confirmation=<hidden field of the page>&decision=confirm

303 leads back to the merchant; 402 is a decline, after which the same checkout can be paid another way; 409 means
already paid, 410 closed, 422 a form with an error. There are no cookies: the address is the only right to pay, and
posts that a browser sends from another site are refused (same_origin.py).
"""
