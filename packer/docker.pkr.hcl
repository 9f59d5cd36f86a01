# Phase 2: a Docker host, made of a clone of phase 1's template by the playbooks in ansible/.
#
# The build's key reaches the clone through guestinfo, which cloud-init reads, as with any operator's
# clone. Clones inherit guestinfo, so it is emptied while the machine still runs.

variable "source_template" {
  type        = string
  description = "Inventory path of the base template; goldsmith looks for the newest with the right key and a snapshot."
  default     = ""
}

variable "linked_clone" {
  type        = bool
  description = "A linked clone shares the base's disk; a full one is independent, for release."
  default     = true
}

variable "guestinfo" {
  type        = map(string)
  description = "guestinfo of the clone without the prefix: metadata, userdata and their encodings. No secret: it holds a public key."
  default     = {}
}

variable "data_disk_mib" {
  type        = number
  description = "Size of the thin disk for images and containers in MiB."
  default     = 20480
}

variable "ansible_variables" {
  type        = string
  description = "JSON file with the playbooks' variables, relative to the repository."
  default     = ""
}

variable "results" {
  type        = string
  description = "Folder for inventory.json, not-applied.json and seal.json, relative to the repository."
  default     = ""
}

locals {
  # The playbooks need no vCenter; plain SSH with the connection kept open is faster than through Packer.
  playbook = join(" ", [
    "env -u PKR_VAR_vcenter_password -u GOVC_USERNAME -u GOVC_PASSWORD ansible-playbook",
    "--inventory \"$GUEST,\" --user \"$GUEST_USER\" --private-key \"$GUEST_KEY\" --extra-vars \"@$VARIABLES\"",
    "--extra-vars \"guest_inventory_to=$PWD/$RESULTS guest_seal_report_to=$PWD/$RESULTS/seal.json\"",
  ])
}

source "vsphere-clone" "docker" {
  vcenter_server      = var.vcenter_server
  username            = var.vcenter_user
  password            = var.vcenter_password
  insecure_connection = false

  datacenter    = var.datacenter
  cluster       = var.cluster
  datastore     = var.datastore
  folder        = var.folder
  resource_pool = var.resource_pool
  network       = var.network

  template     = var.source_template
  linked_clone = var.linked_clone
  vm_name      = var.vm_name
  notes        = var.note

  disk_controller_type = [var.disk_controller]
  storage {
    disk_size             = var.data_disk_mib
    disk_thin_provisioned = true
  }

  configuration_parameters = { for name, value in var.guestinfo : "guestinfo.${name}" => value }

  ip_wait_timeout   = var.ip_wait_timeout
  ip_settle_timeout = var.ip_settle_timeout

  communicator         = "ssh"
  ssh_username         = var.ssh_user
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = var.ssh_timeout
  # cloud-init puts the key in place moments after sshd answers.
  ssh_handshake_attempts = 20

  shutdown_command = "${local.as_root} shutdown -P now"
  shutdown_timeout = var.shutdown_timeout

  # The snapshot is what linked clones hang on.
  create_snapshot     = true
  snapshot_name       = "goldsmith"
  convert_to_template = true
}

build {
  name    = "docker"
  sources = ["source.vsphere-clone.docker"]

  provisioner "shell-local" {
    name            = "provision"
    execute_command = local.run
    environment_vars = [
      "ANSIBLE_CONFIG=ansible/ansible.cfg", "ANSIBLE_HOME=/tmp/ansible", "ANSIBLE_NOCOLOR=1",
      "GUEST=${build.Host}", "GUEST_USER=${var.ssh_user}", "GUEST_KEY=${var.ssh_private_key_file}",
      "VARIABLES=${var.ansible_variables}", "RESULTS=${var.results}",
    ]
    inline = ["mkdir -p \"$RESULTS\"", "${local.playbook} ansible/provision.yml"]
  }

  provisioner "shell-local" {
    name            = "empty guestinfo"
    execute_command = local.run
    environment_vars = [
      "GOVC_URL=${var.vcenter_server}", "GOVC_DATACENTER=${var.datacenter}",
      "GOVC_PERSIST_SESSION=false", "GOVC_INSECURE=false", "MACHINE=${var.folder == "" ? "" : "${var.folder}/"}${var.vm_name}",
    ]
    inline = [
      "govc vm.change -vm \"/$GOVC_DATACENTER/vm/$MACHINE\" ${join(" ", [for name in keys(var.guestinfo) : "-e guestinfo.${name}="])}",
    ]
  }

  # Last: afterwards only connections that are already open get in with the build's key.
  provisioner "shell-local" {
    name            = "seal"
    execute_command = local.run
    environment_vars = [
      "ANSIBLE_CONFIG=ansible/ansible.cfg", "ANSIBLE_HOME=/tmp/ansible", "ANSIBLE_NOCOLOR=1",
      "GUEST=${build.Host}", "GUEST_USER=${var.ssh_user}", "GUEST_KEY=${var.ssh_private_key_file}",
      "VARIABLES=${var.ansible_variables}", "RESULTS=${var.results}",
    ]
    inline = ["${local.playbook} ansible/seal.yml"]
  }
}
