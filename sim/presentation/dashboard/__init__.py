"""The dashboard: a base and a reform of it side by side, drawn live, in a browser or in a notebook's cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import SimError
from sim.presentation.catalogue import Lang, language

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["dashboard", "needs_panel"]


def dashboard(scenario: Scenario | None = None, *, lang: Lang | None = None) -> Any:
    """The dashboard as a Panel component: the last line of a notebook's cell shows it.

    Parameters
    ----------
    scenario
        The base; by default the classroom of `sim.classroom`.
    lang
        ``zh`` or ``en``; by default that of the locale.

    Raises
    ------
    SimError
        Panel is not installed.
    """
    needs_panel()
    import panel as pn

    from sim.model import expect_scenario
    from sim.presentation.dashboard.choices import of
    from sim.presentation.dashboard.page import Page
    from sim.scenario.starter import classroom

    scenario = classroom() if scenario is None else scenario
    expect_scenario(scenario)
    if pn.state.curdoc is None:
        pn.extension(inline=True)  # everything comes from the package: a class has no network
    return Page([of(scenario)], lang=language(lang))


def needs_panel() -> None:
    """Raise SimError if Panel is not installed: it is an extra, since only the dashboard needs it."""
    from importlib.util import find_spec

    if find_spec("panel") is None:
        raise SimError("the dashboard needs Panel, which is not installed: pip install 'entrepreneur-pipeline[app]'")
