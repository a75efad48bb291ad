"""What the city does: one file per instrument, and the money. What the author of another instrument needs is here."""

from sim.evidence.quantity import quantity
from sim.policy._instrument import City, Draw, PolicyInstrument

__all__ = ["City", "Draw", "PolicyInstrument", "quantity"]
