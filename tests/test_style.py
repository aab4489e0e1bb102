"""The style rules that a machine can check. Each test names the file and line to mend."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tcpclose_model", "properties", "reports")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

# Packages that a package must not import: model <- properties <- reports.
LATER_PACKAGES = {
    "tcpclose_model": {"properties", "reports"},
    "properties": {"reports"},
    "reports": set[str](),
}
# The package's front door and its `python -m` may reach forward, the front door only lazily.
FRONT_DOOR = "tcpclose_model/__init__.py"
REACHES_FORWARD = {FRONT_DOOR, "tcpclose_model/__main__.py", "tcpclose_model/display.py"}
HEAVY = ("numba", "numpy", "z3", "pygraphviz", "PIL", "rich")

# In two halves, so that this file does not hold what it forbids.
REGISTRY_HOSTS = tuple(
    f"{name}.{rest}"
    for name, rest in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("anaconda", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
    )
)
# A path from the root of somebody's machine; not `~/work/x`, `a/work/x` or `example.org/home/`.
MACHINE_PATH = re.compile(r"(?<![\w.~$}<>*-])/(?:work|root|home|Users)(?:/|\b(?![\w.-]))")
SYNONYM = re.compile(r"(?:^|_)(?:FW1|FW2|FIN_ACK)(?:_|$)", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[str]:
    """The Python files under the folders, as sorted paths from the project's root."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


@cache
def text_of(name: str) -> str:
    """The text of a project file."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree_of(name: str) -> ast.Module:
    """The syntax tree of a project file."""
    return ast.parse(text_of(name), filename=name)


def imported_modules(node: ast.AST) -> set[str]:
    """The modules that one syntax node imports, by statement or by a literal name in a call."""
    match node:
        case ast.Import(names=names):
            return {alias.name for alias in names}
        case ast.ImportFrom(module=str(module), level=0):
            return {module}
        case ast.Call(
            func=ast.Name(id="__import__" | "import_module")
            | ast.Attribute(attr="__import__" | "import_module"),
            args=[ast.Constant(value=str(module)), *_],
        ):
            return {module}
    return set()


def imports(tree: ast.AST, *, lazy: bool = True) -> Iterator[tuple[int, str]]:
    """Line and top-level package of each import in the tree; `lazy`: also of those in functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function) and not lazy:
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not lazy:
            continue
        for module in sorted(imported_modules(node)):
            yield getattr(node, "lineno", 0), module.split(".")[0]
        yield from imports(node, lazy=lazy)


def undocumented(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The public functions, classes and methods without a docstring.

    A method that its class may have inherited a docstring for (the class has bases), an overload
    and a property's setter need none.
    """
    for node in body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        decorators = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
        if ast.get_docstring(node) is None and not decorators & {"overload", "setter", "deleter"}:
            yield f"line {node.lineno}: {prefix}{node.name}"
        if isinstance(node, ast.ClassDef) and not node.bases:
            yield from undocumented(node.body, f"{prefix}{node.name}.")


def tracked_files() -> list[str]:
    """The files that git tracks or would add; outside a repository, all but hidden folders'."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        visible = (path for path in paths if not any(part.startswith(".") for part in path.parts))
        return sorted(path.as_posix() for path in visible if "__pycache__" not in path.parts)
    return sorted(name for name in listed.stdout.split("\0") if (ROOT / name).is_file())


def text_lines(name: str) -> list[str]:
    """The lines of a text file; none for a binary one."""
    content = (ROOT / name).read_bytes()
    if b"\0" in content:
        return []
    try:
        return content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return []


def told(where: str, rule: str, breaches: list[str]) -> str:
    """The message of a failed rule, with every breach in full (pytest would shorten a list)."""
    return "\n  ".join([f"{where}: {rule}", *breaches])


every_package_file = pytest.mark.parametrize("name", python_files(*PACKAGES))


@pytest.mark.parametrize("package", PACKAGES)
def test_there_is_something_to_check_in_each_package(package: str) -> None:
    assert python_files(package), f"no Python file under {package}/"
    assert (ROOT / package / "py.typed").is_file()


@every_package_file
def test_imports_point_one_way(name: str) -> None:
    later = LATER_PACKAGES[name.split("/")[0]]
    if name == FRONT_DOOR:
        found = imports(tree_of(name), lazy=False)
    elif name in REACHES_FORWARD:
        return
    else:
        found = imports(tree_of(name))
    backwards = [f"line {line}: imports {package}" for line, package in found if package in later]
    assert not backwards, told(name, "model <- properties <- reports", backwards)


def test_the_model_is_imported_without_anything_heavy() -> None:
    unwanted = (*HEAVY, *LATER_PACKAGES["tcpclose_model"])
    program = (
        "import sys, tcpclose_model\n"
        f"print(*[name for name in {unwanted!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (0, "", "") == (result.returncode, result.stdout.strip(), result.stderr)


@pytest.mark.parametrize("name", python_files(*PACKAGES, "tests", "benchmarks", "examples"))
def test_every_module_has_a_docstring(name: str) -> None:
    assert ast.get_docstring(tree_of(name)), f"{name} has no docstring"


@every_package_file
def test_every_public_function_and_class_has_a_docstring(name: str) -> None:
    missing = list(undocumented(tree_of(name).body))
    assert not missing, told(name, "no docstring", missing)


@every_package_file
def test_a_file_fits_in_a_head(name: str) -> None:
    lines = len(text_of(name).splitlines())
    assert lines <= FILE_LINES_MAX, f"{name} has {lines} lines; split it"


@every_package_file
def test_a_function_fits_on_a_screen(name: str) -> None:
    long = [
        f"line {node.lineno}: {node.name} has {lines} lines"
        for node in ast.walk(tree_of(name))
        if isinstance(node, Function)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long, told(name, f"at most {FUNCTION_LINES_MAX} lines a function", long)


@every_package_file
def test_names_are_the_standards_own(name: str) -> None:
    tokens = tokenize.generate_tokens(io.StringIO(text_of(name)).readline)
    synonyms = [
        f"line {token.start[0]}: {token.string}"
        for token in tokens
        if token.type == tokenize.NAME and SYNONYM.search(token.string)
    ]
    rule = "write FIN_WAIT_1 and FIN_WAIT_2; every FIN carries an ACK, so none is named for it"
    assert not synonyms, told(name, rule, synonyms)


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    named = [
        f"{name}:{number}: {found}"
        for name in tracked_files()
        for number, line in enumerate(text_lines(name), start=1)
        for found in (
            *(host for host in REGISTRY_HOSTS if host in line.lower()),
            *(match.group() for match in MACHINE_PATH.finditer(line)),
        )
    ]
    assert not named, told("the project", "no registry host and no machine path", named)


@pytest.mark.parametrize("before", ["cd ", "'", "=", "file://", "(", ":", '"'])
@pytest.mark.parametrize("rest", ["work/main", "root", "home/me/x.py"])
def test_a_machine_path_is_recognised(before: str, rest: str) -> None:
    assert MACHINE_PATH.search(f"{before}/{rest}")


@pytest.mark.parametrize(
    "text", ["~/work/x", "a/work/x", "example.org/home/", "/homepage", "$HOME/work/x", "</root>"]
)
def test_another_path_is_no_machine_path(text: str) -> None:
    assert MACHINE_PATH.search(text) is None


def test_a_synonym_is_recognised_inside_a_name_too() -> None:
    names = ("FW1", "send_fin_ack", "IN_FW2", "FIN_ACKED_STEP", "FIN_WAIT_1")
    assert [True, True, True, False, False] == [bool(SYNONYM.search(name)) for name in names]


def test_an_import_inside_a_function_is_lazy() -> None:
    tree = ast.parse("import ast\ndef later():\n    from reports.cli import main\n")
    assert [(1, "ast")] == list(imports(tree, lazy=False))
    assert [(1, "ast"), (3, "reports")] == list(imports(tree))


def test_a_public_method_needs_a_docstring_and_a_private_one_does_not() -> None:
    tree = ast.parse("class A:\n    'A.'\n    def b(self): ...\n    def _c(self): ...\n")
    assert ["line 3: A.b"] == list(undocumented(tree.body))
