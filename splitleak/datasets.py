"""Public data of the tutorials: fetched once, checked by SHA-256, read from a local folder where there is one.

A file is looked for in ``$SPLITLEAK_DATA`` (a folder with the names of `DatasetFile.local`), then in `data_home`
(default: the cache folder of this user), then fetched from its origin.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splitleak._optional import require
from splitleak.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FOLDER_VARIABLE = "SPLITLEAK_DATA"
_ORIGIN = "https://github.com/{repository}/raw/{commit}/{path}"


@dataclass(frozen=True)
class DatasetFile:
    """Where a file comes from, and how it is known.

    Attributes
    ----------
    local : str
        Its name under ``$SPLITLEAK_DATA`` and in the cache.
    repository, commit, path : str
        Its place on GitHub.
    sha256 : str
        Hexadecimal digest of its content.
    """

    local: str
    repository: str
    commit: str
    path: str
    sha256: str

    @property
    def url(self) -> str:
        """Its address."""
        return _ORIGIN.format(repository=self.repository, commit=self.commit, path=self.path)


FILES = {
    "election_tweets": DatasetFile(
        "election_tweets/lab_targetLeakage.zip",
        "NBISweden/workshop-neural-nets-and-deep-learning",
        "0fdf94e",
        "session_goodPracticesDatasetDesign/lab_targetLeakage.zip",
        "0a75d9959a6fdaa560d4e087a8a21c4d6c0eab5d77ec1735315f59186b085673",
    ),
    "sms_spam": DatasetFile(
        "text/sms.tsv",
        "justmarkham/DAT8",
        "ff04af8",
        "data/sms.tsv",
        "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d",
    ),
    "bank_marketing": DatasetFile(
        "tabular/bank_marketing.csv",
        "justmarkham/DAT8",
        "ff04af8",
        "data/bank-additional.csv",
        "e71826c3e6d8bd64097ca3ff6230bf60eec5d4b1eb157607a8d54958220854e8",
    ),
    "deeploc_proteins": DatasetFile(
        "proteins/deeploc_test.fasta",
        "graph-part/graph-part",
        "f470726",
        "benchmarking/data/protein/DeepLoc/deeploc_test.fasta",
        "5f770d067f9a0e07bb5523c853c13d1cd4dae58ddfa75aa524745ebefd9a6d8a",
    ),
}


def fetch_election_tweets(*, data_home: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Return 6,444 tweets of two candidates of the 2016 election in the United States.

    The task is to tell who wrote a tweet (`handle`) from its `text`. Several of the 28 columns give it away:
    `source_url`, the program that posted it, all but names the author.

    `data_home` and the errors are those of `local_path`.

    Returns
    -------
    pandas.DataFrame
        6,444 rows, columns as in the file.

    Notes
    -----
    1.2 MB. Part of a lab on target leakage of the workshop "Neural Nets and Deep Learning" of the National
    Bioinformatics Infrastructure Sweden (NBIS); the tweets were published as "Hillary Clinton and Donald Trump Tweets"
    on Kaggle (2016). The terms of the tweets are not stated: for teaching and evaluation.
    """
    import zipfile

    import pandas as pd

    path = local_path("election_tweets", data_home=data_home)
    with zipfile.ZipFile(path) as archive, archive.open("lab_targetLeakage/data/tweets.csv") as file:
        return pd.read_csv(file)


def fetch_sms_spam(*, data_home: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Return 5,574 short messages, each ham or spam.

    403 of them repeat another to the letter, and campaigns differ by a few characters.

    `data_home` and the errors are those of `local_path`.

    Returns
    -------
    pandas.DataFrame
        Columns `label` ("ham", "spam") and `text`.

    Notes
    -----
    0.5 MB. T. A. Almeida, J. M. Gomez Hidalgo, A. Yamakami: "Contributions to the Study of SMS Spam Filtering: New
    Collection and Results", ACM DocEng 2011. Terms as stated by its authors: free for research.
    """
    import csv

    import pandas as pd

    path = local_path("sms_spam", data_home=data_home)
    return pd.read_csv(path, sep="\t", names=["label", "text"], quoting=csv.QUOTE_NONE, keep_default_na=False)


def fetch_bank_marketing(*, data_home: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Return 4,119 telephone calls of a bank, and whether the client subscribed (`y`).

    `duration`, how long the call took, is known only once the call is over: a leak of moderate strength.

    `data_home` and the errors are those of `local_path`.

    Returns
    -------
    pandas.DataFrame
        4,119 rows, 21 columns.

    Notes
    -----
    0.6 MB. S. Moro, P. Cortez, P. Rita: "A data-driven approach to predict the success of bank telemarketing",
    Decision Support Systems 62 (2014); a sample of the UCI data set of that name.
    """
    import pandas as pd

    return pd.read_csv(local_path("bank_marketing", data_home=data_home), sep=";")


def fetch_deeploc_proteins(*, data_home: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Return 2,773 proteins and where in the cell each is found (10 places).

    `data_home` and the errors are those of `local_path`.

    Returns
    -------
    pandas.DataFrame
        Columns `name` (UniProt accession), `location` and `sequence`.

    Notes
    -----
    1.2 MB. J. J. Almagro Armenteros et al.: "DeepLoc: prediction of protein subcellular localization using deep
    learning", Bioinformatics 33 (2017), the test set, as used in the benchmarks of GraphPart (F. Teufel et al., NAR
    Genomics and Bioinformatics 5, 2023). Sequences and annotation are UniProt's (CC BY 4.0).
    """
    import pandas as pd

    rows: list[tuple[str, str, list[str]]] = []
    with Path(local_path("deeploc_proteins", data_home=data_home)).open() as file:
        for line in file:
            if line.startswith(">"):
                name, _, rest = line[1:].strip().partition("|")
                rows.append((name, rest.removeprefix("label="), []))
            elif rows:
                rows[-1][2].append(line.strip())
    return pd.DataFrame(
        [(name, location, "".join(parts)) for name, location, parts in rows],
        columns=["name", "location", "sequence"],
    )


def local_path(name: str, *, data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the path of a data set's file, fetched and checked when it was not there.

    Parameters
    ----------
    name : str
        One of `FILES`.
    data_home : path, optional
        Folder that keeps fetched files; default: the cache folder of this user.

    Raises
    ------
    InputError
        The file cannot be fetched or has other content; the message says where to put it.
    """
    file = FILES[name]
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and (Path(folder) / file.local).exists():
        return Path(folder) / file.local
    pooch: Any = require("pooch", extra="data", feature=f"fetching {name!r}")
    home = Path(data_home) if data_home is not None else Path(pooch.os_cache("splitleak"))
    target = home / file.local
    try:
        found = pooch.retrieve(
            file.url, known_hash=f"sha256:{file.sha256}", fname=target.name, path=target.parent
        )
    except (OSError, ValueError) as error:  # no network; another content
        raise InputError(
            f"{name!r} cannot be fetched from {file.url} ({type(error).__name__}: {error}). Put the file there"
            f" yourself: {target}, or in a folder named by ${FOLDER_VARIABLE} as {file.local}"
        ) from error
    return Path(found)
