"""The command line: click and nothing else of weight.

A command lives in the file named after it and exports `command`; a group is a folder. Each parses, makes
one call into `clave.store` (or `clave.desk`), and hands the value to one renderer.
"""
