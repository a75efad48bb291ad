"""How demand is shared: the log factor of each channel in each month."""

from __future__ import annotations

from bisect import bisect
from functools import lru_cache

from sim.entrepreneurs.arithmetic import exp, log
from sim.market.demand import Market, Series

__all__ = ["Competition", "Path"]


class Path:
    """The log D(t) of a channel's yearly transactions over time t, in years.

        D(t) = ln V_i + (t - t_i) (ln V_k - ln V_i) / (t_k - t_i)    between two figures V_i and V_k
             = ln V_last + (t - t_last) ln(1 + growth_after)         after the last
             = ln V_first - (t_first - t) ln(1 + growth_before)      before the first

    A year's figure stands at its middle; between figures the log is a straight line, beyond them it grows as stated.
    Without figures it grows as after the last.
    """

    def __init__(self, series: Series) -> None:
        points = sorted((int(y) + 0.5, log(v)) for y, v in series.by_year.items()) or [(2000.0, 0.0)]
        self._points = points
        self._after = log(1.0 + series.growth_after)
        self._before = log(1.0 + series.growth_before) if series.by_year else self._after

    def at(self, year: float) -> float:
        """Log of the yearly transactions at a moment: 2024.5 is the middle of 2024."""
        (first, low), (last, high) = self._points[0], self._points[-1]
        if year >= last:
            return high + (year - last) * self._after
        if year <= first:
            return low - (first - year) * self._before
        i = bisect(self._points, (year,))
        (x0, y0), (x1, y1) = self._points[i - 1], self._points[i]
        return y0 + (y1 - y0) * (year - x0) / (x1 - x0)


class Competition:
    """Demand shared among all firms: the log factor A of each channel, relative to the horizon's start.

        A(t) = D(t) - D(0) - displacement ln(crowding(t))
        crowding(t) = (B(t) + K(t)) / (B(0) + K(0))
        B(t) = entities x capacity x (1 + growth_per_year)^(t / 12)

    B is the trading capacity of the background in month t, K the sum of the capacities of all modelled firms when the
    month begins, both in whole CNY/month: those who closed last month no longer count, and newcomers count from their
    second month. With nobody at the start there is nobody to be displaced, and crowding is 1. At displacement 1 a
    newcomer's sales are taken from others, at 0 none are.

    Attributes
    ----------
    demand : log
        D(t) - D(0) of each channel.
    crowding : ratio
        Trading capacity of all firms relative to the start.
    factor : log
        A of each channel: domestic, live-stream, cross-border.
    """

    def __init__(self, market: Market, start: int, capacity: int) -> None:
        """`start` in calendar months since 2000-01, `capacity` of the modelled firms at the start, CNY/month."""
        self._outlook = _outlook(market.model_dump_json(), start)
        self._displacement = market.displacement
        self._base = self._outlook.background(0) + capacity
        self.demand = (0.0, 0.0, 0.0)
        self.crowding = 1.0
        self.factor = (0.0, 0.0, 0.0)

    def move(self, calendar: int, capacity: int) -> None:
        """Set demand, crowding and the log factor of each channel (domestic, livestream, cross-border) for a month."""
        self.demand, background = self._outlook.at(calendar)
        total = background + capacity
        # with nobody at the start there is nobody to be displaced
        self.crowding = total / self._base if self._base > 0 and total > 0 else 1.0
        shared = self._displacement * log(self.crowding)
        domestic, livestream, cross_border = self.demand
        self.factor = (domestic - shared, livestream - shared, cross_border - shared)


class Outlook:
    """What a market holds in store, whatever its founders do: each month is reckoned once, for all runs of a market."""

    def __init__(self, market: Market, start: int) -> None:
        self._start = start
        self._paths = [Path(s) for s in (market.domestic, market.livestream, market.cross_border)]
        self._then = [p.at(_moment(start)) for p in self._paths]
        self._stock = market.background.entities * market.background.capacity
        self._growth = log(1.0 + market.background.growth_per_year) / 12.0
        self._months: dict[int, tuple[tuple[float, float, float], int]] = {}

    def background(self, month: int) -> int:
        """B in a month since the start, CNY/month."""
        return int(self._stock * exp(month * self._growth))

    def at(self, calendar: int) -> tuple[tuple[float, float, float], int]:
        """D(t) - D(0) of each channel, and B, in a calendar month."""
        if calendar not in self._months:
            now = _moment(calendar)
            domestic, livestream, cross_border = (p.at(now) - d for p, d in zip(self._paths, self._then, strict=True))
            self._months[calendar] = (domestic, livestream, cross_border), self.background(calendar - self._start)
        return self._months[calendar]


@lru_cache(maxsize=64)
def _outlook(market: str, start: int) -> Outlook:
    """By the market as JSON: it holds dictionaries, and has no hash."""
    return Outlook(Market.model_validate_json(market), start)


def _moment(calendar: int) -> float:
    """The middle of a calendar month (months since 2000-01) in years."""
    return 2000.0 + (calendar + 0.5) / 12.0
