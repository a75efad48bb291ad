"""One scenario against others, twin by twin."""
