# Phase 1: a plain operating system, installed unattended from the ISO.
#
# Nothing is typed (boot_command) or served (http_directory): the answers are on the boot medium, on a second CD-ROM, on a
# floppy, or in settings of the machine, as its installer reads them. Nothing is replaced (-force): every build has a name
# of its own.

variable "guest_os_type" {
  type        = string
  description = "vSphere's guest identifier, such as debian12_64Guest."
  default     = ""
}

variable "cpus" {
  type        = number
  description = "Virtual CPUs, without limit or reservation."
  default     = 2
}

variable "memory_mib" {
  type        = number
  description = "Memory in MiB."
  default     = 4096
}

variable "disk_mib" {
  type        = number
  description = "Size of the thin disk in MiB."
  default     = 51200
}

variable "network_card" {
  type        = string
  description = "Type of the one network card."
  default     = "vmxnet3"
}

variable "firmware" {
  type        = string
  description = "What the machine boots with: bios, efi or efi-secure."
  default     = "efi-secure"

  validation {
    condition     = contains(["bios", "efi", "efi-secure"], var.firmware)
    error_message = "The firmware is bios, efi or efi-secure."
  }
}

variable "boot_order" {
  type        = string
  description = "An empty disk does not boot, so the first boot falls through to the CD-ROM and the later ones do not."
  default     = "disk,cdrom"
}

variable "finish_script" {
  type        = string
  description = "POSIX shell script that runs last, as root: it makes the guest ready to be cloned."
  default     = ""
}

variable "iso_paths" {
  type        = list(string)
  description = "CD-ROMs, [datastore] folder/name: the boot medium, then the answers where they are on a CD-ROM of their own."
  default     = []
}

variable "floppy_img_path" {
  type        = string
  description = "Floppy image with the answers, [datastore] folder/name; empty where they are elsewhere."
  default     = ""
}

variable "configuration_parameters" {
  type        = map(string)
  description = "Settings with the answers (guestinfo.*). Secret: set PKR_VAR_configuration_parameters, never write them into a file."
  default     = {}
  sensitive   = true
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

  iso_paths    = var.iso_paths
  remove_cdrom = true

  configuration_parameters = var.configuration_parameters

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

  # Clones inherit settings: those that held answers are emptied while the machine still runs.
  provisioner "shell-local" {
    name            = "empty guestinfo"
    execute_command = local.run
    environment_vars = [
      "GOVC_URL=${var.vcenter_server}", "GOVC_DATACENTER=${var.datacenter}",
      "GOVC_PERSIST_SESSION=false", "GOVC_INSECURE=false", "MACHINE=${var.folder == "" ? "" : "${var.folder}/"}${var.vm_name}",
    ]
    inline = [
      length(var.configuration_parameters) == 0 ? "true" :
      "govc vm.change -vm \"/$GOVC_DATACENTER/vm/$MACHINE\" ${join(" ", [for name in keys(var.configuration_parameters) : "-e ${name}="])}",
    ]
  }

  provisioner "shell" {
    script = var.finish_script
    # Through sh rather than by its mode: hardened guests mount /tmp with noexec.
    execute_command = "${local.as_root} sh '{{ .Path }}'"
  }
}
