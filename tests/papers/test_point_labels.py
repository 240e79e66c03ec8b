"""Whether a leader passes a name: by its geometry, not by points along it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from papers.show.point_labels import meets

AT = st.floats(-50, 50)
PLACE = st.tuples(AT, AT)
BOX = np.array([-3.0, -2.0, 4.0, 5.0])


@given(PLACE, st.tuples(st.floats(-3, 4), st.floats(-2, 5)), st.floats(0, 2))
def test_a_leader_through_a_point_of_a_box_meets_it(start, within, further) -> None:
    first, inside = np.array(start), np.array(within)
    margin = np.array([-0.01, -0.01, 0.01, 0.01])
    assert meets(first, inside + (inside - first) * further, BOX + margin)


@given(PLACE, PLACE, st.sampled_from([0, 1]), st.sampled_from([-1, 1]))
def test_a_leader_on_one_side_of_a_box_does_not_meet_it(start, end, axis, side) -> None:
    ends = np.array([start, end])
    ends[:, axis] = side * (np.abs(ends[:, axis]) + 6)
    assert not meets(ends[0], ends[1], BOX)


def test_a_leader_that_cuts_a_corner_meets_the_box() -> None:
    assert meets(np.array([-4.0, 4.0]), np.array([-2.0, 6.0]), BOX)
