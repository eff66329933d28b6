"""The journal in SQL, whichever engine keeps it: its statements, and what each operation does to the rows.

An engine (adapters/sqlite, adapters/postgres) opens connections, says what a fault means, and commits.
"""
