"""The entrepreneur talent-pipeline simulator."""
