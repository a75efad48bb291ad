"""Mesa's own browser front end, SolaraViz, drives the pipeline: its widgets are rendered and pressed, with no page."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sim

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that Solara imports
    solara = pytest.importorskip("solara")
    import ipyvuetify as v
    import ipywidgets
    import mesa.visualization as mesa_visualization

PATIENCE = 60.0
"""Seconds until a page that plays is given up."""


@pytest.fixture
def city() -> sim.Scenario:
    """A year of the classroom."""
    return sim.classroom().replace({"horizon.months": 12})


@pytest.fixture
def page(city: sim.Scenario) -> Iterator[Callable[..., Any]]:
    """Show a pipeline in SolaraViz with a plot of who lives where; returns what was rendered, and the model in it."""
    open_pages = []

    def show(**parameters: Any) -> tuple[Any, Any]:
        model = solara.reactive(sim.Pipeline(city, rng=7))
        plot = mesa_visualization.make_plot_component({"village": "#0072B2", "incubator": "#009E73"})
        viz = mesa_visualization.SolaraViz(
            model, components=[plot], model_params={"scenario": city, **parameters}, play_interval=1, name="义乌"
        )
        _, rendered = solara.render(solara.AppLayout(children=[viz]), handle_error=False)
        open_pages.append(rendered)
        return rendered, model

    yield show
    for rendered in open_pages:
        rendered.close()


def button(rendered: Any, label: str) -> Any:
    return rendered.find(v.Btn, children=[label]).widget


def inside(widget: Any) -> Iterator[Any]:
    """A widget, and all that is in it."""
    yield widget
    for child in getattr(widget, "children", None) or ():
        if isinstance(child, ipywidgets.Widget):
            yield from inside(child)


def texts(rendered: Any) -> list[str]:
    """Texts on the page."""
    every = inside(rendered.find(v.Html).widgets[0])
    return [said for widget in every for said in getattr(widget, "children", None) or () if isinstance(said, str)]


def picture(rendered: Any) -> bytes:
    """The plot as it stands on the page."""
    return bytes(rendered.find(ipywidgets.Image).widget.value)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_step_is_a_month(page: Callable[..., Any]) -> None:
    """Each press of Step lives one month, the plot is drawn anew, and the page says how many months have passed."""
    rendered, model = page()
    assert (model.value.month, model.value.people.size) == (0, 0)
    blank = picture(rendered)
    for month in (1, 2):
        button(rendered, "Step").click()
        assert model.value.month == month
        assert any(re.fullmatch(rf"(Step|Time): {month}(\.0)?", said) for said in texts(rendered))
    assert picture(rendered) != blank
    assert model.value.people.size > 0
    assert len(model.value.datacollector.get_model_vars_dataframe()) == 2


def test_it_plays_to_the_end(page: Callable[..., Any], city: sim.Scenario) -> None:
    """Play lives month after month until the horizon, and then no button moves the model any more."""
    rendered, model = page()
    button(rendered, "▶").click()
    wait_for(lambda: not model.value.running)
    assert model.value.month == city.horizon.months
    wait_for(lambda: button(rendered, "Step").disabled)


def test_pressed_or_played_it_is_the_same_city(page: Callable[..., Any], city: sim.Scenario, assert_same: Any) -> None:
    """What SolaraViz has driven is, to the last bit, what `sim.simulate` gives for the same seed."""
    rendered, model = page()
    while model.value.running:
        button(rendered, "Step").click()
    alone = sim.simulate(city, seed=7)
    tables = model.value.tables()
    assert_same(tables, {name: alone[name] for name in tables}, tuple(s.id for s in city.chain))


def test_reset_begins_anew(page: Callable[..., Any]) -> None:
    """Reset makes a new pipeline from the page's parameters."""
    rendered, model = page(rng=3)
    button(rendered, "Step").click()
    before = model.value
    button(rendered, "Reset").click()
    assert model.value is not before
    assert model.value.month == 0
    assert isinstance(model.value, sim.Pipeline)


def test_a_slider_makes_another_city(page: Callable[..., Any]) -> None:
    """A slider of the seed, moved, gives another city after a reset; moved back, the same as at first."""
    slider = {"type": "SliderInt", "value": 7, "label": "seed", "min": 0, "max": 20, "step": 1}
    rendered, model = page(rng=slider)
    seed = next(w for w in rendered.find(v.Slider).widgets if w.label == "seed")
    keys = []
    for value in (7, 9, 7):
        seed.v_model = value
        button(rendered, "Reset").click()
        keys.append(model.value.key)
    assert keys[0] == keys[2] != keys[1]
