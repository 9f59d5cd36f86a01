#!/bin/sh
# Makes a running base ready to be cloned: the last thing that runs on it, as root, over
# the SSH connection that is open. A new login with the build's key is refused afterwards;
# sudo and shutdown over the open connection still work.
set -eu
say() { printf 'clone-ready: %s\n' "$*"; }

say "the installer's copies of the answers"
rm -rf /var/log/installer /var/lib/cdebconf /var/tmp/goldsmith
rm -rf /var/lib/debconf/preseed* /var/cache/debconf/*-old

say "network: no card's name, no lease"
if [ -f /etc/network/interfaces ]; then
    # cloud-init writes the clone's own card to interfaces.d.
    cat > /etc/network/interfaces << 'END'
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback
END
fi
rm -f /etc/network/interfaces.d/50-cloud-init /etc/udev/rules.d/70-persistent-net.rules
rm -rf /var/lib/dhcp/* /var/lib/dhcpcd/* /var/lib/systemd/network/* /var/lib/NetworkManager/*lease*

say "cloud-init begins anew"
cloud-init clean --logs --seed
rm -f /etc/cloud/cloud-init.disabled /etc/cloud/ds-identify.cfg
rm -f /etc/cloud/cloud.cfg.d/99-installer.cfg /etc/cloud/cloud.cfg.d/90-installer-network.cfg

say "keys of builds; the operators' own stay"
for file in /home/*/.ssh/authorized_keys /root/.ssh/authorized_keys; do
    [ ! -f "$file" ] || sed -i '/ goldsmith-build-[A-Za-z0-9-]*$/d' "$file"
done

say "history"
rm -f /home/*/.bash_history /root/.bash_history /home/*/.sudo_as_admin_successful
rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret

say "identity"
systemctl is-enabled --quiet ssh-hostkeys.service || { say "nobody would make new SSH host keys"; exit 1; }
rm -f /etc/ssh/ssh_host_*
# Empty, not "uninitialized": systemd makes an id at the next boot, and applies no presets.
: > /etc/machine-id
if [ -e /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then
    ln -sf /etc/machine-id /var/lib/dbus/machine-id
fi
sync
say "done"
