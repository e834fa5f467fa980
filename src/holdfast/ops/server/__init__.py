"""One installation on one host: its folder, its PostgreSQL, its processes, their supervisor.

Here: `holdfast up` and what inspects or repairs its pieces. Not here: what the processes do
once they run (http, delivery), nor other hosts.
"""
