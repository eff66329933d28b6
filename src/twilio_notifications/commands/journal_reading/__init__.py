"""The commands that read a journal: `journal list`, `show`, `tail`, `stats` and `export`, and `status`."""
