"""One life, told with the reason for each event."""
