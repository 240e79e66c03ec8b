"""Layered layout of a small directed graph: where boxes stand and how arrows pass between them.

Sugiyama, Tagawa and Toda's method (1981): layers by longest path, order by barycentre, then
positions by the linear programme of Gansner et al., "A Technique for Drawing Directed Graphs"
(1993), which keeps long arrows straight. An arrow that skips layers gets a lane of its own in each
layer it passes, so no arrow crosses a box; arrows out of the same box share their lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import linprog

# All in inches. Between neighbours of a layer; between layers (least, more per sideways step, and
# at most how much more); the straight end of an arrow, for its head.
APART, GAP, SLOPE, STEEP, HEAD = 0.13, 0.21, 0.14, 0.25, 0.08
PORT, MARGIN = 0.08, 0.07  # between arrows that enter the same box; from there to its corner

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Positions, with the origin at the top left and y growing upwards (so y <= 0).

    Attributes:
        centres: of the boxes, in the order of their sizes.
        arrows: start point, then three points for each layer gap that is crossed: where the curve
            begins, where it ends, how far the line goes straight on; and whether a box is there.
        forks: where a lane splits.
        size: width and height of the whole.
    """

    centres: tuple[Point, ...]
    arrows: tuple[tuple[tuple[Point, ...], bool], ...]
    forks: tuple[Point, ...]
    size: Point


def layered(
    sizes: Sequence[Point],
    edges: Sequence[tuple[int, int]],
    weights: Sequence[float],
    across: bool = False,
) -> Layout:
    """Place boxes and route arrows.

    Args:
        sizes: (width, height) of each box in inches.
        edges: pairs of indices into ``sizes``, the first always the smaller.
        weights: of each box; among equally long ways the heavier is the one drawn straight.
        across: flow from left to right, not from the top down.

    Returns:
        The layout, the same for the same arguments.
    """
    # Sideways and forward extent, whichever way the picture flows.
    wide = [h if across else w for w, h in sizes]
    deep = [w if across else h for w, h in sizes]
    layer = [0] * len(sizes)
    for a, b in sorted(edges, key=lambda edge: edge[1]):
        layer[b] = max(layer[b], layer[a] + 1)

    # Lanes: one item per (box, passed layer), numbered after the boxes.
    lanes: dict[tuple[int, int], int] = {}
    links: set[tuple[int, int]] = set()
    for a, b in edges:
        path = [a]
        for level in range(layer[a] + 1, layer[b]):
            path.append(lanes.setdefault((a, level), len(sizes) + len(lanes)))
        links |= set(zip(path, [*path[1:], b], strict=True))
    layer += [level for _, level in lanes]
    wide += [0.0] * len(lanes)
    deep += [0.0] * len(lanes)

    before: list[list[int]] = [[] for _ in layer]
    after: list[list[int]] = [[] for _ in layer]
    for a, b in sorted(links):
        before[b].append(a)
        after[a].append(b)
    ranks = _order(layer, before, after)
    spine = _spine(len(sizes), layer, weights, before)
    side = _positions(ranks, links, before, after, wide, spine, len(sizes))

    # Forward positions: a gap grows with the widest sideways step in it.
    forward, top = [0.0] * len(layer), 0.0
    band: list[Point] = []
    for rank in ranks:
        depth = max(deep[i] for i in rank)
        step = max((abs(side[i] - side[j]) for i in rank for j in after[i]), default=0.0)
        for i in rank:
            forward[i] = top + depth / 2
        band.append((top, top + depth))
        top += depth + GAP + min(STEEP, SLOPE * step)

    def point(sideways: float, ahead: float) -> Point:
        return (ahead, -sideways) if across else (sideways, -ahead)

    pieces: dict[tuple[int, int], tuple[Point, ...]] = {}
    for b in range(len(layer)):
        sources = sorted(before[b], key=lambda i: side[i])
        for a, port in zip(
            sources, _ports([side[i] for i in sources], side[b], wide[b]), strict=True
        ):
            box = b < len(sizes)
            start, tip = forward[a] + deep[a] / 2, forward[b] - deep[b] / 2
            bend = band[layer[a]][1], band[layer[b]][0]
            if not box:
                tip = band[layer[b]][1]
            if a >= len(sizes):
                start = bend[0]
            end = bend[1] - HEAD * box
            curve = point(side[a], start), point(side[a], bend[0]), point(port, end)
            pieces[a, b] = (*curve, point(port, tip))
    # One line from fork to fork, for where two lines touch they would show as a darker spot.
    arrows = []
    for a, b in sorted(pieces):
        if a < len(sizes) or len(after[a]) > 1:
            way = pieces[a, b]
            while b >= len(sizes) and len(after[b]) == 1:
                way, b = way + pieces[b, after[b][0]][1:], after[b][0]
            arrows.append((way, b < len(sizes)))
    forks = [
        point(side[i], band[layer[i]][1])
        for i in range(len(sizes), len(layer))
        if len(after[i]) > 1
    ]
    length = top - GAP
    breadth = max(side[i] + wide[i] / 2 for i in range(len(layer)))
    return Layout(
        tuple(point(side[i], forward[i]) for i in range(len(sizes))),
        tuple(arrows),
        tuple(forks),
        (length, breadth) if across else (breadth, length),
    )


def _order(layer: list[int], before: list[list[int]], after: list[list[int]]) -> list[list[int]]:
    """Items of each layer, sideways, with few crossings."""
    ranks: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for i in sorted(range(len(layer))):
        ranks[layer[i]].append(i)

    def crossings(rank: list[int], other: dict[int, int], links: list[list[int]]) -> int:
        ends = [sorted(other[j] for j in links[i]) for i in rank]
        flat = [end for group in ends for end in group]
        return sum(a > b for n, a in enumerate(flat) for b in flat[n + 1 :])

    def total() -> int:
        return sum(
            crossings(rank, {j: n for n, j in enumerate(ranks[level + 1])}, after)
            for level, rank in enumerate(ranks[:-1])
        )

    best, fewest = [list(rank) for rank in ranks], total()
    for sweep in range(24):
        down = sweep % 2 == 0
        for level in range(1, len(ranks)) if down else range(len(ranks) - 2, -1, -1):
            links = before if down else after
            place = {j: n for n, j in enumerate(ranks[level - 1 if down else level + 1])}
            now = {i: float(n) for n, i in enumerate(ranks[level])}
            mean = {
                i: sum(place[j] for j in links[i]) / len(links[i]) if links[i] else now[i]
                for i in ranks[level]
            }
            ranks[level].sort(key=lambda i, mean=mean: mean[i])  # type: ignore[misc]
        count = total()
        if count < fewest:
            best, fewest = [list(rank) for rank in ranks], count
    return best


def _spine(
    boxes: int, layer: list[int], weights: Sequence[float], before: list[list[int]]
) -> set[tuple[int, int]]:
    """The main way through, as links: longest, then heaviest; it ends where two ways tie."""
    load = list(weights) + [0.0] * (len(layer) - boxes)
    for i in range(boxes):
        load[i] += max((load[j] for j in before[i] if j < boxes), default=0.0)
    spine: set[tuple[int, int]] = set()
    at = max(range(boxes), key=lambda i: layer[i])
    while True:
        ways = sorted((load[j], j) for j in before[at] if j < boxes)
        if not ways or (len(ways) > 1 and ways[-1][0] == ways[-2][0]):
            return spine
        spine.add((ways[-1][1], at))
        at = ways[-1][1]


def _positions(
    ranks: list[list[int]],
    links: set[tuple[int, int]],
    before: list[list[int]],
    after: list[list[int]],
    wide: list[float],
    spine: set[tuple[int, int]],
    boxes: int,
) -> list[float]:
    """Sideways positions with the least weighted sideways travel, neighbours kept apart."""
    terms: list[tuple[float, dict[int, float]]] = []  # weight, and what should be zero
    for a, b in sorted(links):
        lanes = (a >= boxes) + (b >= boxes)
        chain = len(after[a]) == len(before[b]) == 1 and not lanes
        weight = 20.0 if (a, b) in spine else 4.0 if chain else (1.0, 2.0, 8.0)[lanes]
        terms.append((weight, {a: 1.0, b: -1.0}))
    for i in range(boxes):
        for group in (before[i], after[i]):
            straight = any((i, j) in spine or (j, i) in spine for j in group)
            if len(group) > 1 and not straight:  # a fork of equals stands in the middle
                terms.append((0.5, {i: 1.0} | {j: -1.0 / len(group) for j in group}))
    n, m = len(wide), len(terms)
    rows, limits = [], []
    for k, (_, term) in enumerate(terms):  # |term| <= bound k
        for sign in (1.0, -1.0):
            row = np.zeros(n + m)
            for i, factor in term.items():
                row[i] = sign * factor
            row[n + k] = -1.0
            rows.append(row)
            limits.append(0.0)
    for rank in ranks:
        for left, right in pairwise(rank):
            row = np.zeros(n + m)
            row[left], row[right] = 1.0, -1.0
            rows.append(row)
            limits.append(-(wide[left] + wide[right]) / 2 - APART)
    cost = np.concatenate([np.zeros(n), [weight for weight, _ in terms]])
    least = [(w / 2, None) for w in wide] + [(0.0, None)] * m
    found = linprog(cost, A_ub=np.array(rows), b_ub=np.array(limits), bounds=least)
    assert found.x is not None, found.message  # the order alone makes it feasible
    return [round(float(x), 4) for x in found.x[:n]]


def _ports(sources: list[float], centre: float, width: float) -> list[float]:
    """Where arrows from sorted ``sources`` enter a box: straight below theirs if the box allows."""
    room = max(0.0, width / 2 - MARGIN)
    step = min(PORT, 2 * room / max(1, len(sources) - 1))
    ports = [min(max(x, centre - room), centre + room) for x in sources]
    for n in range(1, len(ports)):
        ports[n] = max(ports[n], ports[n - 1] + step)
    for n in range(len(ports) - 1, -1, -1):
        ports[n] = min(ports[n], centre + room - step * (len(ports) - 1 - n))
    return ports
