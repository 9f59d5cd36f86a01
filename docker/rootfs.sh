#!/bin/sh
# Runs inside the seed (the Essential packages' files, unpacked and not configured), without network:
# lets dpkg own every file, then removes what differs from build to build.
#   /in/debs         all packages of the root
#   /in/exclude.cfg  what dpkg leaves out while this runs (an empty file: nothing)
set -eu
umask 022
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C.UTF-8 PYTHONHASHSEED=0

mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /etc/dpkg/dpkg.cfg.d
: > /var/lib/dpkg/status
: > /var/lib/dpkg/available
cp /in/exclude.cfg /etc/dpkg/dpkg.cfg.d/goldsmith-exclude
printf 'force-unsafe-io\nno-debsig\n' > /etc/dpkg/dpkg.cfg.d/goldsmith-build

# Maintainer scripts name users and awk before the packages that bring them are configured.
printf 'root:x:0:0:root:/root:/bin/sh\n' > /etc/passwd
printf 'root:x:0:\nmail:x:8:\nutmp:x:43:\n' > /etc/group
ln -sf mawk /usr/bin/awk
# No service is started while packages are configured.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

log=$(mktemp)
{
  dpkg --force-depends --install /in/debs/base-passwd_*.deb /in/debs/base-files_*.deb &&
    rm -f /usr/bin/awk &&
    dpkg --force-depends --unpack /in/debs/*.deb &&
    dpkg --configure -a
} > "$log" 2>&1 || {
  tail -n 40 "$log"
  exit 1
}

rm -f "$log" /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/goldsmith-build
[ -s /in/exclude.cfg ] || rm -f /etc/dpkg/dpkg.cfg.d/goldsmith-exclude
# Logs, caches, backups and locks: none is needed, each has times or numbers of its own.
# Except for debconf's, in an image whose packages are configured again later ($KEEP_CACHE).
find /var/cache -mindepth 1 -maxdepth 1 ! -name "${KEEP_CACHE:-}" -exec rm -rf {} +
rm -rf /var/log/* /var/cache/debconf/*-old /tmp/* /var/tmp/* /run/*
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid- /etc/.pwd.lock
rm -f /etc/passwd.org /etc/group.org
rm -f /var/lib/dpkg/*-old /var/lib/dpkg/available /var/lib/dpkg/lock* /var/lib/dpkg/triggers/Lock
mkdir -p /var/log /var/cache/apt/archives/partial /var/lib/apt/lists/partial
