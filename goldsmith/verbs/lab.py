"""The lab as the verbs use it: started on demand, told to people, and asked whether it is up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldsmith.errors import UnreachableError
from goldsmith.lab.lifecycle import Lab, running
from goldsmith.lab.settings import Settings
from goldsmith.lab.state import CA, TOKEN, State, password_file
from goldsmith.verbs import output
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from goldsmith.verbs.flags import Request
    from goldsmith.wiring import OnSite


def lab_up(request: Request) -> None:
    """Start the lab."""
    count = request.vcenter_count()
    session = Session.here()
    up(session, vcenters=count)
    session.progress.note(f"the lab {session.lab_name} is up; './inv lab-status' says how to reach it")


def lab(session: Session, *, vcenters: int) -> Lab:
    """Return the lab that the environment names."""
    return Lab(
        settings=Settings.here(session.environment, count=vcenters),
        engine=session.lab_engine,
        workspace=session.workspace,
        runner=session.runner,
        progress=session.progress,
        ensure=session.builder.ensure,
    )


def up(session: Session, *, vcenters: int = 1) -> State:
    """Start the lab unless it is up; one that runs with other images or another count is restarted."""
    from goldsmith.toolbox import images

    image, guest = (
        images.reference(name, images.digest(images.image(name), session.lock, session.workspace.root))
        for name in ("lab-vcenter", "lab-guest")
    )
    there = _running(session, guest)
    wanted = Settings.here(session.environment, count=vcenters).digest(image=image, guest_image=guest)
    if there is not None and there.settings == wanted:
        return there
    return lab(session, vcenters=vcenters).up()


def on_demand(session: Session) -> State:
    """Return the lab as it runs, or start one: whoever only needs a lab must not lose what is in theirs.

    One that runs and does not answer at this moment is left alone: its clients say so, and 'lab-up' renews it.
    """
    return _running(session, healthy=False) or lab(session, vcenters=1).up(replace=False)


def _running(session: Session, *images: str, healthy: bool = True) -> State | None:
    """Return the lab as it runs, asked the quick way, provided that *images* exist."""
    from goldsmith.toolbox.engine.probe import candidates

    # Any docker will do to ask; to start something, the one that has the plugins is looked for.
    cli = next(iter(candidates(session.environment)), None)
    settings = Settings.here(session.environment)
    if cli is None:
        return None
    return running(
        settings, cli=cli, images=images, workspace=session.workspace, runner=session.runner, healthy=healthy
    )


def lab_down(_request: Request) -> None:
    """Stop the lab and forget everything in it."""
    session = Session.here()
    there = lab(session, vcenters=1).down()
    session.progress.note("the lab is down" if there else "there was no lab to stop")


def answers(on: OnSite) -> bool:
    """Return whether the site can be asked: a lab that is down is no error for verbs that only look.

    Raises what :meth:`goldsmith.config.Effective.credentials` does for any other site.
    """
    try:
        _ = on.credentials
    except UnreachableError:
        if on.site.is_lab:
            return False
        raise
    return True


def lab_status(request: Request) -> None:
    """Show whether the lab is up, how to reach it, and what runs in it."""
    session = Session.here()
    found = lab(session, vcenters=1)
    state, containers = found.status()
    guests = [
        {"vm": one.vm, "vcenter": one.labels.get("goldsmith.lab.vcenter", ""), "running": one.running}
        for one in containers
        if one.vm
    ]
    if request.json:
        output.json({"name": found.settings.name, "up": state is not None, **_known(found, state), "guests": guests})
    elif state is None:
        left = ", but containers of it exist: a killed run's, or another user's" if containers else ""
        session.progress.note(f"the lab {found.settings.name} is not up{left}; './inv lab-up' starts it")
    else:
        _show(found, state, guests)


def _known(found: Lab, state: State | None) -> dict[str, Any]:
    if state is None:
        return {}
    return {
        "admin": state.admin,
        "token_file": str(found.folder / TOKEN),
        "ca_file": str(found.folder / CA),
        "vcenters": [
            {
                "name": one.name,
                "server": one.server,
                "user": one.user,
                "password_file": str(password_file(found.folder, one.name)),
                "datastore": one.datastore,
            }
            for one in state.vcenters
        ],
    }


def _show(found: Lab, state: State, guests: list[dict[str, Any]]) -> None:
    known = _known(found, state)
    names = ("name", "server", "user", "password_file", "datastore")
    output.table(("vCenter", "address", "user", "password file", "datastore"), [
        tuple(one[name] for name in names) for one in known["vcenters"]
    ])  # fmt: skip
    if guests:
        rows = [(one["vm"], one["vcenter"], "running" if one["running"] else "off") for one in guests]
        output.table(("machine", "vCenter", "power"), rows)
    first = known["vcenters"][0]
    output.lines(
        "",
        "with govc:",
        f"  export GOVC_URL={first['server']} GOVC_USERNAME={first['user']} GOVC_TLS_CA_CERTS={known['ca_file']}",
        f'  export GOVC_PASSWORD="$(cat {first["password_file"]})"',
    )
