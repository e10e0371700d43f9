"""Tables that comparison algorithms return."""


class Messages(list):
    """Differences of two workspaces: one row for each message."""

    COLUMNS = ("Message", "Workspace 1", "Workspace 2")

    def __init__(self, texts, left, right):
        super().__init__(dict(zip(self.COLUMNS, (text, left, right))) for text in texts)

    def rowCount(self):
        return len(self)

    def columnCount(self):
        return len(self.COLUMNS)

    def getColumnNames(self):
        return list(self.COLUMNS)

    def row(self, index):
        return dict(self[index])

    def column(self, which):
        """The values of a column, by its name or number."""
        name = self.COLUMNS[which] if isinstance(which, int) else which
        return [row[name] for row in self]

    def cell(self, first, second):
        """cell(row, column number) or cell(column name, row)."""
        if isinstance(first, str):
            return self[second][first]
        return self[first][self.COLUMNS[second]]
