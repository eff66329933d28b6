-- The sequences say which numbers were given to what is deleted by now.

DROP TABLE newest_numbers;
