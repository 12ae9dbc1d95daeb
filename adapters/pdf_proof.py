"""The rows of a proof on paper: where an entry of the log stands, and what shows that it does."""

from collections.abc import Callable

from adapters.pdf_paper import CODE, LABEL, Paper
from domain.receipt import Proof

Translate = Callable[[str], str]


def proof_rows(paper: Paper, proof: Proof, _: Translate) -> None:
    """Writes the entry, its path to the root, the key and the signed checkpoint."""
    paper.row(_("Entry"), str(proof.index))
    paper.row(_("Entries in the log"), str(proof.size))
    paper.row(_("Hash of the entry"), proof.leaf, CODE)
    paper.row(_("Root of the log"), proof.root, CODE)
    paper.row(_("Path to the root"), "\n".join(proof.path) or "–", CODE)
    paper.row(_("Public key"), proof.key, CODE)
    paper.words(_("Signed checkpoint"), LABEL)
    paper.words(proof.checkpoint.rstrip("\n"), CODE)
