"""What goes wrong in a drill, a family a file; each exports FAULTS, and `register.py` lists them all."""
