"""Where they move: stages, houses and admission."""
