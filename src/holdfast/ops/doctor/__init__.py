"""What `holdfast doctor` looks at: the machine, the installation's files and processes, its database.

Here: checks that change nothing; each observes, then judges with a pure function. Not here:
mending anything, or watching over time (observe).
"""
