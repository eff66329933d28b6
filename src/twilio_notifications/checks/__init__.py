"""What `check` finds out, one file for each subject: a finding is a value, and the command prints it.

Nothing here sends a text, changes a file, or disturbs a connector that is running.
"""
