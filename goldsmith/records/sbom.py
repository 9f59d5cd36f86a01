"""The guest's packages as a CycloneDX 1.6 document."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_NAMESPACE = uuid.UUID("6f1c9d1e-1f0a-5c55-9a53-8f0b6d5f7c11")


def prepare() -> None:
    """Import what rendering takes: half a second, which a verification spends while its clones boot."""
    import packageurl  # noqa: F401 - imported to be there


def render(inventory: Mapping[str, Any], *, name: str, version: str, made: datetime, purl_type: str) -> str:
    """Return the document; the same for the same inventory, name, *version* (the build's id) and time.

    *purl_type* is the packages' type in package URLs (https://github.com/package-url/purl-spec).
    """
    # A quarter of a second to import: only a finished build pays for it.
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    system = inventory.get("os", {})
    distribution = system.get("ID", "").strip('"')
    release = system.get("VERSION_ID", "").strip('"')
    components = []
    for row in inventory["packages"]:
        qualifiers = {"arch": row["architecture"], "distro": f"{distribution}-{release}"}
        if row.get("source") and (row["source"], row["source_version"]) != (row["name"], row["version"]):
            qualifiers["upstream"] = f"{row['source']}@{quote(row['source_version'], safe='')}"
        url = PackageURL(purl_type, distribution, row["name"], row["version"], qualifiers)
        components.append(
            Component(
                type=ComponentType.LIBRARY,
                name=row["name"],
                version=row["version"],
                purl=url,
                bom_ref=url.to_string(),
            )
        )
    about = Component(type=ComponentType.OPERATING_SYSTEM, name=name, version=version, bom_ref=f"{name}@{version}")
    bom = Bom(
        components=components,
        metadata=BomMetaData(component=about, timestamp=made),
        serial_number=uuid.uuid5(_NAMESPACE, f"{name}@{version}"),
    )
    bom.register_dependency(about, components)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"
