-- The tables and the procedure of the floor, in a schema of its own: what it writes stays out of the books.
DROP SCHEMA IF EXISTS floor CASCADE;
CREATE SCHEMA floor;
CREATE TABLE floor.invoice (id integer PRIMARY KEY, due_minor bigint NOT NULL, status text NOT NULL);
CREATE TABLE floor.request (invoice_id integer PRIMARY KEY, status text NOT NULL);
CREATE TABLE floor.payment (id text PRIMARY KEY, invoice_id integer NOT NULL, amount_minor bigint NOT NULL);
CREATE TABLE floor.event (id text PRIMARY KEY, type text NOT NULL, data jsonb NOT NULL, at timestamptz NOT NULL);
CREATE TABLE floor.outbox (id text PRIMARY KEY, kind text NOT NULL, data jsonb NOT NULL, due_at timestamptz NOT NULL);
CREATE INDEX ON floor.payment (invoice_id);
CREATE INDEX ON floor.event (at);
CREATE INDEX ON floor.outbox (due_at);
INSERT INTO floor.invoice SELECT n, 1000000000, 'sent' FROM generate_series(0, 99) n;
INSERT INTO floor.request SELECT n, 'open' FROM generate_series(0, 99) n;
CREATE FUNCTION floor.settle(of_invoice integer, new_id text, paid_minor bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE left_minor bigint;
BEGIN
    UPDATE floor.invoice SET due_minor = due_minor - paid_minor WHERE id = of_invoice AND due_minor >= paid_minor
        RETURNING due_minor INTO left_minor;
    INSERT INTO floor.payment VALUES (new_id, of_invoice, paid_minor);
    UPDATE floor.request SET status = 'open' WHERE invoice_id = of_invoice;
    INSERT INTO floor.event VALUES (new_id, 'payment.succeeded', jsonb_build_object('amount', paid_minor), now());
    INSERT INTO floor.outbox VALUES (new_id, 'receipt', jsonb_build_object('amount', paid_minor), now());
    RETURN left_minor;
END $$;
