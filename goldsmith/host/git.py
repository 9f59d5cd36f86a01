"""What git says about this checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.host.runner import Command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from goldsmith.host.runner import Runner


def commit(root: Path, *, runner: Runner, tell: Callable[[str], None]) -> str:
    """Return the repository's commit, with ``-dirty`` where files differ; empty outside of git.

    *tell* takes why a repository has none, as git refuses another user's: the record then lacks what it was made of.
    """
    # A caller's own git - a hook's, say - leads to another repository; so does one around an unpacked archive.
    ceiling = {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    # Through env, which says by its status that there is no git: a checkout without one builds, too.
    argv = ("env", "git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    done = runner.run(Command(argv=argv, env=ceiling, without=("GIT_",)), check=False)
    if done.returncode == 0:
        return done.stdout.strip()
    if (root / ".git").exists():
        tell(f"no commit will be recorded, because git does not say it: {done.stderr.strip()}")
    return ""
