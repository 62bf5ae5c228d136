"""The weighted mean of updates."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from harness.blobs import blob_of
from harness.errors import BlobError, TrainerError
from harness.learning.aggregation.mean import BLOCK_VALUES, weighted_mean
from harness.learning.slices import SLICE_VALUES
from harness.learning.tensors import write_state


def write(path: Path, **tensors: object) -> Path:
    write_state(path, {name: torch.as_tensor(values, dtype=torch.float32) for name, values in tensors.items()})
    return path


floats = st.floats(-(2.0**100), 2.0**100, width=32)
samples = st.integers(1, 100_000)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.lists(floats, min_size=3, max_size=3), samples), min_size=1, max_size=6))
def test_it_is_the_mean_in_float64_rounded_once(clients: list[tuple[list[float], int]]) -> None:
    with TemporaryDirectory() as folder:
        files = [write(Path(folder, str(i)), w=values) for i, (values, _) in enumerate(clients)]
        weighted_mean([(file, n) for file, (_, n) in zip(files, clients, strict=True)], Path(folder, "out"))
        got = load_file(Path(folder, "out"))["w"].numpy()
    counts = np.array([n for _, n in clients], dtype=np.float64)
    wanted = np.average(np.array([values for values, _ in clients], dtype=np.float64), axis=0, weights=counts)
    largest = max(abs(value) for values, _ in clients for value in values)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=max(1e-12 * largest, 1e-45))


@settings(max_examples=25, deadline=None)
@given(st.lists(floats, min_size=1, max_size=5), st.lists(samples, min_size=1, max_size=6))
def test_equal_updates_give_themselves_to_the_byte(values: list[float], counts: list[int]) -> None:
    with TemporaryDirectory() as folder:
        update = write(Path(folder, "update"), w=values, b=[[1.0, 2.0]])
        out = Path(folder, "out")
        digest = weighted_mean([(update, n) for n in counts], out)
        assert out.read_bytes() == update.read_bytes()
        assert digest == blob_of(out).sha256


def test_clients_weigh_by_their_samples(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", w=[0.0, 4.0]), write(tmp_path / "b", w=[8.0, 8.0])
    weighted_mean([(a, 3), (b, 1)], tmp_path / "out")
    assert load_file(tmp_path / "out")["w"].tolist() == [2.0, 5.0]


def test_names_that_differ_are_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", w=[1.0], v=[1.0]), write(tmp_path / "b", w=[1.0])
    with pytest.raises(BlobError, match=r"b lacks tensor v"):
        weighted_mean([(a, 1), (b, 1)], tmp_path / "out")
    with pytest.raises(BlobError, match=r"a has the unknown tensor v"):
        weighted_mean([(b, 1), (a, 1)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_shapes_that_differ_are_refused(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", w=[1.0]), write(tmp_path / "b", w=[1.0, 2.0])
    with pytest.raises(BlobError, match=r"tensor w of .*b is \[2\] instead of \[1\]"):
        weighted_mean([(a, 1), (b, 1)], tmp_path / "out")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    a, b = write(tmp_path / "a", w=[1.0]), write(tmp_path / "b", w=[value])
    with pytest.raises(TrainerError, match=r"tensor w of .*b has values that are not finite"):
        weighted_mean([(a, 1), (b, 1)], tmp_path / "out")


def test_files_that_are_no_updates_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no tensors")
    with pytest.raises(BlobError, match="is no safetensors file"):
        weighted_mean([(tmp_path / "a", 1)], tmp_path / "out")
    with pytest.raises(BlobError, match="absent cannot be read"):
        weighted_mean([(tmp_path / "absent", 1)], tmp_path / "out")
    with pytest.raises(TrainerError, match="no updates"):
        weighted_mean([], tmp_path / "out")
    with pytest.raises(TrainerError, match="reports 0 samples"):
        weighted_mean([(write(tmp_path / "b", w=[1.0]), 0)], tmp_path / "out")


def test_memory_holds_slices_and_not_states(tmp_path: Path) -> None:
    """Updates of 128 MB: what a process takes beyond itself, with up to four threads, stays far below one of them."""
    program = """
import sys
from pathlib import Path
from harness.learning.aggregation.mean import BLOCK_VALUES, weighted_mean
from harness.learning.slices import SLICE_VALUES

def peak_mb():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024

before, folder = peak_mb(), Path(sys.argv[1])
weighted_mean([(folder / "a", 2)] * 4, folder / "mean")
print(peak_mb() - before)
"""
    write(tmp_path / "a", w=torch.ones(32_000_000))
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert 4 < float(done.stdout) < 64
    assert blob_of(tmp_path / "mean") == msgspec.structs.replace(blob_of(tmp_path / "a"), name="mean")


def test_many_slices_and_blocks_have_the_bits_of_one_plain_sum(tmp_path: Path) -> None:
    """Tensors that begin within a slice, slices that end within a tensor, and threads that are ahead with them."""
    chance = np.random.default_rng(0)
    shapes = {"a": (3,), "b": (1500, 1000), "c": (), "d": (0, 4), "e": (BLOCK_VALUES + 1,), "f": (700, 1001)}
    clients = [
        {name: np.asarray(chance.standard_normal(shape), np.float32) for name, shape in shapes.items()}
        for _ in range(3)
    ]
    counts = (7, 1, 30)
    files = [write(tmp_path / str(place), **client) for place, client in enumerate(clients)]
    digest = weighted_mean(list(zip(files, counts, strict=True)), tmp_path / "out")
    got = load_file(tmp_path / "out")
    for name in shapes:
        first, second, third = (client[name].astype(np.float64) * n for client, n in zip(clients, counts, strict=True))
        wanted = ((first + second + third) / sum(counts)).astype(np.float32)
        assert got[name].numpy().tobytes() == wanted.tobytes()
    assert digest == blob_of(tmp_path / "out").sha256


def test_files_whose_tensors_lie_in_another_order_have_the_same_mean(tmp_path: Path) -> None:
    told = {"a": np.arange(4, dtype=np.float32), "b": np.full((2, 2), 7, np.float32)}
    plain = write(tmp_path / "plain", **told)
    header = {"b": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    header["a"] = {"dtype": "F32", "shape": [4], "data_offsets": [16, 32]}
    text = msgspec.json.encode(header)
    text += b" " * (-len(text) % 8)
    turned = tmp_path / "turned"
    turned.write_bytes(len(text).to_bytes(8, "little") + text + told["b"].tobytes() + told["a"].tobytes())
    weighted_mean([(plain, 1), (turned, 5)], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == plain.read_bytes()


def test_the_first_update_that_is_not_finite_is_named_wherever_it_is(tmp_path: Path) -> None:
    large = np.zeros(3 * SLICE_VALUES, np.float32)
    large[-1] = -np.inf
    good = write(tmp_path / "good", v=[1.0], w=np.zeros_like(large))
    bad = write(tmp_path / "bad", v=[1.0], w=large)
    worse = write(tmp_path / "worse", v=[1.0], w=-large)  # the sum of both is not a number
    with pytest.raises(TrainerError, match=r"tensor w of .*/bad has values that are not finite"):
        weighted_mean([(good, 1), (bad, 1), (worse, 1)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_largest_values_do_not_overflow(tmp_path: Path) -> None:
    largest = np.full(4, np.finfo(np.float32).max)
    update = write(tmp_path / "a", w=largest)
    weighted_mean([(update, 100_000)] * 30, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == update.read_bytes()
