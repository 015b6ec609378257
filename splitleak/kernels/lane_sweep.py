"""One column of a dynamic-programming alignment for many targets at once, one target in each vector lane.

Inter-sequence vectorisation (Rognes 2011, "Faster Smith-Waterman database searches with inter-sequence SIMD
parallelisation"): lane k holds the cells of target k, so that no lane waits for another. The loop over the rows of
the column is written in LLVM's own vector types, because numba has neither vectors nor saturating additions; LLVM
lowers them to whatever the processor has (AVX-512, AVX2, SSE, NEON), with the same results.

The recurrences are Gotoh's (1982): H best alignment that ends here, E and F those that end in a gap.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

SCORE_LANES = 64
EXACT_LANES = 16

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)


class _Vectors:
    """Vector operations on `lanes` integers of one type."""

    def __init__(self, builder: Any, element: Any, lanes: int) -> None:
        self.builder, self.element, self.lanes = builder, element, lanes
        self.type = ir.VectorType(element, lanes)

    def splat(self, value: Any) -> Any:
        nothing = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, mask)

    def pointer(self, address: Any) -> Any:
        return self.builder.inttoptr(address, self.type.as_pointer())

    def call(self, name: str, a: Any, b: Any) -> Any:
        full = f"llvm.{name}.v{self.lanes}i{self.element.width}"
        signature = ir.FunctionType(self.type, [self.type, self.type])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, signature, full), [a, b])

    def maximum(self, signed: bool, first: Any, *others: Any) -> Any:
        for other in others:
            first = self.call("smax" if signed else "umax", first, other)
        return first

    def load(self, pointer: Any) -> Any:
        return self.builder.load(pointer, align=1)

    def store(self, value: Any, pointer: Any) -> None:
        self.builder.store(value, pointer, align=1)


def _row_loop(v: _Vectors, pointers: tuple[Any, ...], starts: tuple[Any, ...], cell: Any) -> Any:
    """Emit the loop over the rows of one column; returns the running maximum at its end."""
    b = v.builder
    h, e, weights, letters, n = pointers
    entry, loop, done = b.block, b.append_basic_block("rows"), b.append_basic_block("column_done")
    b.branch(loop)
    b.position_at_end(loop)
    row, carried = b.phi(_WORD), [b.phi(v.type) for _ in starts]
    row.add_incoming(ir.Constant(_WORD, 0), entry)
    for phi, start in zip(carried, starts, strict=True):
        phi.add_incoming(start, entry)
    gap, diagonal, best = carried
    letter = b.zext(b.load(b.gep(letters, [row])), _WORD)
    weight = v.load(b.gep(weights, [letter]))
    at_h, at_e = b.gep(h, [row]), b.gep(e, [row])
    left, gap_left = v.load(at_h), v.load(at_e)
    value, new_gap_left, new_gap, new_best = cell(diagonal, weight, gap_left, gap, best)
    v.store(value, at_h)
    v.store(new_gap_left, at_e)
    following = b.add(row, ir.Constant(_WORD, 1))
    row.add_incoming(following, loop)
    for phi, new in zip(carried, (new_gap, left, new_best), strict=True):
        phi.add_incoming(new, loop)
    b.cbranch(b.icmp_signed("<", following, n), loop, done)
    b.position_at_end(done)
    return new_best


@intrinsic
def sweep_scores(  # type: ignore[no-untyped-def]
    _context, h, e, weights, letters, n, best, bias, gap_open, gap_extend
):
    """``sweep_scores(h, e, weights, letters, n, best, bias, gap_open, gap_extend)``: local scores in 8 bits.

    `h`, `e` (n x 64), `weights` (letters x 64; weight + bias), `letters` (n) and `best` (64) are addresses of uint8
    arrays. Scores saturate at 255 - bias, below at 0, which is the floor of a local alignment. n >= 1.
    """
    signature = types.void(*([types.uint64] * 4), types.int64, types.uint64, *([types.uint8] * 3))

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        h, e, weights, letters, n, best, bias, gap_open, gap_extend = arguments
        v = _Vectors(builder, _BYTE, SCORE_LANES)
        biases, opening, extending = v.splat(bias), v.splat(gap_open), v.splat(gap_extend)
        zero = ir.Constant(v.type, [0] * SCORE_LANES)

        def cell(diagonal: Any, weight: Any, gap_left: Any, gap: Any, top: Any) -> Any:
            paired = v.call("usub.sat", v.call("uadd.sat", diagonal, weight), biases)
            value = v.maximum(False, paired, gap_left, gap)
            opened = v.call("usub.sat", value, opening)
            return (
                value,
                v.maximum(False, v.call("usub.sat", gap_left, extending), opened),
                v.maximum(False, v.call("usub.sat", gap, extending), opened),
                v.maximum(False, top, value),
            )

        at_best = v.pointer(best)
        pointers = (
            v.pointer(h), v.pointer(e), v.pointer(weights), builder.inttoptr(letters, _BYTE.as_pointer()), n
        )  # fmt: skip
        v.store(_row_loop(v, pointers, (zero, zero, v.load(at_best)), cell), at_best)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def sweep_exact(  # type: ignore[no-untyped-def]
    _context, h, e, weights, letters, n, best, above, before, floor, gap_open, gap_extend
):
    """``sweep_exact(h, e, weights, letters, n, best, above, before, floor, gap_open, gap_extend)``: in 64 bits.

    As `sweep_scores`, with int64 arrays of 16 lanes and nothing that saturates. `above` is the address of the values
    diagonally above the column's first cell, `before` the value of a gap which enters it from above, `floor` the
    least value of a cell (0 for local alignments); the gap costs are positive.
    """
    signature = types.void(*([types.uint64] * 4), types.int64, *([types.uint64] * 2), *([types.int64] * 4))

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        h, e, weights, letters, n, best, above, before, floor, gap_open, gap_extend = arguments
        v = _Vectors(builder, _WORD, EXACT_LANES)
        floors, opening, extending = v.splat(floor), v.splat(gap_open), v.splat(gap_extend)

        def cell(diagonal: Any, weight: Any, gap_left: Any, gap: Any, top: Any) -> Any:
            value = v.maximum(True, builder.add(diagonal, weight), gap_left, floors, gap)
            opened = builder.sub(value, opening)
            return (
                value,
                v.maximum(True, builder.sub(gap_left, extending), opened),
                v.maximum(True, builder.sub(gap, extending), opened),
                v.maximum(True, top, value),
            )

        at_best = v.pointer(best)
        pointers = (
            v.pointer(h), v.pointer(e), v.pointer(weights), builder.inttoptr(letters, _BYTE.as_pointer()), n
        )  # fmt: skip
        starts = (v.splat(before), v.load(v.pointer(above)), v.load(at_best))
        v.store(_row_loop(v, pointers, starts, cell), at_best)
        return context.get_dummy_value()

    return signature, generate
