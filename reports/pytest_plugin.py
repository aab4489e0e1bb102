"""The pytest plugin: the fixture `tcpclose` checks a model within a test.

    def test_our_stack_never_deadlocks(tcpclose):
        tcpclose("our_stack.py:ours", "network.capacity=3", only=["no_deadlock"])

Nothing of the program is imported before a test asks for the fixture.  PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from properties.check import Result
    from tcpclose_model.model import Model


class Checker:
    """Checks models for one test; see `__call__`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        model: Model | str | Path,
        *settings: str,
        only: Iterable[str] = (),
        strict: bool = False,
        **limits: Any,  # Any: as `check` takes them
    ) -> Result:
        """Return the result of a check; the test fails unless every verdict is as expected.

        model: a Model, the name of one in the catalogue, `file.py` or `file.py:name`; a file is
            looked for in the current folder, then beside the test.
        settings: as `--set` takes them, such as "network.capacity=3".
        only: the properties to judge; strict: what was never put to the test fails, too.
        limits: as `properties.check.check` takes them; where one is hit, the test fails.
        """
        __tracebackhide__ = True
        import click

        from properties.check import check
        from properties.strictness import untested
        from reports.text import result_lines
        from tcpclose_model.errors import TcpcloseError

        try:
            result = check(self._found(model, settings), only=only, **limits)
        except TcpcloseError as error:
            pytest.fail(f"tcpclose: {error}", pytrace=False)
        missing = list(untested(result)) if strict else []
        if result.exit_status or missing:
            lines = [*result_lines(result), *(f"STRICT: {line}" for line in missing)]
            pytest.fail(click.unstyle("\n".join(lines)), pytrace=False)
        return result

    def _found(self, model: Model | str | Path, settings: tuple[str, ...]) -> Model:
        from reports.loading import one_model
        from tcpclose_model.variants.parameters import with_parameters

        if not isinstance(model, (str, Path)):
            return with_parameters(model, settings) if settings else model
        name = str(model)
        file = name.rpartition(":")[0] if ".py:" in name else name
        if file.endswith(".py") and not Path(file).exists():
            name = str(self.folder / name)
        return one_model(name, settings)


@pytest.fixture
def tcpclose(request: pytest.FixtureRequest) -> Checker:
    """Check a model of how TCP connections end: tcpclose(MODEL, "network.capacity=3", ...)."""
    return Checker(request.path.parent)
