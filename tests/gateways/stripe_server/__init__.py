"""A stand-in for Stripe: a small HTTP server whose API, objects, events and checkout page behave as Stripe documents.

Read it in this order:

    server.py       HTTP: a request goes to the API, to the customer's page, or to the control of tests
    front.py        in front of the API: key, version, faults, and the act of the route
    routes.py       the table of the API, with the parameters and the permission of each endpoint
    parameters.py   decodes parameters and checks them against the SDK's own types
    idempotency.py  the same response to the same key
    company.py      accounts, keys, objects and clocks, in memory
    shapes.py       every object with all of its fields
    lists.py        pages of lists, and `expand[]`
    sessions.py, intents.py, charges.py, refunds.py, disputes.py, balance.py, accounts.py, connect.py
                    what the endpoints do, by the resource
    instruments.py, amounts.py
                    the test cards and bank accounts; minimum amounts and steps of currencies
    events.py, delivery.py
                    events, and their signed delivery to webhook endpoints
    pages.py        the customer's side of a session
    onboarding.py   the owner's side of a connected account
    faults.py, control.py
                    the faults that a test injects, and what it plays: banks, the dashboard, the clock
    client.py       a running stand-in as a test holds it
"""
