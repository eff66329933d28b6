"""The line: what a request passes from its arrival to the acknowledgement of its status."""
