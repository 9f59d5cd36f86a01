#!/bin/sh
# Runs in the installer at the end of the installation: /goldsmith lies in its initrd,
# the new system at /target. A failure stops the installation with a message.
set -eu
here=/goldsmith
there=/target/var/tmp/goldsmith

rm -rf "$there"
mkdir -p "$there"
chmod 0700 "$there"
cp -R "$here/." "$there/"
status=0
in-target sh /var/tmp/goldsmith/inside.sh || status=$?
rm -rf "$there"
exit "$status"
