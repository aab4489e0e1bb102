"""A comparison of two models as GitHub shows it: annotations on the rows, and a summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from properties.row_changes import RowChange, functions_changed
from reports.diff_formats import diff_markdown
from reports.diff_words import broken, counts, headline, of, parted_runs, shown
from reports.difference import Difference
from reports.github import append, command
from reports.ladder import ladder
from reports.loading import origin_of
from reports.row_places import place_of_row


def commands(found: Difference) -> Iterator[str]:
    """Yield an annotation for each changed row, on its line; without one, on the model's.

    It is a warning if a verdict is violated that was not before, else a notice: to refuse an edit
    is for `baseline check`.
    """
    if found.status == 0 and not any(found.rows.values()) and not found.settings:
        return
    kind = "warning" if broken(found) else "notice"
    body = "\n".join(_body(found))
    rows = [(end, change) for end, changed in found.rows.items() for change in changed]
    for end, change in rows:
        name = f"row {change.name}{of(end, found.rows)} {change.what}"
        file, line, instead = _place(found, change)
        note = f"(shown at {instead})\n" if instead else ""
        yield command(kind, f"{_names(found)}: {name}", f"{name}\n{note}{body}", file, line)
    if not rows:
        origin = origin_of(found.new.model)
        file, line = (origin.file, origin.line) if origin is not None else ("", 0)
        yield command(kind, _names(found), body, file, line)


def _names(found: Difference) -> str:
    return f"{found.old.model.name} -> {found.new.model.name}"


def _place(found: Difference, change: RowChange) -> tuple[str, int, str]:
    place = place_of_row(found.new.model, change.name, functions_changed(change))
    return ("", 0, "") if place is None else (place.file, place.line, place.instead)


def _body(found: Difference) -> Iterator[str]:
    yield f"{_names(found)}: {headline(found)}"
    for name, (before, after) in found.settings.items():
        yield f"set {name}: {shown(before)} -> {shown(after)}"
    for name, before, after in found.moved:
        yield f"verdict {name}: {before or '-'} -> {after or '-'}"
    yield "; ".join(f"{name} {old:,} -> {new:,}" for name, old, new in counts(found))
    runs = [(f"{v.property.name}: {v.detail}", v.run) for v in broken(found)]
    runs += [(what, parted.run) for what, parted in parted_runs(found)]
    for what, run in runs:
        if run is not None:
            yield f"{what}: {len(run)} steps"
            yield ladder(run, notes="none").rstrip()
            return


def append_summary(found: Sequence[Difference]) -> None:
    """Append the comparisons, with Mermaid ladders, to the summary of the job, if there is one."""
    lines = ["## tcpclose diff", ""]
    for one in found:
        lines += [*diff_markdown(one), ""]
    append("\n".join(lines) + "\n")
