"""The few shapes that the pictures of the docs are made of, as SVG text that is legible on white and on dark pages."""

from collections.abc import Iterable

import numpy as np

from coterie.report.palette import NOISE, color

__all__ = ["Panel", "page"]

SIZE = 320
MARGIN = 14
INK = "#7a7a7a"


class Panel:
    """A square with a title; data coordinates in, SVG shapes out."""

    def __init__(self, title: str, low: Iterable[float], high: Iterable[float]):
        """Show the box from ``low`` to ``high``, x and y each."""
        self.low, self.high = np.asarray(low, float), np.asarray(high, float)
        self.shapes = [f'<text x="{SIZE / 2}" y="16" text-anchor="middle" font-size="13" fill="{INK}">{title}</text>']

    @classmethod
    def around(cls, title: str, X: np.ndarray) -> "Panel":
        """Show all rows of ``X``, with the same scale on both axes."""
        middle, reach = (X.min(axis=0) + X.max(axis=0)) / 2, 0.53 * np.ptp(X, axis=0).max()
        return cls(title, middle - reach, middle + reach)

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return pixels of points (n, 2)."""
        share = (np.asarray(points, float) - self.low) / (self.high - self.low)
        room = SIZE - 2 * MARGIN
        return np.column_stack([MARGIN + room * share[:, 0], 8 + SIZE - MARGIN - (room - 4) * share[:, 1]])

    def dots(self, X: np.ndarray, labels: np.ndarray, radius: float = 2.2) -> "Panel":
        """Draw rows in the colours of their labels; noise is smaller and grey."""
        for label in np.unique(labels):
            size = 1.4 if label < 0 else radius
            rows = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>' for x, y in self.at(X[labels == label]))
            self.shapes.append(f'<g fill="{color(int(label))}" fill-opacity="0.85">{rows}</g>')
        return self

    def rings(self, centers: np.ndarray, radii: Iterable[float], colors: Iterable[str]) -> "Panel":
        """Draw circles with radii in the units of x."""
        unit = (SIZE - 2 * MARGIN) / (self.high[0] - self.low[0])
        for (x, y), radius, stroke in zip(self.at(centers), radii, colors, strict=True):
            self.shapes.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius * unit:.1f}" fill="none" stroke="{stroke}" stroke-width="1.2"/>'
            )
        return self

    def crosses(self, centers: np.ndarray) -> "Panel":
        """Mark centers."""
        for x, y in self.at(centers):
            self.shapes.append(
                f'<path d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12" stroke="#fff" stroke-width="5"/>'
                f'<path d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12" stroke="#222" stroke-width="2.2"/>'
            )
        return self

    def boxes(self, low: np.ndarray, high: np.ndarray, fills: Iterable[str], opacity: float = 0.35) -> "Panel":
        """Fill rectangles from (n, 2) lower to upper corners."""
        for (x, y), (x2, y2), fill in zip(self.at(low), self.at(high), fills, strict=True):
            self.shapes.append(
                f'<rect x="{x:.1f}" y="{y2:.1f}" width="{x2 - x:.1f}" height="{y - y2:.1f}" fill="{fill}" fill-opacity="{opacity}"/>'
            )
        return self

    def lines(self, starts: np.ndarray, ends: np.ndarray, stroke: str = INK, width: float = 1.2) -> "Panel":
        """Draw straight lines."""
        for (x, y), (x2, y2) in zip(self.at(starts), self.at(ends), strict=True):
            self.shapes.append(
                f'<path d="M{x:.1f} {y:.1f}L{x2:.1f} {y2:.1f}" stroke="{stroke}" stroke-width="{width}"/>'
            )
        return self

    def words(self, text: str, point: Iterable[float], anchor: str = "middle") -> "Panel":
        """Write a few words at a point."""
        x, y = self.at(np.asarray([point]))[0]
        self.shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="11" fill="{INK}">{text}</text>'
        )
        return self


def page(*panels: Panel) -> str:
    """Return panels side by side as one SVG document."""
    width, height = SIZE * len(panels), SIZE + 12
    inside = "".join(
        f'<g transform="translate({SIZE * i} 0)"><rect x="4" y="24" width="{SIZE - 8}" height="{SIZE - 16}" rx="4" '
        f'fill="none" stroke="{NOISE}" stroke-opacity="0.5"/>{"".join(panel.shapes)}</g>'
        for i, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif">{inside}</svg>\n'
    )
