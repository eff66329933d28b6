-- Where a request came from, on a transport that has more than one side: its status goes back there.
-- NULL where there is one side only, and in what was recorded before.

ALTER TABLE requests ADD COLUMN origin TEXT CHECK (origin IN ('local', 'iot_core'));
