"""Lower-casing and whitespace folding of ASCII rows in a flat text buffer."""

from __future__ import annotations

import numpy as np

from splitleak.kernels.compiling import njit

NOT_ASCII = -1


@njit(nogil=True, cache=True, inline="always")
def _is_space(byte):  # type: ignore[no-untyped-def]
    # what str.isspace() says of ASCII: tab to carriage return, the four separators, and the space
    return byte == 32 or (9 <= byte <= 13) or (28 <= byte <= 31)


@njit(nogil=True, cache=True)
def folded_lengths(buffer, offsets, length):  # type: ignore[no-untyped-def]
    """Write each row's length in bytes once it is folded, or `NOT_ASCII`, into `length`."""
    for row in range(len(offsets) - 1):
        high = np.uint8(0)
        for i in range(offsets[row], offsets[row + 1]):
            high |= buffer[i]
        if high >= 128:
            length[row] = NOT_ASCII
            continue
        letters, words, inside = 0, 0, False
        for i in range(offsets[row], offsets[row + 1]):
            space = _is_space(buffer[i])
            letters += not space
            words += not space and not inside
            inside = not space
        length[row] = letters + max(words - 1, 0)


@njit(nogil=True, cache=True)
def fold(buffer, offsets, other, is_other, folded, starts):  # type: ignore[no-untyped-def]
    """Write the folded rows into `folded`; rows marked in `is_other` come from `other`, in their order."""
    taken = 0
    for row in range(len(offsets) - 1):
        at = starts[row]
        if is_other[row]:
            for i in range(at, starts[row + 1]):  # a loop compiles in a fraction of a slice assignment's time
                folded[i] = other[taken]
                taken += 1
            continue
        gap = False  # whitespace since the last word
        for i in range(offsets[row], offsets[row + 1]):
            byte = buffer[i]
            if _is_space(byte):
                gap = True
                continue
            if gap and at > starts[row]:
                folded[at] = 32
                at += 1
            gap = False
            folded[at] = byte + 32 if 65 <= byte <= 90 else byte
            at += 1
