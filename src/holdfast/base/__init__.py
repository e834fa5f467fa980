"""Used by all and knows none of them: errors, settings, the clock, ids, logs, names on the wire."""
