#!/bin/sh
# Makes a running base ready to be cloned: the last thing that runs on it, as root, over the SSH connection that is
# open. This release has no cloud-init: clones are logged in to with the operators' own keys.
set -eu
say() { printf 'clone-ready: %s\n' "$*"; }

say "the first boot's script has run"
# rc.local removes it, moments after the key is in place.
tries=60
while [ -e /etc/rc.install ] && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 1
done
[ ! -e /etc/rc.install ] || { cat /var/log/rc.install.log; exit 1; }

say "the installer's copies of the answers"
rm -rf /var/log/installer /var/lib/cdebconf /var/lib/debconf/preseed* /var/cache/debconf/*-old

say "no lease, no card's name"
rm -f /etc/udev/rules.d/70-persistent-net.rules
rm -rf /var/lib/dhcp/* /var/lib/systemd/network/*

say "keys of builds; the operators' own stay"
for file in /home/*/.ssh/authorized_keys /root/.ssh/authorized_keys; do
    [ ! -f "$file" ] || sed -i '/ goldsmith-build-[A-Za-z0-9-]*$/d' "$file"
done

say "history"
rm -f /home/*/.bash_history /root/.bash_history /home/*/.sudo_as_admin_successful /var/lib/systemd/random-seed

say "identity"
systemctl is-enabled --quiet ssh-hostkeys.service || { say "nobody would make new SSH host keys"; exit 1; }
rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
if [ -e /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then
    ln -sf /etc/machine-id /var/lib/dbus/machine-id
fi
sync
say "done"
