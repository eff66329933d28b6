"""The checks of the command `check`, one file for each subject. A finding is a value; the command prints it.

No check sends a text, changes a file, or disturbs a running connector.
"""
