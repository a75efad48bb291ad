"""What is known: figures, their sources, and parameters that carry both."""
