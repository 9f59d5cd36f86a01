# Phase 1: a plain operating system, installed unattended from the ISO.
#
# Nothing is typed (boot_command) or served (http_directory): the boot medium brings the answers, or
# - for installers of old - a floppy that goldsmith made. Nothing is replaced (-force): every build has a name of its own.

locals {
  iso = "[${var.iso_datastore}] ${var.iso_path}"
  # sudo -n fails at once where a password would be asked for, instead of waiting for one.
  as_root = "sudo -n"
}

source "vsphere-iso" "base" {
  vcenter_server      = var.vcenter_server
  username            = var.vcenter_user
  password            = var.vcenter_password
  insecure_connection = false

  datacenter    = var.datacenter
  cluster       = var.cluster
  datastore     = var.datastore
  folder        = var.folder
  resource_pool = var.resource_pool

  vm_name       = var.vm_name
  notes         = var.note
  guest_os_type = var.guest_os_type
  firmware      = var.firmware

  CPUs                 = var.cpus
  RAM                  = var.memory_mib
  disk_controller_type = [var.disk_controller]

  storage {
    disk_size             = var.disk_mib
    disk_thin_provisioned = true
  }

  network_adapters {
    network      = var.network
    network_card = var.network_card
  }

  iso_paths    = [local.iso]
  remove_cdrom = true
  # Null is no drive at all. Packer takes the drive out before it makes the template; goldsmith deletes the image.
  floppy_img_path = var.floppy_img_path == "" ? null : var.floppy_img_path
  # Explicit, because an unset order is cleared at the very end, on what is a template by then.
  boot_order = var.boot_order

  ip_wait_timeout   = var.ip_wait_timeout
  ip_settle_timeout = var.ip_settle_timeout

  communicator         = "ssh"
  ssh_username         = var.ssh_user
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = var.ssh_timeout
  # The key may be put in place by the first boot, moments after sshd answers.
  ssh_handshake_attempts = 20

  shutdown_command = "${local.as_root} shutdown -P now"
  shutdown_timeout = var.shutdown_timeout

  # The snapshot is what linked clones hang on.
  create_snapshot     = true
  snapshot_name       = "goldsmith"
  convert_to_template = true
}

build {
  name    = "base"
  sources = ["source.vsphere-iso.base"]

  provisioner "shell" {
    script = var.finish_script
    # Through sh rather than by its mode: hardened guests mount /tmp with noexec.
    execute_command = "${local.as_root} sh '{{ .Path }}'"
  }
}
