"""Who moves: the state, the draws, the rulebook and its two drivers."""
