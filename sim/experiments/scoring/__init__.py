"""The scorecard: facts and null models, from runs of a scenario and of field trials in it."""
