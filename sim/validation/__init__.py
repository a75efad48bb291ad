"""How real the model is: stylised facts from the literature and the city's own figures, each scored on a run's tables.

Facts see tables and what `sim.statistics` makes of them, never a model: a stored run can be scored years later, and so
can a null model that has nothing in common with ours but the tables that it leaves behind.
"""
