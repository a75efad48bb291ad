"""The command `sim`: one file per group of verbs, no logic."""
