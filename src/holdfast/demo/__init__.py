"""The demo shop: invents a catalogue and loads it through the public HTTP API.

Belongs here: the made-up goods, their pictures and the loader that speaks HTTP like any other client.
Does not belong here: anything that reaches into the server; that would hide what a newcomer
has to send (see `handlers`).
"""
