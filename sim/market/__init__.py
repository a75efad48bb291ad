"""What they trade in: demand and displacement."""
