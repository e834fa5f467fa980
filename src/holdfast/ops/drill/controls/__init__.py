"""Set-ups broken on purpose, a family a file; each exports CONTROLS. A drill that does not notice them is broken."""
