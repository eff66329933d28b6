"""What the simulator says when it cannot do what its user asks for."""


class OrderRefused(Exception):
    """The order cannot be carried out; the message says why."""


class QueryUnreadable(ValueError):
    """A parameter of a query cannot be read; the message says which, and what it may be."""
