-- What a client wrote around its request (MQTT 5): the topic on which it wants its statuses too, with its
-- correlation data, and the trace that the request belongs to. As JSON; NULL where it wrote nothing of this.

ALTER TABLE requests ADD COLUMN envelope TEXT;
ALTER TABLE duplicates ADD COLUMN envelope TEXT;
