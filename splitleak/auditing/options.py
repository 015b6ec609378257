"""The options of an audit that do not depend on the data, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from splitleak.errors import InputError, did_you_mean
from splitleak.graph import check_threshold
from splitleak.probes.base import probe_codes
from splitleak.probes.metrics import check_metric_name


def check_options(
    *, alpha: float, seed: int, metric: Any, target: Any, threshold: Any, pipeline: Any, raw: Any
) -> None:
    """Refuse what can be refused without a look at the data.

    Raises
    ------
    InputError
        A chance outside (0, 1), a seed or a threshold that is none, a metric that scikit-learn does not know or that
        has nothing to score, a pipeline that is no fitted transformer or comes without `raw`.
    """
    check_metric_name(metric)
    if metric is not None and target is None:
        raise InputError(f"metric={metric!r} scores predictions of a target; pass target=, or leave it out")
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0 < alpha < 1:
        raise InputError(f"alpha must be a chance in (0, 1), got {alpha!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0, got {seed!r}")
    if threshold is not None:
        check_threshold(threshold)
    if pipeline is not None:
        _check_pipeline(pipeline, raw)


def _check_pipeline(pipeline: Any, raw: Any) -> None:
    rule = "pipeline must be a fitted scikit-learn transformer, Pipeline or ColumnTransformer"
    if isinstance(pipeline, type):
        raise InputError(f"{rule}, got the class {pipeline.__name__}; pass the object that was fitted")
    if isinstance(pipeline, str) or not (hasattr(pipeline, "fit") and hasattr(pipeline, "get_params")):
        raise InputError(f"{rule}, got {type(pipeline).__name__}")
    if raw is None:
        raise InputError(
            "pipeline= is compared with what the training rows alone give; pass raw= the table before it, same rows"
        )


def check_ignore(ignore: Mapping[str, str] | None) -> dict[str, str]:
    """Return the reasons by code, or refuse codes that are not known and reasons that are empty."""
    if ignore is None:
        return {}
    if not isinstance(ignore, Mapping):
        raise InputError(
            f"ignore must map a code to the reason, as in {{'SPL201': 'known at prediction time'}}, got {ignore!r}"
        )
    for code, reason in ignore.items():
        if code not in probe_codes():
            raise InputError(f"ignore names {code!r}, which is no probe{did_you_mean(code, probe_codes())}")
        if not isinstance(reason, str) or not reason.strip():
            raise InputError(f"ignore[{code!r}] must say why, got {reason!r}")
    return dict(ignore)


def merged_limits(limits: Mapping[str, float] | None, known: Mapping[str, float]) -> dict[str, float]:
    """Return the known limits with the caller's own; names that are not known and pairs in wrong order are refused."""
    if limits is not None and not isinstance(limits, Mapping):
        raise InputError(f"limits must map a name to a number, as in {{'auc_leak': 0.995}}, got {limits!r}")
    merged = dict(known)
    for name, value in (limits or {}).items():
        if name not in known:
            raise InputError(f"limits names {name!r}{did_you_mean(name, known)} (known: {', '.join(known)})")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
            raise InputError(f"limits[{name!r}] must be a number in (0, 1], got {value!r}")
        merged[name] = float(value)
    for name in known:
        leak = name.replace("_caution", "_leak")
        if leak != name and leak in known and merged[name] > merged[leak]:
            raise InputError(
                f"limits: {name} = {merged[name]:g} lies above {leak} = {merged[leak]:g}, so nothing between them could"
                f" be a caution; give both, {name} the lower one"
            )
    return merged
