"""Used by all and knows none of them: errors, settings, clock, ids, logs, counts, objectives, deadlines, receipts."""
