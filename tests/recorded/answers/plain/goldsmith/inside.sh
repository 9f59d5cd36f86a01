#!/bin/sh
# Runs in the new system, chrooted, before its first boot. Everything it takes lies in
# this folder: root/ is laid over the system, authorized_keys goes to the account.
set -eu
umask 022
# The installer's locale does not exist here yet, and every program would say so.
export LC_ALL=C
here=/var/tmp/goldsmith
account=automationuser

fail() {
    echo "goldsmith: $*" >&2
    exit 1
}

put() { # MODE PATH: from root/, owned by root
    install -D -o root -g root -m "$1" "$here/root/$2" "/$2"
}

echo "goldsmith: when, for whoever finds this machine"
date -u +%Y-%m-%dT%H:%M:%SZ > /etc/goldsmith-install-date

echo "goldsmith: languages"
generated() { # locale(1) writes the encoding as utf8
    locale -a | grep -qxF "${1%.UTF-8}.utf8"
}
locales="en_US.UTF-8 da_DK.UTF-8"
for locale in $locales; do
    grep -qxF "$locale UTF-8" /etc/locale.gen || echo "$locale UTF-8" >> /etc/locale.gen
done
for locale in $locales; do
    generated "$locale" || locale-gen
    generated "$locale" || fail "the locale $locale does not exist in this release"
done
update-locale LANG=en_US.UTF-8
if [ -f /etc/default/keyboard ]; then
    sed -i 's/^XKBLAYOUT=.*/XKBLAYOUT="dk"/' /etc/default/keyboard
fi

echo "goldsmith: sudo and keys of $account"
put 0440 etc/sudoers.d/goldsmith
visudo -cq || fail "visudo refuses the sudo rules"
home=$(getent passwd "$account" | cut -d: -f6)
[ -n "$home" ] || fail "the account $account does not exist"
group=$(id -gn "$account")
install -d -o "$account" -g "$group" -m 0700 "$home/.ssh"
install -o "$account" -g "$group" -m 0600 "$here/authorized_keys" "$home/.ssh/authorized_keys"

echo "goldsmith: no floppy drive, whatever the firmware announces"
put 0644 etc/modprobe.d/goldsmith.conf

echo "goldsmith: first boot and host keys"
put 0644 etc/systemd/system/goldsmith-first-boot.service
put 0644 etc/systemd/system/ssh-hostkeys.service
put 0755 etc/rc.install
systemctl enable goldsmith-first-boot.service ssh-hostkeys.service

echo "goldsmith: cloud-init, for the clones"
put 0644 etc/cloud/cloud.cfg.d/90-goldsmith.cfg
# VMware Tools look for this word in this very file, not in cloud.cfg.d.
sed -i '/^disable_vmware_customization:/d' /etc/cloud/cloud.cfg
echo 'disable_vmware_customization: false' >> /etc/cloud/cloud.cfg
# It sleeps until clone-ready wakes it: the base itself is nobody's clone.
touch /etc/cloud/cloud-init.disabled
echo "goldsmith: done"
