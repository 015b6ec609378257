"""Minimum cuts of directed graphs, the same one whatever the order of the arcs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass
class Network:
    """Arcs with capacities between numbered nodes, collected block by block."""

    n_nodes: int
    tails: list[Ints] = field(default_factory=list)
    heads: list[Ints] = field(default_factory=list)
    capacities: list[Ints] = field(default_factory=list)

    def add(self, tails: Ints | int, heads: Ints | int, capacity: Ints | int) -> None:
        """Add arcs; single numbers stand for as many as the other argument has."""
        a, b, c = np.broadcast_arrays(tails, heads, capacity)
        self.tails.append(a.ravel().astype(np.int64))
        self.heads.append(b.ravel().astype(np.int64))
        self.capacities.append(c.ravel().astype(np.int64))

    def cut(self, source: int, sink: int) -> tuple[int, NDArray[np.bool_]]:
        """Return the capacity of a minimum cut, and which nodes are on the side of the source.

        Of several minimum cuts it is the one with the fewest nodes on that side: there is one such, whichever
        maximum flow was found, so the order of nodes and arcs does not matter.

        Examples
        --------
        >>> network = Network(4)
        >>> network.add(0, np.array([1, 2]), 1)
        >>> network.add(np.array([1, 2]), 3, np.array([5, 5]))
        >>> value, reached = network.cut(0, 3)
        >>> value, reached.tolist()
        (2, [True, False, False, False])
        """
        from scipy.sparse import coo_array, csr_array
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow

        tails, heads = np.concatenate(self.tails), np.concatenate(self.heads)
        # a sum of repeats must stay a capacity of 32 bits, all that SciPy takes: arcs of one pair are given once
        shape = (self.n_nodes, self.n_nodes)
        room = coo_array((np.concatenate(self.capacities).astype(np.int32), (tails, heads)), shape=shape)
        capacity = csr_array(room)
        found = maximum_flow(capacity, source, sink, method="dinic")
        residual = csr_array(capacity - found.flow)
        residual.eliminate_zeros()
        order = breadth_first_order(residual, source, directed=True, return_predecessors=False)
        reached = np.zeros(self.n_nodes, dtype=bool)
        reached[order] = True
        return int(found.flow_value), reached
