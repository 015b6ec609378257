"""Similarity of molecules, written as SMILES: Tanimoto of fingerprints, exact; scaffolds as groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._optional import require
from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.kernels.bit_join import bit_counts, tanimoto_nearest, tanimoto_pairs
from splitleak.kernels.hashing import hash_bytes
from splitleak.records import Records, as_records
from splitleak.similarity.base import IGNORED, Neighbours, similarity_backend
from splitleak.similarity.copies import equal_rows, sides_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Fingerprint = Literal["ecfp4", "ecfp6", "fcfp4", "maccs"]
Salts = Literal["keep", "strip"]
Invalid = Literal["error", "distinct"]
Acyclic = Literal["own", "together"]

_SHOWN = 3
_MACCS_BITS = 167


def tanimoto_look_up(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    fingerprint: Fingerprint = "ecfp4",
    bits: int = 2048,
    salts: Salts = "keep",
    stereo: bool = False,
    invalid: Invalid = "error",
) -> Neighbours:
    """Compare some rows with all rows; a molecule that cannot be read is similar to none."""
    words, readable = _fingerprints(records, fingerprint, bits, salts, stereo, invalid, SILENT)
    n_sides = int(sides.max(initial=0)) + 1
    compared = np.where(readable, sides, IGNORED)
    nearest, degree = tanimoto_nearest(words, bit_counts(words), queries, compared, n_sides, threshold)
    unread = ~readable[queries]
    nearest[unread], degree[unread] = np.nan, 0
    # a side whose other rows cannot be read has rows all the same: similarity 0
    rows = np.bincount(sides[sides != IGNORED], minlength=n_sides)
    others = np.tile(rows, (len(queries), 1))
    inside = np.flatnonzero(sides[queries] != IGNORED)
    others[inside, sides[queries][inside]] -= 1
    return Neighbours(np.where(others > 0, np.nan_to_num(nearest, nan=0.0), np.nan), degree)


@similarity_backend("tanimoto", kinds={"text"}, nearest=tanimoto_look_up, threshold=0.4)
def tanimoto(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
    fingerprint: Fingerprint = "ecfp4",
    bits: int = 2048,
    salts: Salts = "keep",
    stereo: bool = False,
    invalid: Invalid = "error",
) -> SimilarityGraph:
    """Join molecules whose fingerprints share most of their bits.

    Parameters
    ----------
    records : Records
        SMILES as text, read by RDKit (extra `molecule`).
    threshold : float
        Inclusive bound in (0, 1] of the Tanimoto (Jaccard) similarity of the sets of bits. Molecules of equal
        fingerprints have similarity 1.
    sides : int64 array, optional
        Search only between rows of different sides.
    progress : Progress
        Where long stages are told.
    fingerprint : {"ecfp4", "ecfp6", "fcfp4", "maccs"}
        Morgan fingerprints of radius 2 and 3, of radius 2 over pharmacophoric features, or the MACCS keys.
    bits : int
        Length of the Morgan fingerprints, in [64, 16384].
    salts : {"keep", "strip"}
        "strip": only the largest fragment of each row is compared.
    stereo : bool
        Whether mirror images differ (not for MACCS keys, which do not know them).
    invalid : {"error", "distinct"}
        SMILES that cannot be read, or that have no atom: name the rows, or let them be similar to no row.

    Returns
    -------
    SimilarityGraph
        ``details["invalid"]``: the positions of the rows that could not be read.

    Raises
    ------
    InputError
        SMILES that cannot be read, options that are not known.

    Notes
    -----
    Rogers and Hahn 2010 (ECFP); Durant et al. 2002 (MACCS); exact, by counting shared bits column-wise.
    """
    words, readable = _fingerprints(records, fingerprint, bits, salts, stereo, invalid, progress)
    copies = _equal_fingerprints(words, readable)
    representatives = np.flatnonzero(copies == np.arange(records.n_rows))
    representatives = representatives[readable[representatives]]
    side = None
    if sides is not None:
        side = sides_of(copies, representatives, sides)
    left, right, similarity = tanimoto_pairs(words[representatives], threshold, sides=side)
    return SimilarityGraph.build(
        representatives[left],
        representatives[right],
        similarity,
        n_rows=records.n_rows,
        threshold=threshold,
        measure="tanimoto",
        copies=copies,
        details={"invalid": np.flatnonzero(~readable).tolist()},
    )


def scaffolds(
    data: Any, *, on: str | None = None, acyclic: Acyclic = "own", invalid: Invalid = "error"
) -> list[str]:
    """Return the Bemis-Murcko scaffold of each molecule, to be given as ``groups=``.

    Parameters
    ----------
    data : table, list of str, or path
        Whatever `split_by_similarity` takes.
    on : str, optional
        The column of SMILES.
    acyclic : {"own", "together"}
        Molecules without a ring have no scaffold. "own": each is its own group (its canonical SMILES); "together":
        they are one group, the empty scaffold.
    invalid : {"error", "distinct"}
        SMILES that cannot be read: name the rows, or make each its own group.

    Returns
    -------
    list of str
        One canonical SMILES a row, without stereo.

    Raises
    ------
    InputError
        SMILES that cannot be read.

    Notes
    -----
    Bemis and Murcko 1996.
    """
    if acyclic not in get_args(Acyclic):
        raise unknown_option("acyclic", acyclic, get_args(Acyclic))
    records = as_records(data, on=on, kind="text")
    chem = _rdkit("rdkit.Chem")
    murcko = _rdkit("rdkit.Chem.Scaffolds.MurckoScaffold")
    found = []
    for row, molecule in enumerate(_checked_molecules(records, invalid)):
        if molecule is None:
            found.append(f"unreadable row {row}")
            continue
        core = chem.MolToSmiles(murcko.GetScaffoldForMol(molecule), isomericSmiles=False)
        if not core and acyclic == "own":
            core = chem.MolToSmiles(molecule, isomericSmiles=False)
        found.append(core)
    return found


def _rdkit(module: str) -> Any:
    return require(module, extra="molecule", feature="similarity of molecules")


def _fingerprints(
    records: Records,
    fingerprint: Fingerprint,
    bits: int,
    salts: Salts,
    stereo: bool,
    invalid: Invalid,
    progress: Progress,
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return packed fingerprints of shape (n_rows, n_words), and which rows could be read."""
    make, size = _generator(fingerprint, bits, stereo)
    if salts not in get_args(Salts):
        raise unknown_option("salts", salts, get_args(Salts))
    largest = _rdkit("rdkit.Chem.MolStandardize.rdMolStandardize").LargestFragmentChooser()
    n_bytes = (size + 63) // 64 * 8
    packed = np.zeros((records.n_rows, n_bytes), dtype=np.uint8)
    readable = np.zeros(records.n_rows, dtype=bool)
    to_bytes = _rdkit("rdkit.DataStructs").BitVectToBinaryText
    with progress.stage("fingerprints", records.n_rows) as stage, _rdkit("rdkit.rdBase").BlockLogs():
        for row, molecule in enumerate(_checked_molecules(records, invalid)):
            stage.advance()
            if molecule is None:
                continue
            whole = molecule if salts == "keep" else largest.choose(molecule)
            data = np.frombuffer(to_bytes(make(whole)), dtype=np.uint8)
            packed[row, : len(data)] = data
            readable[row] = True
    return packed.view("<u8").astype(np.uint64, copy=False), readable


def _generator(fingerprint: Fingerprint, bits: int, stereo: bool) -> tuple[Any, int]:
    if fingerprint not in get_args(Fingerprint):
        raise unknown_option("fingerprint", fingerprint, get_args(Fingerprint))
    if isinstance(bits, bool) or not isinstance(bits, (int, np.integer)) or not 64 <= bits <= 16_384:
        raise InputError(f"bits must be a whole number from 64 to 16384, got {bits!r}")
    if not isinstance(stereo, (bool, np.bool_)):
        raise InputError(f"stereo must be True or False, got {stereo!r}")
    if fingerprint == "maccs":
        if stereo:
            raise InputError("stereo=True needs a Morgan fingerprint: MACCS keys do not know mirror images")
        return _rdkit("rdkit.Chem.rdMolDescriptors").GetMACCSKeysFingerprint, _MACCS_BITS
    generators = _rdkit("rdkit.Chem.rdFingerprintGenerator")
    features = {"atomInvariantsGenerator": generators.GetMorganFeatureAtomInvGen()}
    generator = generators.GetMorganGenerator(
        radius=3 if fingerprint == "ecfp6" else 2,
        fpSize=int(bits),
        includeChirality=bool(stereo),
        **(features if fingerprint == "fcfp4" else {}),
    )
    return generator.GetFingerprint, int(bits)


def _checked_molecules(records: Records, invalid: Invalid) -> Iterator[Any]:
    """Yield each row's molecule, None where it cannot be read; all rows are read before an error is raised."""
    if invalid not in get_args(Invalid):
        raise unknown_option("invalid", invalid, get_args(Invalid))
    chem = _rdkit("rdkit.Chem")
    buffer, offsets = records.text()
    molecules: list[Any] = []
    unread = []
    with _rdkit("rdkit.rdBase").BlockLogs():
        for row in range(records.n_rows):
            text = bytes(buffer[offsets[row] : offsets[row + 1]]).decode()
            molecule = chem.MolFromSmiles(text)
            if molecule is None or molecule.GetNumAtoms() == 0:
                unread.append((row, text))
                molecule = None
            molecules.append(molecule)
    if unread and invalid == "error":
        shown = ", ".join(f"row {row} ({text[:40]!r})" for row, text in unread[:_SHOWN])
        more = ", ..." if len(unread) > _SHOWN else ""
        lists = sum("," in text for _, text in unread)
        several = f" ({lists:,} of them hold several, separated by commas: keep one of each)" if lists else ""
        raise InputError(
            f"data has {len(unread):,} SMILES that cannot be read: {shown}{more}{several}; correct them,"
            " or set them aside with invalid='distinct' (similar to no row)"
        )
    return iter(molecules)


def _equal_fingerprints(words: NDArray[np.uint64], readable: NDArray[np.bool_]) -> NDArray[np.int64]:
    n, n_words = words.shape
    offsets = np.arange(n + 1, dtype=np.int64) * n_words * 8
    hashes = hash_bytes(words.astype("<u8").view(np.uint8).reshape(-1), offsets)

    def same(rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray((words[rows] == words[others]).all(axis=1))

    copies = np.arange(n, dtype=np.int64)
    rows = np.flatnonzero(readable)
    copies[rows] = rows[equal_rows(hashes[rows], lambda a, b: same(rows[a], rows[b]))]
    return copies
