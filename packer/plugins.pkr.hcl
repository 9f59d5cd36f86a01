# The plugin is installed in the toolbox image with its checksum; nothing is downloaded at build time.
# Exactly this version: its messages are read by goldsmith/tools/packer.py, its silent
# fallbacks are what goldsmith/vcenter/preflight.py refuses beforehand.
packer {
  required_version = ">= 1.16.0"

  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = "= 1.4.2"
    }
  }
}
