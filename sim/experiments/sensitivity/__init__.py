"""What share of the spread of results each unknown number carries."""
