"""Which levers, in which amounts, a budget is best spent on, and how sure that is."""
