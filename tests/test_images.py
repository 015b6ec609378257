"""Images as rows: how they enter, what counts as equal, what happens to those that cannot be read."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

import splitleak
from splitleak import DataMismatchError, InputError, SplitleakWarning
from splitleak._tables import open_source
from splitleak._tables.decoding import UnreadableImageError, decode
from splitleak.records import as_records
from tests.images import encoded, picture, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("images") / "photos")


PICTURE = picture(0)


def pixels(item: Any) -> Any:
    return np.asarray(decode(item))


def test_folder_is_read_in_the_order_of_names(folder: Path) -> None:
    source = open_source(str(folder))
    names = source.column("path").to_pylist()
    assert names == sorted(names)
    assert len(names) == 41  # the note and the hidden file are left out
    assert names[0] == "cats/01.png"
    assert set(source.column("folder").to_pylist()) == {"cats", "dogs"}
    assert source.take([0]) == [str(folder / "cats" / "01.png")]
    assert source.describe() == "folder photos, 41 rows"


def test_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="is a folder without images"):
        open_source(tmp_path)


def test_all_ways_in_are_the_same_rows(folder: Path, tmp_path: Path) -> None:
    paths = sorted((folder / "cats").glob("*.png"))
    texts = [str(path) for path in paths]
    data = [path.read_bytes() for path in paths]
    structs = pa.array([{"bytes": d, "path": None} for d in data])
    pd.DataFrame({"file": [p.name for p in paths], "label": 1}).to_csv(folder / "cats" / "list.csv")
    arrays = np.stack([np.asarray(Image.open(path)) for path in paths])
    hashes = as_records(paths).row_hashes.tolist()
    assert len(set(hashes)) == len(paths)
    assert as_records([Image.open(path) for path in paths]).row_hashes.tolist() == hashes
    assert as_records(data).row_hashes.tolist() == hashes
    assert as_records(arrays).row_hashes.tolist() == hashes
    assert as_records(list(arrays)).row_hashes.tolist() == hashes
    assert as_records(texts, kind="image").row_hashes.tolist() == hashes
    table = pd.DataFrame({"file": texts, "label": 1})
    assert as_records(table, on="file", kind="image").row_hashes.tolist() == hashes
    assert as_records(pa.table({"image": structs, "label": [1] * len(paths)})).row_hashes.tolist() == hashes
    # paths in a file start from its folder
    found = splitleak.similarity_graph(folder / "cats" / "list.csv", on="file", similarity="pixels")
    assert found.n_rows == len(paths)


def test_hugging_face_images(folder: Path) -> None:
    import datasets

    paths = sorted((folder / "cats").glob("*.png"))
    data = datasets.Dataset.from_dict({"image": [str(p) for p in paths], "label": list(range(len(paths)))})
    data = data.cast_column("image", datasets.Image())
    records = as_records(data, exclude=["label"])
    assert records.kind == "image"
    assert records.row_hashes.tolist() == as_records(paths).row_hashes.tolist()


def test_transparent_is_laid_over_white() -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (255, 0, 0, 255))
    assert pixels(image).tolist() == [[[255, 255, 255], [255, 0, 0]]]
    assert pixels(encoded(image)).tolist() == pixels(image).tolist()
    palette = Image.new("P", (1, 1))
    palette.info["transparency"] = 0
    assert pixels(encoded(palette)).tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LA", "RGBA", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    image = Image.new(mode, (3, 2))
    assert decode(image).mode == "RGB"
    assert decode(image).size == (3, 2)


def test_sixteen_bits_are_divided_by_257() -> None:
    values = np.array([[0, 128, 129, 257, 32896, 65535]], dtype=np.uint16)
    wanted = [[[v] * 3 for v in (0, 0, 1, 1, 128, 255)]]
    assert pixels(values).tolist() == wanted
    assert pixels(encoded(Image.fromarray(values))).tolist() == wanted
    assert pixels(Image.fromarray(values.astype(np.int32))).tolist() == wanted


def test_arrays() -> None:
    assert pixels(np.array([[True, False]])).tolist() == [[[255] * 3, [0] * 3]]
    assert pixels(np.array([[0.0, 0.5, 1.0]])).tolist() == [[[0] * 3, [128] * 3, [255] * 3]]
    assert pixels(np.array([[[7]]], dtype=np.uint8)).tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (np.zeros((0, 4), np.uint8), "0 pixels"),
        (Image.new("RGB", (0, 3)), "0 pixels"),
        (np.zeros((3, 4, 2), np.uint8), "shape .3, 4, 2."),
        (np.full((2, 2), 7.0), "floats outside"),
        (np.full((2, 2), np.nan), "floats outside"),
        (np.zeros((2, 2), np.int64), "array of int64"),
        (b"", "no image of a format"),
        (b"not an image", "no image of a format"),
        (Path("nowhere.png"), "no such file"),
        (encoded(PICTURE)[:-3000], "truncated|broken"),
    ],
)
def test_what_is_no_image_says_why(item: Any, told: str) -> None:
    with pytest.raises(UnreadableImageError, match=told):
        decode(item)


def test_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(PICTURE, "PNG", exif=exif)
    assert pixels(data).shape == (96, 64, 3)
    assert pixels(data).tolist() == np.rot90(PICTURE, 3).tolist()


def test_animation_counts_by_its_first_frame() -> None:
    first, second = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    data = encoded(first, "GIF", save_all=True, append_images=[second])
    assert pixels(data)[0, 0].tolist() == [255, 0, 0]


def test_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 96 * 64 - 1)
    with pytest.warns(SplitleakWarning, match=r"row 1 \(more than 6,143 pixels; if the file is trusted"):
        graph = splitleak.similarity_graph([picture(1), encoded(PICTURE)], similarity="pixels")
    assert graph.details["invalid"] == [1]


def test_unreadable_images_are_named_and_not_fatal(folder: Path) -> None:
    with pytest.warns(SplitleakWarning, match=r"1 of 41 images cannot be read .*: dogs/broken.png \("):
        split = splitleak.split_by_similarity(folder, sizes={"train": 0.7, "test": 0.3})
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"
    assert split.provenance is not None
    assert any("dogs/broken.png" in note for note in split.provenance.notes)
    assert split.provenance.options["similarity"] == "phash"
    # each picture is with its smaller copy
    names = open_source(folder).column("path").to_pylist()
    of = dict(zip(names, split.codes.tolist(), strict=True))
    assert all(of[name] == of[name.replace(".png", "_small.jpg")] for name in names if name[-6:-4].isdigit())


def test_unreadable_images_can_be_an_error(folder: Path) -> None:
    for backend in ("phash", "pixels"):
        with pytest.raises(InputError, match=r"data has 1 image that cannot be read: dogs/broken.png"):
            splitleak.similarity_graph(folder, similarity=f"{backend}(invalid=error)")
    with pytest.raises(InputError, match="invalid='drop' is not known"):
        splitleak.similarity_graph([PICTURE, PICTURE], similarity="pixels(invalid=drop)")


def test_no_readable_image_is_an_error() -> None:
    with pytest.raises(InputError, match=r"data has no image that can be read: a.jpg \(no such file\)"):
        splitleak.similarity_graph(["a.jpg", "b.JPEG"])
    for backend in ("phash", "pixels"):
        with pytest.raises(InputError, match="no image that can be read"):
            splitleak.similarity_graph([b"1", b"2"], similarity=backend)


def test_file_names_are_texts_when_compared_as_such() -> None:
    assert splitleak.similarity_graph(["a.jpg", "a.jpg"], similarity="exact").n_pairs == 1
    assert splitleak.similarity_graph(["a.jpg", "a picture"], similarity="auto").n_pairs == 0


def test_split_knows_its_images_again(folder: Path, tmp_path: Path) -> None:
    paths = [str(path) for path in sorted((folder / "cats").iterdir()) if path.suffix in (".png", ".jpg")]
    split = splitleak.split_by_similarity(paths, sizes={"train": 0.5, "test": 0.5})
    split.save(tmp_path / "split.parquet")
    split = splitleak.Split.load(tmp_path / "split.parquet")
    parts = split.take(paths)
    assert sorted(parts["train"] + parts["test"]) == paths
    assert splitleak.certify(paths, split).verdict == "separated"
    other = tmp_path / "other.png"
    Image.fromarray(picture(99)).save(other)
    with pytest.raises(DataMismatchError, match="row 3 has other content"):
        split.take([*paths[:3], str(other), *paths[4:]])


def test_frame_has_paths_and_classes(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SplitleakWarning)
        split = splitleak.split_by_similarity(folder, sizes={"train": 0.7, "test": 0.3}, stratify="folder")
    frame = split.frame(folder)
    assert list(frame.columns) == ["row", "partition", "cluster", "path", "folder"]
    assert split.strata is not None
    assert split.strata[0].labels == ("cats", "dogs")


def test_row_order_does_not_matter(folder: Path) -> None:
    paths = sorted((folder / "cats").glob("*.*g"))
    mixed = np.random.default_rng(0).permutation(len(paths))
    first = splitleak.split_by_similarity(paths, sizes={"train": 0.5, "test": 0.5})
    second = splitleak.split_by_similarity([paths[i] for i in mixed], sizes={"train": 0.5, "test": 0.5})
    assert second.codes.tolist() == first.codes[mixed].tolist()


def test_a_list_of_images_holds_images() -> None:
    with pytest.raises(InputError, match="data is a list of images, and row 1 holds float"):
        open_source([PICTURE, 0.5])


def test_columns_that_hold_no_images() -> None:
    with pytest.raises(InputError, match="column 'n' cannot be compared as images: it holds int64 values"):
        splitleak.similarity_graph({"n": [1, 2]}, on="n", similarity="pixels")
    with pytest.raises(InputError, match="cannot be compared as images: name one column"):
        splitleak.similarity_graph({"a": ["x"], "b": ["y"]}, on=["a", "b"], similarity="pixels")
    with pytest.raises(
        InputError, match="similarity='jaccard' compares text rows, and the data has image rows"
    ):
        splitleak.similarity_graph([PICTURE], similarity="jaccard")
    with pytest.raises(InputError, match="kind='text' does not go with data that holds images"):
        as_records([PICTURE], kind="text")


def test_a_function_of_two_images() -> None:
    graph = splitleak.similarity_graph(
        [PICTURE, picture(1), PICTURE], similarity=lambda a, b: float(a.tobytes() == b.tobytes())
    )
    assert graph.frame()[["left", "right"]].values.tolist() == [[0, 2]]
