"""Study files: what is run many times, and what for. A file says its `kind`."""

from sim.scenario.studies.calibration import Study
from sim.scenario.studies.file import StudyFile, pinned
from sim.scenario.studies.loader import is_study, load_study
from sim.scenario.studies.optimisation import OptimisationStudy
from sim.scenario.studies.sweep import SweepStudy

__all__ = ["OptimisationStudy", "Study", "StudyFile", "SweepStudy", "is_study", "load_study", "pinned"]
