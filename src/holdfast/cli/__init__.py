"""The command line: one file per command, found by its name in `main.COMMANDS`.

Here: arguments, printing, exit codes. Not here: what a command does, which lives in the
room it belongs to (mostly ops) and is imported when the command runs, so that `--help`
stays fast.
"""
