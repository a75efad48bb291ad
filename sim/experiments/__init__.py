"""What is asked of the model beyond one run."""
