"""Finding files in the folders that the configuration names."""

import os

from mantid._config import config


class FileFinderImpl:
    """Looks for files as algorithms do."""

    def Instance(self):
        return self

    def getFullPath(self, name, ignore_dirs=False):
        """Path of a file in the data search folders; empty if there is none."""
        name = os.path.expanduser(str(name))
        folders = [os.getcwd(), *config.getDataSearchDirs(), *config.getInstrumentDirectories()]
        candidates = [name] if os.path.isabs(name) else [os.path.join(folder, name) for folder in folders]
        for path in candidates:
            if os.path.isfile(path) or (os.path.isdir(path) and not ignore_dirs):
                return path
        return ""

    def findRuns(self, hint, *_arguments, **_options):
        """Paths of the files of comma-separated runs; RuntimeError for a missing one."""
        found = []
        for part in str(hint).split(","):
            path = next(filter(None, (self.getFullPath(part.strip() + end) for end in ("", ".nxs", ".raw"))), "")
            if not path:
                raise RuntimeError(f"Unable to find file: {part.strip()!r} in {', '.join(config.getDataSearchDirs())}")
            found.append(path)
        return found

    def getCaseSensitive(self):
        return True

    def setCaseSensitive(self, sensitive):
        pass

    def __getattr__(self, name):
        from mantid._absent import absent_method

        raise absent_method("FileFinder", name)


FileFinder = FileFinderImpl()
