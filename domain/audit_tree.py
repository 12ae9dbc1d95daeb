"""The audit log's Merkle tree, after RFC 6962 section 2.1 (N10).

Stored are the roots of perfect subtrees alone. Node `(level, index)` is the root over the leaves
`index * 2**level` up to the next one's; level 0 holds the leaf hashes. Such a node never changes
once it is whole, and every root and proof of any size, past or present, is made of them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Place = tuple[int, int]
"""Level and index of a node."""

Span = tuple[int, int]
"""The leaves of a subtree: the first one's index and the one behind the last."""


@dataclass(frozen=True, slots=True)
class Node:
    """The root of a whole perfect subtree."""

    level: int
    index: int
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a growing tree needs: its size and its perfect subtrees' roots, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError("a frontier has one peak for each binary one of its size")

    @classmethod
    def at(cls, size: int, node: Mapping[Place, bytes]) -> "Frontier":
        """The frontier at a size, from the nodes at `peak_places(size)`."""
        return cls(size, tuple(node[place] for place in peak_places(size)))

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return _folded(self.peaks) if self.peaks else EMPTY_ROOT

    def appending(self, leaf_hashes: Iterable[bytes]) -> tuple["Frontier", list[Node]]:
        """The frontier with further leaves, and every node of level 1 or above that is now whole.

        Nodes of level 0 are the leaf hashes themselves; the caller has them.
        """
        size, peaks, whole = self.size, list(self.peaks), []
        for each in leaf_hashes:
            level, index, top = 0, size, each
            while index & 1:  # a right child: its left sibling is the last peak
                top = node_hash(peaks.pop(), top)
                level, index = level + 1, index >> 1
                whole.append(Node(level, index, top))
            peaks.append(top)
            size += 1
        return Frontier(size, tuple(peaks)), whole


def peak_places(size: int) -> list[Place]:
    """The perfect subtrees that a tree of this size is made of, from left to right."""
    return _places((0, size))


def inclusion_places(index: int, size: int) -> list[Place]:
    """The nodes that `inclusion_proof` will ask for."""
    return [place for span in _path(index, size) for place in _places(span)]


def inclusion_proof(index: int, size: int, node: Mapping[Place, bytes]) -> list[bytes]:
    """The audit path of a leaf in the tree of a size, nearest first (RFC 6962, 2.1.1)."""
    return [_root_over(span, node) for span in _path(index, size)]


def consistency_places(old: int, new: int) -> list[Place]:
    """The nodes that `consistency_proof` will ask for."""
    return [place for span in _extension(old, new) for place in _places(span)]


def consistency_proof(old: int, new: int, node: Mapping[Place, bytes]) -> list[bytes]:
    """Proves that the tree of size `old` is the beginning of that of size `new` (2.1.2).

    Empty when the sizes are equal, and for `old` 0: every tree begins with the empty one.
    """
    return [_root_over(span, node) for span in _extension(old, new)]


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the leaf is at this index of the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf_hash
    for each in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(each, found)
            here, last = _up_to_left_turn(here, last)
        else:
            found = node_hash(found, each)
        here, last = here >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the tree with the new root begins with the one of the old (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= new_size or (old_size == 0 and old_root != EMPTY_ROOT):
        return False
    if old_size in {0, new_size}:
        return not proof and (old_size < new_size or old_root == new_root)
    perfect = old_size & (old_size - 1) == 0
    return _extends(
        (old_size - 1, new_size - 1), [old_root, *proof] if perfect else proof, (old_root, new_root)
    )


def _extends(last: tuple[int, int], proof: Sequence[bytes], roots: tuple[bytes, bytes]) -> bool:
    old, new = last
    while old & 1:
        old, new = old >> 1, new >> 1
    if not proof:
        return False
    old_found = new_found = proof[0]
    for each in proof[1:]:
        if new == 0:
            return False
        if old & 1 or old == new:
            old_found, new_found = node_hash(each, old_found), node_hash(each, new_found)
            old, new = _up_to_left_turn(old, new)
        else:
            new_found = node_hash(new_found, each)
        old, new = old >> 1, new >> 1
    return new == 0 and (old_found, new_found) == roots


def _up_to_left_turn(here: int, last: int) -> tuple[int, int]:
    """Levels at which nothing stands to the right of the last node add nothing to a proof."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _path(index: int, size: int) -> list[Span]:
    """The subtrees beside the way from a leaf to the root, nearest first."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    start, end, beside = 0, size, []
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    return beside[::-1]


def _extension(old: int, new: int) -> list[Span]:
    """The subtrees of a consistency proof, in the order of RFC 6962."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not extend one of {old}")
    if old == 0:
        return []
    start, end, beside = 0, new, []
    while old != end:
        middle = _middle(start, end)
        if old <= middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    # the old tree's own root is known to whoever checks; a part of it has to be given
    return [*([(start, end)] if start else []), *beside[::-1]]


def _middle(start: int, end: int) -> int:
    """Where a subtree divides: its left part is the largest power of two below its length."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _places(span: Span) -> list[Place]:
    start, end = span
    places = []
    while start < end:
        level = (end - start).bit_length() - 1
        places.append((level, start >> level))
        start += 1 << level
    return places


def _root_over(span: Span, node: Mapping[Place, bytes]) -> bytes:
    return _folded([node[place] for place in _places(span)])


def _folded(peaks: Sequence[bytes]) -> bytes:
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks))
