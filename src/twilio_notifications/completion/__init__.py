"""Scripts with which a shell completes the command line, made from its outline.

Each script knows the commands, the options and the words that an option takes. Where an option takes a file
or a folder, the shell completes its name. Each command loads `shells`; `completion` alone loads the rest.
"""
