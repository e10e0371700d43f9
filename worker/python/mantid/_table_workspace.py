"""Table workspaces: named columns of numbers and texts."""

from livedata import _engine
from mantid._workspaces import Workspace
from mantid._wrap import kind


class ITableWorkspace(Workspace):
    """Rows under named columns."""

    __module__ = "mantid.api._api"

    def rowCount(self):
        return _engine.table_rows(self)

    def __len__(self):
        return self.rowCount()

    def columnCount(self):
        return len(_engine.table_columns(self))

    def getColumnNames(self):
        return [name for name, _ in _engine.table_columns(self)]

    def keys(self):
        return self.getColumnNames()

    def columnTypes(self):
        return [kind for _, kind in _engine.table_columns(self)]

    def addColumn(self, type, name, plottype=None):
        """Adds a column of zeros or empty texts; False for a duplicate name or unknown type."""
        if name in self.getColumnNames():
            return False
        _engine.add_table_column(self, str(type), str(name))
        return True

    def removeColumn(self, name):
        _engine.remove_table_column(self, name)

    def _index(self, column):
        """The index of a column, by its name or number."""
        names = self.getColumnNames()
        if isinstance(column, str):
            if column not in names:
                raise RuntimeError(f"Column {column} does not exist.")
            return names.index(column)
        if not -len(names) <= column < len(names):
            raise ValueError(f"column {column} is out of range: the table has {len(names)}")
        return column % len(names)

    def _row(self, row):
        count = self.rowCount()
        if not 0 <= row < count:
            raise ValueError(f"row {row} is out of range: the table has {count}")
        return row

    def column(self, column):
        """The values of a column, by its name or number."""
        return _engine.table_column(self, self._index(column))

    def row(self, row):
        """A row as a dictionary by column."""
        self._row(row)
        names = self.getColumnNames()
        return {name: _engine.table_cell(self, row, at) for at, name in enumerate(names)}

    def cell(self, first, second):
        """cell(row, column number) or cell(column name, row)."""
        row, column = (second, first) if isinstance(first, str) else (first, second)
        return _engine.table_cell(self, self._row(row), self._index(column))

    def setCell(self, first, second, value, notify_replace=True):
        """setCell(row, column number, value) or setCell(column name, row, value)."""
        row, column = (second, first) if isinstance(first, str) else (first, second)
        _engine.set_table_cell(self, self._row(row), self._index(column), value)

    def addRow(self, values):
        """Adds a row: a list in the columns' order, or a dictionary by column."""
        names = self.getColumnNames()
        if hasattr(values, "keys"):
            if sorted(values.keys()) != sorted(names):
                raise KeyError(f"a row needs one value for each of the columns {', '.join(names)}")
            values = [values[name] for name in names]
        else:
            values = list(values)
            if len(values) != len(names):
                raise ValueError(f"a row needs {len(names)} values, but {len(values)} were given")
        _engine.add_table_row(self, values)

    def setRowCount(self, count):
        _engine.set_table_rows(self, int(count))

    def removeRow(self, row):
        _engine.remove_table_row(self, self._row(row))

    def getTitle(self):
        return _engine.table_title(self)

    def setTitle(self, title):
        _engine.set_table_title(self, title)

    def toDict(self):
        """The columns as lists, by name."""
        return {name: self.column(name) for name in self.getColumnNames()}

    def __getitem__(self, row):
        return self.row(row)

    def __iter__(self):
        return (self.row(row) for row in range(self.rowCount()))


@kind("TableWorkspace")
class TableWorkspace(ITableWorkspace):
    """Rows under named columns."""

    __module__ = "mantid.dataobjects._dataobjects"
