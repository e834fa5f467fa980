"""What happened, by published type name: one class a message type, one module a resource type."""
