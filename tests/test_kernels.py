"""The compiled kernels are those of the sources that are there, never of an earlier text."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba", reason="the extra `fast` is not installed")

from tcpclose_model.engines.fast import compiled, graphs, steps

FOLDER = Path(compiled.__file__).parent
DECORATORS = {"kernel", "inlined", "making_arrays", "intrinsic"}

CONSTANTS = "WIDTH = {width}\n"
KERNEL = """
from constants import WIDTH
from tcpclose_model.engines.fast.compiled import kernel

@kernel
def twice():
    return 2 * WIDTH
"""


def loaded(file: Path) -> Any:  # Any: a module's names have no types
    """Return a module that is imported anew."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def twice(folder: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Return what a kernel says that reads a constant of another file; and hits in its cache."""
    constants, kernel = folder / "constants.py", folder / "its_kernel.py"
    constants.write_text(CONSTANTS.format(width=width), encoding="utf-8")
    kernel.write_text(KERNEL, encoding="utf-8")
    # Python tells a text that has changed by its size and its time, in whole seconds.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(compiled, "SOURCES", compiled.digest([constants, kernel]))
    monkeypatch.setitem(sys.modules, "constants", loaded(constants))
    module = loaded(kernel)
    return module.twice(), sum(module.twice.stats.cache_hits.values())


def test_a_kernel_is_compiled_anew_when_a_constant_of_another_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (6, 0) == twice(tmp_path, 3, monkeypatch)
    assert (6, 1) == twice(tmp_path, 3, monkeypatch)
    assert (10, 0) == twice(tmp_path, 5, monkeypatch)


def test_every_kernel_is_kept_under_the_digest_of_all_sources() -> None:
    files = [FOLDER / f"{name}.py" for name in compiled.FILES]
    assert compiled.SOURCES == compiled.digest(files)
    for made in (graphs.reach_back, graphs.tarjan, steps.steps_of):
        assert compiled.SOURCES in made._cache._cache_file._source_stamp


def test_the_digest_tells_a_word_that_moves_to_another_file(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    found = set()
    for texts in (("ab", "c"), ("a", "bc"), ("abc", "")):
        for file, text in zip((one, other), texts, strict=True):
            file.write_text(text, encoding="utf-8")
        found.add(compiled.digest([one, other]))
    assert 3 == len(found)


def tree_of(file: Path) -> ast.Module:
    """Return what a module's text says."""
    return ast.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: str(file.stem))
def test_kernels_and_all_that_they_read_are_in_the_digest(file: Path) -> None:
    tree = tree_of(file)
    marks = {
        one.id
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for one in node.decorator_list
        if isinstance(one, ast.Name)
    }
    if marks & DECORATORS:
        assert file.stem in compiled.FILES
    if file.stem in compiled.FILES:
        read = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        ours = {name.split(".")[-1] for name in read if name.startswith("tcpclose_model")}
        assert ours <= set(compiled.FILES)
