# Every value comes from build/<build id>/packer/<phase>.pkrvars.json, which goldsmith writes from the
# site and the image; only the password comes from the environment (PKR_VAR_vcenter_password).
# Reference: docs/reference/packer.md.

# -- the site ---------------------------------------------------------------------------------

variable "vcenter_server" {
  type        = string
  description = "Host name of the vCenter, with :port where it is not 443."
}

variable "vcenter_user" {
  type        = string
  description = "Who builds; needs what docs/reference/privileges.md lists."
}

variable "vcenter_password" {
  type        = string
  description = "Set PKR_VAR_vcenter_password; never write it into a file."
  sensitive   = true
}

variable "datacenter" {
  type        = string
  description = "Name of the datacenter."
}

variable "cluster" {
  type        = string
  description = "Path of the cluster below the datacenter's host folder."
}

variable "datastore" {
  type        = string
  description = "Datastore of the virtual machine."
}

variable "folder" {
  type        = string
  description = "VM folder below the datacenter's; empty is that folder itself. It must exist: the plugin would create it."
}

variable "network" {
  type        = string
  description = "Inventory path of the network, /<datacenter>/network/<network>: a bare name can be ambiguous."

  validation {
    condition     = startswith(var.network, "/")
    error_message = "The network is an inventory path: /<datacenter>/network/<network>."
  }
}

variable "resource_pool" {
  type        = string
  description = "Resource pool below the cluster; empty is the cluster's own."
}

# -- the image --------------------------------------------------------------------------------

variable "disk_controller" {
  type        = string
  description = "Controller of the disk."
  default     = "pvscsi"
}

# -- this build -------------------------------------------------------------------------------

variable "vm_name" {
  type        = string
  description = "Name of the machine and of the template: <image>-<phase>-<build id>."

  validation {
    condition     = length(var.vm_name) <= 80
    error_message = "A name has at most 80 characters."
  }
}

variable "note" {
  type        = string
  description = "Note of the machine from its first moment; its marker names the build, so that clean finds what a killed run left."
}

variable "ssh_user" {
  type        = string
  description = "The user the answers create; it may use sudo without a password."
  default     = "automationuser"
}

variable "ssh_private_key_file" {
  type        = string
  description = "Private half of the build's own key."
}

variable "ip_wait_timeout" {
  type        = string
  description = "How long the installation may take: the address is reported by the installed system."
  default     = "60m"
}

variable "ip_settle_timeout" {
  type        = string
  description = "How long the address must stay the same."
  default     = "2s"
}

variable "ssh_timeout" {
  type        = string
  description = "How long SSH may take to answer after an address is known (some installers report one long before)."
  default     = "60m"
}

variable "shutdown_timeout" {
  type        = string
  description = "How long the guest may take to shut down."
  default     = "10m"
}

# -- how scripts are run ------------------------------------------------------------------------

locals {
  # sudo -n fails at once where a password would be asked for, instead of waiting for one.
  as_root = "sudo -n"
  # The folder of a local script may be mounted with noexec.
  run = ["/bin/sh", "-c", "{{.Vars}} /bin/sh -eu {{.Script}}"]
}
