"""API Extensions: who is asked before a change is made."""
