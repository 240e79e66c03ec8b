"""Names beside the points of a chart, so that none covers another name or a point.

Each name tries places around its point; in turns, each takes the place that is best beside the
others', until none moves. Who begins decides where that ends, so several do, and the best of the
ends is taken. The same points give the same places.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from numpy.typing import NDArray

Array = NDArray[np.float64]

MARKER = 3.2  # half a marker's side in points
AIR = 1.0  # points around a name
LEAD = 5.0  # points by which its own point must be nearer to a name than any other
FARTHEST, STEP = 64.0, 4.0  # of a name from its point, in points
DIRECTIONS = np.radians(np.arange(0, 360, 15.0))
SAME = 4.0  # points: two equal names as near as this need one label
SWEEPS = 20
TURNS = 3  # every third name begins once: what is best for each in turn need not be best for all
# What a place costs that covers something, whose leader crosses something, or that is nearer to
# another point than to its own; to be compared with points of distance.
COVERS, CROSSES, ASTRAY = 200.0, 100.0, 30.0


def name_points(
    axis: Axes,
    x: Sequence[float],
    y: Sequence[float],
    names: Sequence[str],
    colours: Sequence[str],
    bold: Sequence[bool],
    spans: Sequence[tuple[float, float]] = (),
    fontsize: float = 6,
) -> list[Annotation]:
    """Write each point's name near it, with a thin leader where it stands farther off.

    The figure's layout is computed and then kept, because the places depend on it. Call it last.

    Args:
        axis: with everything drawn and its limits set.
        x, y: the points in data coordinates.
        names, colours: one a point; equal names at one place are written once.
        bold: whether a point's name is to be; the first of equal names decides.
        spans: lowest and highest y of the line drawn through each point, if there are lines.
        fontsize: in points.
    """
    figure = axis.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    points = 72.0 / figure.dpi  # in a pixel
    centres = axis.transData.transform(np.column_stack([x, y])) * points
    markers = np.hstack([centres - MARKER, centres + MARKER])
    if spans:
        low, high = np.transpose(spans)
        for ends, side, further in ((low, 1, np.minimum), (high, 3, np.maximum)):
            at = axis.transData.transform(np.column_stack([x, ends]))[:, 1] * points
            markers[:, side] = further(markers[:, side], at)
    frame = np.ravel(axis.get_window_extent().get_points()) * points
    kept = [
        i
        for i in range(len(names))
        if not any(
            names[j] == names[i] and np.hypot(*(centres[j] - centres[i])) < SAME for j in range(i)
        )
    ]
    texts = [
        axis.annotate(
            names[i],
            (x[i], y[i]),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=fontsize,
            ha="center",
            va="center",
            color=colours[i],
            fontweight="bold" if bold[i] else "normal",
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "0.5", "shrinkA": 0, "shrinkB": 2},
        )
        for i in kept
    ]
    sizes = [np.array(text.get_window_extent().size) * points + AIR for text in texts]
    for i, text, (middle, far) in zip(
        kept, texts, places(centres, markers, kept, sizes, frame), strict=True
    ):
        text.set_position(tuple(middle - centres[i]))
        text.arrow_patch.set_visible(far > 0)  # type: ignore[union-attr]
    return texts


def places(
    centres: Array, markers: Array, kept: Sequence[int], sizes: Sequence[Array], frame: Array
) -> list[tuple[Array, float]]:
    """Where each name goes: its middle, and how far its edge is from its point's marker.

    Args:
        centres: of all points, (P, 2).
        markers: what is drawn of each, (P, 4): left, bottom, right, top.
        kept: the points that have a name.
        sizes: (width, height) of each name.
        frame: (left, bottom, right, top) that no name may leave.
    """
    tries = [_around(centres[i], size, frame) for i, size in zip(kept, sizes, strict=True)]
    turns = [list(np.roll(range(len(kept)), n)) for n in range(0, len(kept), TURNS)] or [[]]
    beside = [_Beside(centres, markers, kept, sizes, tries, n) for n in range(len(kept))]
    found = [_settled(beside, turn) for turn in turns]
    chosen, _ = min(found, key=lambda one: one[1])
    return [(tries[n][0][k], float(tries[n][1][k])) for n, k in enumerate(chosen)]


def _settled(beside: Sequence["_Beside"], turn: Sequence[int]) -> tuple[list[int], float]:
    """What each name chooses, taking turns in this order until none moves, and what all cost."""
    chosen = [0] * len(beside)
    costs = [0.0] * len(beside)
    for _ in range(SWEEPS):
        before = list(chosen)
        for n in turn:
            cost = beside[n].costs(chosen)
            chosen[n] = int(np.argmin(cost))
            costs[n] = float(cost[chosen[n]])
        if chosen == before:
            break
    return chosen, sum(costs)


class _Beside:
    """What each place of one name costs beside the others'; only what has moved is worked out."""

    def __init__(
        self,
        centres: Array,
        markers: Array,
        kept: Sequence[int],
        sizes: Sequence[Array],
        tries: Sequence[tuple[Array, Array]],
        n: int,
    ) -> None:
        self.start, (self.middles, self.far) = centres[kept[n]], tries[n]
        self.others = [m for m in range(len(kept)) if m != n]
        self.places = [tries[m][0] for m in self.others]
        self.spans = [sizes[m] / 2 for m in self.others]
        self.starts = [centres[kept[m]] for m in self.others]
        self.boxes = np.hstack([self.middles - sizes[n] / 2, self.middles + sizes[n] / 2])
        self.chosen = [-1] * len(self.others)
        count, names = len(self.middles), len(self.others)
        self.covered = np.hstack([np.zeros((count, names)), _covered(self.boxes, markers)])
        self.crossed = np.zeros((count, names))
        elsewhere = _passed(self.start, self.middles, np.delete(markers, kept[n], axis=0))
        self.passed = np.hstack([np.zeros((count, names)), elsewhere])
        self.under = np.zeros((count, names))
        astray = _astray(self.boxes, self.start, np.delete(centres, kept[n], axis=0))
        self.astray = ASTRAY * astray

    def costs(self, chosen: Sequence[int]) -> Array:
        """(K,), where the names stand at their chosen places."""
        now = [chosen[m] for m in self.others]
        moved = [at for at, (a, b) in enumerate(zip(now, self.chosen, strict=True)) if a != b]
        if moved:
            ends = np.array([self.places[at][now[at]] for at in moved])
            spans = np.array([self.spans[at] for at in moved])
            starts = np.array([self.starts[at] for at in moved])
            names = np.hstack([ends - spans, ends + spans])
            self.covered[:, moved] = _covered(self.boxes, names)
            self.crossed[:, moved] = _crossed(self.start, self.middles, starts, ends)
            self.passed[:, moved] = _passed(self.start, self.middles, names)
            self.under[:, moved] = _passed_by(self.boxes, starts, ends)
            self.chosen = now
        across = self.crossed.sum(axis=1) + self.passed.sum(axis=1)
        met = CROSSES * (across + self.under.sum(axis=1))
        return COVERS * self.covered.sum(axis=1) + met + self.astray + self.far


def _around(centre: Array, size: Array, frame: Array) -> tuple[Array, Array]:
    """Middles around a point, (K, 2), and how far each is, (K,); all within the frame."""
    far, angle = np.meshgrid(np.arange(0, FARTHEST, STEP), DIRECTIONS, indexing="ij")
    away = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(-1, 2)
    with np.errstate(divide="ignore"):
        to_edge = (size / 2 / np.abs(away)).min(axis=1)
    middles = centre + away * (to_edge + MARKER + 1 + far.ravel())[:, None]
    inside = (middles - size / 2 >= frame[:2]).all(axis=1)
    inside &= (middles + size / 2 <= frame[2:]).all(axis=1)
    if not inside.any():
        inside[:] = True
    return middles[inside], far.ravel()[inside]


def _covered(boxes: Array, others: Array) -> Array:
    """(K, J): whether two boxes share anything, by more if they share more."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    return sides.prod(axis=-1) ** 0.5


def _astray(boxes: Array, own: Array, others: Array) -> Array:
    """(K,): how many points of other places are not ``LEAD`` farther from each box than its own."""

    def distance(points: Array) -> Array:
        out = np.maximum(boxes[:, None, :2] - points, points - boxes[:, None, 2:])
        return np.hypot(*np.moveaxis(np.clip(out, 0, None), -1, 0))

    others = others[np.hypot(*(others - own).T) > SAME]
    return (distance(others) <= distance(own[None]) + LEAD).sum(axis=1).astype(float)


def _crossed(start: Array, ends: Array, starts: Array, others: Array) -> Array:
    """(K, J): whether the leader from ``start`` to each end crosses another leader."""

    def side(a: Array, b: Array, c: Array) -> Array:
        one, two = b - a, c - a
        return np.sign(one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0])

    ends, p, q = ends[:, None], starts[None], others[None]
    apart = side(start, ends, p) * side(start, ends, q) < 0
    return (apart & (side(p, q, start[None, None]) * side(p, q, ends) < 0)).astype(float)


def _passed(start: Array, ends: Array, boxes: Array) -> Array:
    """(K, J): whether the leader from ``start`` to each end passes a box."""
    return meets(start, ends[:, None], boxes[None]).astype(float)


def _passed_by(boxes: Array, starts: Array, ends: Array) -> Array:
    """(K, J): whether each of the other leaders passes a box."""
    return meets(starts[None], ends[None], boxes[:, None]).astype(float)


def meets(starts: Array, ends: Array, boxes: Array) -> NDArray[np.bool_]:
    """Whether each segment shares a point with a box: starts, ends (..., 2), boxes (..., 4)."""
    along = ends - starts
    along = np.where(along == 0, 1e-12, along)
    low, high = (boxes[..., :2] - starts) / along, (boxes[..., 2:] - starts) / along
    enters = np.minimum(low, high).max(axis=-1)
    leaves = np.maximum(low, high).min(axis=-1)
    return np.maximum(enters, 0) <= np.minimum(leaves, 1)
