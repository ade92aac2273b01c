"""What a bench of one engine reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its target. `met` is None where there is none."""

    name: str
    measured: str
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of one engine. `method` (Markdown): what was measured on what data, and what was tuned on what other data.

    `notes` (Markdown): tables and pictures beyond the figures, and what is weak.
    """

    title: str
    method: str
    rows: tuple[Row, ...]
    notes: str = ""

    def markdown(self) -> str:
        """The section of the report."""
        lines = [f"## {self.title}", "", self.method.strip(), "", "| | Measured | Target | |", "| --- | --- | --- | --- |"]
        mark = {True: "met", False: "**missed**", None: ""}
        lines += [f"| {row.name} | {row.measured} | {row.target} | {mark[row.met]} |" for row in self.rows]
        return "\n".join([*lines, "", self.notes.strip()]).rstrip() + "\n"
