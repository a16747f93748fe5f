"""Whether two texts are one typing slip apart."""

from __future__ import annotations


def one_edit_apart(left: str, right: str) -> bool:
    """One insertion, deletion, replacement or swap of neighbours makes one the other.

    Linear, unlike an edit distance: what follows the first difference must agree. Equal texts are
    not one edit apart.
    """
    if abs(len(left) - len(right)) > 1 or left == right:
        return False
    short, long = (left, right) if len(left) <= len(right) else (right, left)
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped
