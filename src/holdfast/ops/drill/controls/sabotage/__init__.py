"""The folder that a control puts on the path of the drilled processes; nothing here is imported otherwise."""
