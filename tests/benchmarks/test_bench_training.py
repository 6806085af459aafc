"""The benchmarks of training on a processor that does not multiply bfloat16."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from ecgpipe.model.params import ModelParams
from tests.benchmarks import __main__ as table
from tests.benchmarks import bench_training
from tests.benchmarks.measuring import LeftOut, Row, seconds

ROOT = Path(__file__).parents[2]
SMALL = ModelParams(width=4, stem_kernel=15, kernel=7, dropout=0, reduction=4, demographics=True)
# torch's libraries keep to AVX2 as well, which knows no bfloat16.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
WITHOUT = "import torch; torch.cpu.get_capabilities = lambda: {'avx2': True}; "


@pytest.fixture
def _without_bf16(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})


@pytest.mark.usefixtures("_without_bf16")
def test_what_needs_bfloat16_is_left_out_by_name(monkeypatch):
    monkeypatch.setattr(bench_training, "FULL", SMALL)
    monkeypatch.setattr(bench_training, "SIDE", 64)
    monkeypatch.setattr(bench_training, "seconds", partial(seconds, most_s=0.0))
    exact, left_out = bench_training.predictions()
    assert isinstance(exact, Row) and isinstance(left_out, LeftOut)
    assert (exact.step, exact.limited_by) == (
        "inference, 12 x 4096, float32",
        "matrix products in float32 alone",
    )
    assert left_out.step == "inference, 12 x 4096, bfloat16"
    assert "does not multiply bfloat16" in left_out.reason


def said_without_bfloat16(script: str, timeout: float) -> str:
    """What a script prints within so many seconds, in a process held to AVX2."""
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | AVX2,
        capture_output=True,
        text=True,
        check=True,
        timeout=timeout,
    )
    return run.stdout


@pytest.mark.campaign
def test_the_limit_is_measured_in_seconds_without_bfloat16():
    script = f"{WITHOUT} from tests.benchmarks import bench_training as b; "
    script += "b.SIDE = 256; print(b.limit(9.6))"
    assert "matrix products in float32 alone" in said_without_bfloat16(script, timeout=60)


@pytest.mark.usefixtures("_without_bf16")
def test_the_page_names_the_machine_what_it_lacks_and_what_was_left_out():
    about = table.machine()
    assert f"{os.cpu_count()} cores of" in about
    assert "with avx2 of these, without avx512_f, avx512_vnni, avx512_bf16, amx_bf16" in about
    page = table.page(["| a row |"], ["Left out: a step; a reason."], about, 123.4)
    assert about in page
    assert f"torch {torch.__version__}" in page
    assert "one run of 123 s" in page
    assert "Left out: a step; a reason." in page
    assert "No row was left out." in table.page(["| a row |"], [], about, 1.0)


@pytest.mark.campaign
def test_the_whole_table_ends_within_four_minutes_without_bfloat16():
    script = f"{WITHOUT} from tests.benchmarks import __main__ as table; table.main(table.NAMES)"
    said = said_without_bfloat16(script, timeout=240)
    print(said)
    assert said.count("\n| ") > 10
    assert "Left out: inference, 12 x 4096, bfloat16" in said
