"""The tree against RFC 6962 written down as it reads there."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit_tree import (
    EMPTY_ROOT,
    Frontier,
    Node,
    Place,
    consistency_places,
    consistency_proof,
    inclusion_places,
    inclusion_proof,
    leaf_hash,
    node_hash,
    peak_places,
    verify_consistency,
    verify_inclusion,
)

MOST = 130
LEAVES = [leaf_hash(str(index).encode()) for index in range(MOST)]


def split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def naive_extension(old: int, leaves: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2."""
    if old == len(leaves):
        return [] if known else [naive_root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*naive_extension(old, leaves[:k], known=known), naive_root(leaves[k:])]
    return [*naive_extension(old - k, leaves[k:], known=False), naive_root(leaves[:k])]


def stored(size: int) -> dict[Place, bytes]:
    """What a store holds of a tree: every perfect subtree."""
    nodes = {(0, index): leaf for index, leaf in enumerate(LEAVES[:size])}
    _, whole = Frontier().appending(LEAVES[:size])
    return nodes | {(node.level, node.index): node.hash for node in whole}


ROOTS = [naive_root(LEAVES[:size]) for size in range(MOST + 1)]
NODES = stored(MOST)


def only(places: Sequence[Place], size: int) -> dict[Place, bytes]:
    """The nodes at these places, each of which has to be whole in a tree of this size."""
    assert all((index + 1) << level <= size for level, index in places)
    return {place: NODES[place] for place in places}


def altered(proof: Sequence[bytes]) -> list[list[bytes]]:
    """Proofs that are nearly this one."""
    found = [[*proof, EMPTY_ROOT], [EMPTY_ROOT, *proof]]
    for at in range(len(proof)):
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        found += [[*proof[:at], *proof[at + 1 :]], [*proof[:at], flipped, *proof[at + 1 :]]]
    if len(proof) > 1:
        found.append(list(reversed(proof)))
    return found


def test_known_answers() -> None:
    """The empty tree of RFC 6962 and the leaf of no bytes that Certificate Transparency tests."""
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c14")
    assert leaf_hash(b"").hex().startswith("6e340b9cffb37a98")
    assert node_hash(leaf_hash(b""), leaf_hash(b"\x00")).hex().startswith("fac54203e7cc696c")


@pytest.mark.parametrize("size", range(MOST + 1))
def test_roots_and_frontiers(size: int) -> None:
    frontier, whole = Frontier().appending(LEAVES[:size])
    assert frontier.root == ROOTS[size]
    assert frontier == Frontier.at(size, only(peak_places(size), size))
    assert len(whole) == len(set(whole)) == sum(size >> level for level in range(1, 9))
    for node in whole:
        start, end = node.index << node.level, (node.index + 1) << node.level
        assert node.level >= 1
        assert node.hash == naive_root(LEAVES[start:end])


@given(st.lists(st.integers(0, 9), max_size=20))
def test_appending_in_batches_is_appending_at_once(batches: list[int]) -> None:
    frontier, size = Frontier(), 0
    nodes: list[Node] = []
    for batch in batches:
        frontier, whole = frontier.appending(LEAVES[size : size + batch])
        nodes, size = nodes + whole, min(size + batch, MOST)
    assert (frontier, nodes) == Frontier().appending(LEAVES[:size])


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_inclusion_of_every_leaf(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(index, size, only(inclusion_places(index, size), size))
        assert proof == naive_path(index, LEAVES[:size])
        assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
        assert not verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size - 1])
        assert not verify_inclusion(LEAVES[index - 1], index, size, proof, ROOTS[size]) or size == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 64, 100])
def test_altered_inclusion_is_refused(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(index, size, NODES)
        for other in altered(proof):
            assert not verify_inclusion(LEAVES[index], index, size, other, ROOTS[size])
        for elsewhere in {*range(-3, size + 70)} - {index}:
            assert not verify_inclusion(LEAVES[index], elsewhere, size, proof, ROOTS[size])


@pytest.mark.parametrize("new", range(MOST + 1))
def test_consistency_with_every_earlier_tree(new: int) -> None:
    for old in range(new + 1):
        proof = consistency_proof(old, new, only(consistency_places(old, new), new))
        assert proof == (naive_extension(old, LEAVES[:new]) if old else [])
        assert verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
        forked = leaf_hash(ROOTS[old])
        assert not verify_consistency(old, forked, new, ROOTS[new], proof)
        assert not verify_consistency(old, ROOTS[old], new, forked, proof) or old == 0 != new


@pytest.mark.parametrize("new", [1, 2, 3, 7, 8, 13, 64, 100])
def test_altered_consistency_is_refused(new: int) -> None:
    for old in range(new + 1):
        proof = consistency_proof(old, new, NODES)
        for other in altered(proof):
            assert not verify_consistency(old, ROOTS[old], new, ROOTS[new], other)
        if 0 < old < new:
            assert not verify_consistency(old, ROOTS[old], new, ROOTS[new], [])
        assert not verify_consistency(new + 1, ROOTS[old], new, ROOTS[new], proof)
        assert not verify_consistency(-1, ROOTS[old], new, ROOTS[new], proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_there_is_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_places(index, size)


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5)])
def test_no_tree_extends_a_larger_one(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="does not extend"):
        consistency_places(old, new)


@pytest.mark.parametrize(("size", "peaks"), [(1, 0), (0, 1), (3, 1), (4, 2), (-1, 1)])
def test_a_frontier_has_its_peaks(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="peak"):
        Frontier(size, (EMPTY_ROOT,) * peaks)
