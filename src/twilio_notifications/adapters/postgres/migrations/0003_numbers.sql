-- Numbers that several connectors draw at the same time: those of requests, and the positions of statuses.

CREATE SEQUENCE numbers_of_requests;
CREATE SEQUENCE numbers_of_statuses;

SELECT setval('numbers_of_requests', GREATEST(
    (SELECT COALESCE(MAX(id), 0) FROM requests),
    (SELECT COALESCE(MAX(number), 0) FROM newest_numbers WHERE name = 'requests')) + 1, false);
SELECT setval('numbers_of_statuses', GREATEST(
    (SELECT COALESCE(MAX(position), 0) FROM statuses),
    (SELECT COALESCE(MAX(number), 0) FROM newest_numbers WHERE name = 'statuses')) + 1, false);
