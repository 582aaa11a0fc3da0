"""Git, as it behaves everywhere."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from common import ForkError


class Git:
    """Run git in one folder, deaf to the user's and the system's configuration."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def __call__(self, *args, check=True, **environ):
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        env |= {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            # Never find a repository around the folder: ours is one.
            "GIT_CEILING_DIRECTORIES": str(self.folder.resolve().parent),
            "GIT_COMMITTER_NAME": "Django fork",
            "GIT_COMMITTER_EMAIL": "fork@example.invalid",
            "GIT_EDITOR": ":",
            "GIT_SEQUENCE_EDITOR": ":",
            "LC_ALL": "C",
            **environ,
        }
        quiet = ["-c", "core.excludesFile=", "-c", "core.attributesFile="]
        # Housekeeping goes on in the background, in folders that are thrown away.
        quiet += ["-c", "gc.auto=0", "-c", "maintenance.auto=false"]
        try:
            run = subprocess.run(
                ["git", *quiet, "-c", "core.autocrlf=false", *args],
                cwd=self.folder,
                env=env,
                capture_output=True,
            )
        except FileNotFoundError:
            raise ForkError("git is not installed") from None
        if check and run.returncode:
            output = (run.stdout + run.stderr).decode(errors="replace").strip()
            raise ForkError(f"git {args[0]} failed:\n{output}")
        return run.stdout.decode().strip() if check else run.returncode == 0

    def has(self, commit):
        return self("cat-file", "-e", f"{commit}^{{commit}}", check=False)

    @contextlib.contextmanager
    def aside(self, commit, cache):
        """Give a throw-away clone, to leave the files of this work tree alone."""
        with tempfile.TemporaryDirectory(prefix="tree-", dir=cache) as folder:
            self("clone", "--quiet", "--shared", "--no-checkout", ".", folder)
            other = Git(folder)
            other("checkout", "--quiet", "--detach", commit)
            yield other
            self("fetch", "--quiet", "--no-tags", folder, "HEAD")
