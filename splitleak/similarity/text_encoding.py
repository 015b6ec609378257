"""From texts to unit vectors by an encoder of the caller's: each distinct text once, ever, where there is a cache."""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak._progress import Progress
from splitleak.errors import InputError
from splitleak.records import Records
from splitleak.similarity.embedding_cache import DIGEST_BYTES, EmbeddingCache, cache_folder
from splitleak.similarity.encoder_identity import UnknownEncoderError, identity_of
from splitleak.similarity.encoders import (
    SameObject,
    check_count,
    device_of,
    encoded,
    evaluating,
    imported_encoder,
    is_module,
)

WRITE_EVERY = 30.0  # seconds of encoding after which the cache is written: an interruption costs no more
_SHOWN = 60  # characters of a text in a message
Encode = Callable[[list[str]], Any]


@dataclass(frozen=True)
class Encoder:
    """The encoder and how it is called; see `splitleak.similarity.embedding.embedding` for the options."""

    encoder: Any = None
    tokenizer: Any = None
    batch_size: int = 64
    half: bool | None = None
    cache: bool | str | Path | None = None
    cache_key: str | None = None

    def checked(self) -> Encoder:
        """Return these options with the encoder found, or raise when they cannot be used."""
        check_count("batch_size", self.batch_size)
        if self.encoder is None:
            raise InputError(
                "similarity='embedding' needs an encoder: splitleak.embedding(encoder=model), or in text"
                " embedding(encoder='package.module:name')"
            )
        encoder = imported_encoder(self.encoder) if isinstance(self.encoder, str) else self.encoder
        if not (callable(encoder) or callable(getattr(encoder, "encode", None))):
            raise InputError(
                "encoder must be an object with encode(), a function of a list of texts, a torch module, or"
                f" 'package.module:name', got {type(encoder).__name__}"
            )
        module = is_module(encoder)
        if self.half is not None and not isinstance(self.half, (bool, np.bool_)):
            raise InputError(f"half must be True, False or None, got {self.half!r}")
        if self.half and not module:
            raise InputError(
                f"half=True is for torch modules, and encoder is a {type(encoder).__name__}; leave it out"
            )
        if self.tokenizer is not None and (not callable(self.tokenizer) or not module):
            raise InputError(
                "tokenizer must be a function of a list of texts, for a torch module as encoder; got"
                f" {type(self.tokenizer).__name__} with a {type(encoder).__name__}"
            )
        if self.cache_key is not None and (not isinstance(self.cache_key, str) or not self.cache_key):
            raise InputError(f"cache_key must be a text that names the encoder, got {self.cache_key!r}")
        if self.cache is not None and not isinstance(self.cache, (bool, str, Path)):
            raise InputError(f"cache must be True, False, a folder or None, got {self.cache!r}")
        return Encoder(
            encoder, self.tokenizer, int(self.batch_size), self._halves(encoder), self.cache, self.cache_key
        )

    def _halves(self, encoder: Any) -> bool:
        if self.half is not None or not is_module(encoder):
            return bool(self.half)
        return getattr(device_of(encoder), "type", "cpu") == "cuda"

    def store(self) -> tuple[EmbeddingCache | None, str]:
        """Return where the vectors are kept on disk (None: nowhere), and why.

        Raises
        ------
        InputError
            A cache that was asked for, and no name of the encoder that holds over time.
        """
        if self.cache is False:
            return None, "no cache: cache=False"
        root = cache_folder() if self.cache in (None, True) else Path(str(self.cache)).expanduser()
        if self.cache_key is not None:
            key = f"named {self.cache_key}"
        else:
            try:
                key = f"content {identity_of(self.encoder, self.tokenizer)}"
            except UnknownEncoderError as error:
                why = f"{error}, and vectors of an older encoder must not be taken for its own"
                way = "name the encoder and its version: cache_key='my-encoder-1'"
                if self.cache is None:
                    return None, f"no cache: {why}; {way}"
                raise InputError(f"cache={self.cache!r} cannot be used: {why}; {way}") from None
        return EmbeddingCache(root, f"{key} half={self.half}"), f"cache in {root}"

    def function(self) -> Encode:
        """Return a function from a list of texts to their vectors."""
        encoder, half = self.encoder, bool(self.half)
        if hasattr(encoder, "encode"):
            options = _accepted(encoder.encode, batch_size=self.batch_size, show_progress_bar=False)

            def encode(texts: list[str]) -> Any:
                with evaluating(encoder, half=half) if is_module(encoder) else nullcontext():
                    return encoder.encode(texts, **options)

            return encode
        if is_module(encoder):
            return lambda texts: _call_module(encoder, self.tokenizer, texts, half)
        return encoder  # type: ignore[no-any-return]  # the caller's own; what it returns is checked


def _accepted(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Return those options that a function has parameters for."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in options.items() if name in known}


def _call_module(module: Any, tokenizer: Any, texts: list[str], half: bool) -> Any:
    with evaluating(module, half=half):
        if tokenizer is None:
            return _sentence_vectors(module(texts), None)
        options = _accepted(tokenizer, padding=True, truncation=True, return_tensors="pt")
        tokens = tokenizer(texts, **options)
        if isinstance(tokens, Mapping):
            placed = {name: _placed(value, module) for name, value in tokens.items()}
            return _sentence_vectors(module(**placed), placed.get("attention_mask"))
        return _sentence_vectors(module(_placed(tokens, module)), None)


def _placed(value: Any, module: Any) -> Any:
    """Return a tokeniser's numbers as a tensor on the module's device."""
    import torch

    if not hasattr(value, "detach"):
        try:
            value = torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(
                f"tokenizer must return numbers of one shape for all texts of a batch (padded), got"
                f" {type(value).__name__}: {error}"
            ) from error
    device = device_of(module)
    return value if device is None else value.to(device)


def _sentence_vectors(output: Any, mask: Any) -> Any:
    """Return the vectors in what a module returned: its own, or the mean of its tokens' by the attention mask."""
    if isinstance(output, Mapping) and "sentence_embedding" in output:
        return output["sentence_embedding"]
    tokens = getattr(output, "last_hidden_state", None)
    if tokens is None or mask is None:
        return output
    weight = mask.unsqueeze(-1).to(tokens.dtype)
    return (tokens * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


@dataclass(frozen=True)
class TextVectors:
    """Unit vectors of the distinct texts of some records.

    Attributes
    ----------
    vectors : float32 array of shape (n_distinct, n_features)
        Of length 1, or 0 where the encoder gave zeros.
    of_row : int64 array of shape (n_rows,)
        The vector of each row.
    note : str
        Where vectors are kept, or why they are not.
    """

    vectors: NDArray[np.float32]
    of_row: NDArray[np.int64]
    note: str


def text_vectors(records: Records, options: Encoder, progress: Progress) -> TextVectors:
    """Encode the texts of `records`: each distinct one once, those of the cache not at all."""
    options = options.checked()
    texts, of_row = _distinct(records)
    key = ("text vectors", SameObject(options.encoder), SameObject(options.tokenizer), options.half)
    # the records of one search are asked several times (graph, certificate): no cache is needed for that
    known, vectors, note = records.kept.get(key, ({}, None, ""))
    rows = [known.get(text, -1) for text in texts]
    if vectors is None or -1 in rows:
        fresh = [text for text, row in zip(texts, rows, strict=True) if row < 0]
        made, note = _from_cache_or_encoder(fresh, options, progress)
        if vectors is not None and vectors.shape[1] != made.shape[1]:
            raise InputError(
                f"the encoder returned vectors of {vectors.shape[1]} features, then of {made.shape[1]}"
            )
        vectors = made if vectors is None else np.concatenate([vectors, made])
        known = {**known, **{text: len(known) + i for i, text in enumerate(fresh)}}
        records.kept[key] = (known, vectors, note)
        rows = [known[text] for text in texts]
    return TextVectors(vectors[rows], of_row, note)


def _distinct(records: Records) -> tuple[list[bytes], NDArray[np.int64]]:
    """Return the different texts, longest first, and the one of each row."""
    buffer, offsets = records.text()
    whole, ends = buffer.tobytes(), offsets.tolist()
    rows = [whole[a:b] for a, b in pairwise(ends)]
    # batches of like length waste little on padding, and none depends on the order of the rows; what needs most
    # memory comes first
    texts = sorted(set(rows), key=lambda text: (-len(text), text))
    number = {text: i for i, text in enumerate(texts)}
    return texts, np.fromiter((number[text] for text in rows), dtype=np.int64, count=len(rows))


def _from_cache_or_encoder(
    texts: Sequence[bytes], options: Encoder, progress: Progress
) -> tuple[NDArray[np.float32], str]:
    store, note = options.store()
    if store is None:
        if options.cache is None:
            progress.say(f"embedding: {note}")
        return _encoded(texts, options, None, np.empty((0, 2), np.uint64), progress, None), note
    store.prepare()
    digests = np.frombuffer(
        b"".join(hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest() for text in texts), dtype="<u8"
    ).reshape(-1, 2)
    digests = digests.astype(np.uint64)
    known, vectors = store.read(digests)
    if known.all():
        return vectors, note
    fresh = np.flatnonzero(~known)
    width = vectors.shape[1] if known.any() else None
    made = _encoded([texts[i] for i in fresh.tolist()], options, store, digests[fresh], progress, width)
    out = np.empty((len(texts), made.shape[1]), dtype=np.float32)
    out[fresh], out[known] = made, vectors if known.any() else 0
    return out, note


def _encoded(
    texts: Sequence[bytes],
    options: Encoder,
    store: EmbeddingCache | None,
    digests: NDArray[np.uint64],
    progress: Progress,
    width: int | None,
) -> NDArray[np.float32]:
    """Return the unit vectors of `texts`; what was made is written on the way, so that an interruption costs little."""
    encode = options.function()
    out: NDArray[np.float32] | None = None
    written = done = 0
    since = time.monotonic()
    try:
        with progress.stage("encoding", len(texts)) as stage:
            for first in range(0, len(texts), options.batch_size):
                batch = [text.decode() for text in texts[first : first + options.batch_size]]
                shown = [repr(shorten(text, _SHOWN, placeholder=" ...")) for text in batch]
                made = _unit(encoded(encode, batch, of="text", names=shown, width=width))
                if out is None:
                    width = made.shape[1]
                    out = np.empty((len(texts), width), dtype=np.float32)
                done = first + len(batch)
                out[first:done] = made
                stage.advance(len(batch))
                if store is not None and time.monotonic() - since > WRITE_EVERY:
                    store.write(digests[written:done], out[written:done])
                    written, since = done, time.monotonic()
    finally:
        if store is not None and out is not None:
            store.write(digests[written:done], out[written:done])
            store.join_files()
    assert out is not None
    return out


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors of length 1; those of zeros stay."""
    wide = vectors.astype(np.float64)
    length = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    return np.asarray(wide / np.where(length > 0, length, 1)[:, None], dtype=np.float32)
