-- The escrow that the comparison measures. A trade is one row; what it locks has left the account's balance, so that
--   sum(accounts.balance) + sum(what open trades lock) never changes.
-- phase: 1 paid, 2 delivered, 3 released (the payment waits for the producer), 4 collected, 5 refunded.

CREATE TABLE accounts (
    id      integer PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 50); -- room for updates in place: its rows change all the time

CREATE TABLE trades (
    id         bigint PRIMARY KEY,
    consumer   integer NOT NULL REFERENCES accounts,
    producer   integer NOT NULL REFERENCES accounts CHECK (producer <> consumer),
    price      bigint NOT NULL CHECK (price > 0),
    deposit    bigint NOT NULL CHECK (deposit > 0),
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    deliver_by timestamptz NOT NULL,
    phase      smallint NOT NULL DEFAULT 1 CHECK (phase BETWEEN 1 AND 5),
    secret     bytea CHECK (octet_length(secret) = 32 AND sha256(secret) = digest),
    CHECK ((secret IS NOT NULL) = (phase IN (3, 4)))
) WITH (fillfactor = 50);

-- What is locked in a trade at each phase.
CREATE VIEW locked AS
    SELECT id, CASE phase WHEN 1 THEN price + deposit WHEN 2 THEN price + deposit WHEN 3 THEN price ELSE 0 END AS amount
    FROM trades;

-- The lean form: one call a step, one transaction a call. Each returns the trade, or nothing when the step was refused.

CREATE FUNCTION pay(trade bigint, buyer integer, seller integer, sum bigint, held bigint, lock bytea) RETURNS bigint
LANGUAGE sql AS $$
    WITH paid AS (UPDATE accounts SET balance = balance - sum - held WHERE id = buyer RETURNING id)
    INSERT INTO trades (id, consumer, producer, price, deposit, digest, deliver_by)
    SELECT trade, id, seller, sum, held, lock, now() + interval '1 hour' FROM paid
    RETURNING id
$$;

CREATE FUNCTION deliver(trade bigint, seller integer) RETURNS bigint
LANGUAGE sql AS $$
    UPDATE trades SET phase = 2 WHERE id = trade AND producer = seller AND phase = 1 AND now() <= deliver_by RETURNING id
$$;

-- release gives the deposit back and pays the producer at once: with a trusted operator nobody has to collect.
-- The two accounts are updated in the order of their numbers, so that two trades between the same parties can't deadlock.
CREATE FUNCTION release(trade bigint, preimage bytea) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    t trades;
BEGIN
    UPDATE trades SET phase = 4, secret = preimage WHERE id = trade AND phase = 2 AND digest = sha256(preimage) RETURNING * INTO t;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF t.consumer < t.producer THEN
        UPDATE accounts SET balance = balance + t.deposit WHERE id = t.consumer;
        UPDATE accounts SET balance = balance + t.price WHERE id = t.producer;
    ELSE
        UPDATE accounts SET balance = balance + t.price WHERE id = t.producer;
        UPDATE accounts SET balance = balance + t.deposit WHERE id = t.consumer;
    END IF;
    RETURN t.id;
END
$$;

CREATE FUNCTION refund(trade bigint) RETURNS bigint
LANGUAGE sql AS $$
    WITH t AS (UPDATE trades SET phase = 5 WHERE id = trade AND phase = 1 AND now() > deliver_by RETURNING *)
    UPDATE accounts a SET balance = balance + t.price + t.deposit FROM t WHERE a.id = t.consumer RETURNING t.id
$$;
