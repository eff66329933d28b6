"""What `init` asks a person, and the configuration that follows from the answers. Touches nothing.

Each command loads `questions`, for the options of `init`; `init` alone loads the rest.
"""
