"""Tables for probes: the same one in another form, with secret values, and odd ones that break careless code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splitleak.partition import Split

if TYPE_CHECKING:
    import pandas as pd

SECRET = "zqxsecret"
_TAKEN_BY_ROW = ("split", "target", "time", "groups", "raw")


def as_arrow(table: pd.DataFrame) -> Any:
    """Return the table as pyarrow, or None where pyarrow does not take it (columns of mixed kinds)."""
    import pyarrow as pa

    try:
        return pa.Table.from_pandas(table, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError):
        return None


def as_polars(table: pd.DataFrame) -> Any:
    """Return the table as polars, or None where polars is not installed or does not take it."""
    try:
        import polars
    except ImportError:
        return None
    arrow = as_arrow(table)
    return None if arrow is None else polars.from_arrow(arrow)


def reordered(arguments: dict[str, Any], order: NDArray[np.int64]) -> dict[str, Any]:
    """Return the arguments with the rows of the table, and of all that goes by row, in another order."""
    n = len(arguments["data"])
    changed = {**arguments, "data": arguments["data"].iloc[order].reset_index(drop=True)}
    for name in _TAKEN_BY_ROW:
        value = arguments.get(name)
        if isinstance(value, Split):
            clusters = None if value.clusters is None else value.clusters[order]
            changed[name] = Split(value.names, value.codes[order], clusters)
            continue
        if value is None or isinstance(value, str) or not hasattr(value, "__len__") or len(value) != n:
            continue
        if hasattr(value, "iloc"):
            changed[name] = value.iloc[order].reset_index(drop=True)
        else:
            changed[name] = value[order] if hasattr(value, "shape") else [value[row] for row in order]
    return changed


def marked(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with `SECRET` in every word of every text of the table.

    Names of partitions and of the classes of the target may be shown, and stay. Equal values stay
    equal and different ones different, in the same order.
    """
    table = arguments["data"].copy()
    for name in table.columns:
        if any(isinstance(arguments.get(key), str) and arguments[key] == name for key in ("split", "target")):
            continue
        if isinstance(table[name].dtype, _categorical()):
            table[name] = table[name].astype(object)
        if table[name].map(lambda value: isinstance(value, str)).any():
            table[name] = table[name].map(_secret)
    return {**arguments, "data": table}


def _categorical() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def _secret(value: Any) -> Any:
    return re.sub(r"\w+", lambda word: word[0] + SECRET, value) if isinstance(value, str) else value


def odd_tables() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield names and arguments of tables that make careless code fall over."""
    import pandas as pd

    rng = np.random.default_rng(0)

    def usual(n: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "number": rng.normal(size=n),
                "count": rng.integers(0, 5, n),
                "colour": rng.choice(["red", "blue", "green"], n),
                "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), unit="D"),
                "note": [f"a note on row {i} of it" for i in range(n)],
                "y": np.arange(n) % 2,
            }
        )

    def asked(table: pd.DataFrame, **more: Any) -> dict[str, Any]:
        split = np.where(np.arange(len(table)) % 4 == 0, "test", "train")
        return {"data": table, "split": split, "target": "y", **more}

    def cells(*values: Any) -> pd.Series[Any]:
        return pd.Series([values[i % len(values)] for i in range(60)], dtype=object)

    df = usual(60)
    yield "usual", asked(df)
    yield "no split", {"data": df, "target": "y"}
    yield "no target", {"data": df, "split": asked(df)["split"]}
    yield "neither", {"data": df}
    yield "everything declared", asked(df, time="day", groups="colour")
    yield "tiny", asked(usual(8))
    yield "one test row", {"data": df, "split": ["test"] + ["train"] * 59, "target": "y"}
    yield "rows in no partition", {"data": df, "split": ["train", "test", ""] * 20, "target": "y"}
    yield "three partitions", {"data": df, "split": ["train", "dev", "test"] * 20, "target": "y"}
    yield "a number as target", asked(df.assign(y=rng.normal(size=60)))
    yield "many classes", asked(df.assign(y=[f"class {i % 12}" for i in range(60)]))
    yield "a rare class", asked(df.assign(y=["rare"] + ["usual"] * 59))
    yield "a target with gaps", asked(df.assign(y=cells(None, "a", "b")))
    yield "constant columns", asked(df.assign(number=1.0, colour="red", note=""))
    yield "missing columns", asked(df.assign(number=np.nan, colour=cells(None), day=cells(None)))
    yield "mostly missing", asked(df.mask(rng.random(df.shape) < 0.8).assign(y=df.y))
    yield "infinite numbers", asked(df.assign(number=np.where(df["count"] > 2, np.inf, -np.inf)))
    yield "huge numbers", asked(df.assign(number=df.number * 1e300, count=2**62 + df["count"]))
    yield "equal rows", asked(pd.concat([df.head(2)] * 15, ignore_index=True))
    yield "nested columns", asked(df.assign(number=cells({"a": [1]}, {"a": []})))
    yield "columns of mixed kinds", asked(df.assign(colour=cells(1, "a", None)))
    yield "one column", {"data": df[["number"]], "split": asked(df)["split"]}
    yield (
        "more columns than rows",
        asked(
            pd.DataFrame(rng.normal(size=(20, 80)), columns=[f"x{i}" for i in range(80)]).assign(
                y=np.arange(20) % 2
            )
        ),
    )
    yield "names with signs", asked(df.rename(columns={"number": 'a "b"\n\\', "colour": "größe 価"}))
    yield (
        "truth values and categories",
        asked(
            df.assign(
                number=df["count"] > 2,
                colour=pd.Categorical(df.colour, categories=["red", "blue", "green", "x"]),
            )
        ),
    )
