"""What the city does: one file per instrument, and the money."""
