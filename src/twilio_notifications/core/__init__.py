"""The decisions of the connector, as functions of values.

Nothing in this room waits, looks at a clock, rolls dice, logs or touches the outside: time, randomness and
identifiers come in as arguments, and what is to be done goes out as a value.
"""
