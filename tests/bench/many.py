"""Fills a lab's vCenter with virtual machines that nobody starts: a process of its own, run once for the bench."""

from __future__ import annotations

import sys

from goldsmith.vcenter.places import locate
from goldsmith.wiring import Session


def main(count: int) -> int:
    """Create *count* small machines without a disk in the lab."""
    from goldsmith.vcenter.sdk import vim

    session = Session.here()
    effective = session.effective(site="lab", image="")
    site = effective.site
    with session.connect(site, session.credentials(effective)) as client:
        places = locate(client, site.placement)
        folder = client._object(vim.Folder, places.folder.ref)
        pool = client._object(vim.ResourcePool, places.pool.ref)
        files = vim.vm.FileInfo(vmPathName=f"[{site.placement.datastore}]")
        specs = (
            vim.vm.ConfigSpec(name=f"bench-{number:05d}", files=files, numCPUs=1, memoryMB=128, guestId="otherGuest")
            for number in range(count)
        )
        *_, last = [folder.CreateVM_Task(config=spec, pool=pool) for spec in specs]
        client._collector.finish(last)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
