-- Limits for the account ([limits] texts_per_hour and the like) that several connectors use up: each of them
-- takes some of a window ahead, so that its texts change a row of its own. What is taken is a part of
-- usage.used; what was really used is usage.used without what is here.

CREATE TABLE reservations (
    member BIGINT NOT NULL,                                 -- its token
    scope  TEXT NOT NULL,
    since  DOUBLE PRECISION NOT NULL,                       -- when the window began
    unused BIGINT NOT NULL CHECK (unused >= 0),

    PRIMARY KEY (scope, since, member)
);
