-- What was rejected is kept for a shorter time than the rest: its oldest rows are found without reading the others.

CREATE INDEX requests_rejections ON requests (finished_at) WHERE state = 'REPORTED' AND phone_number IS NULL;
