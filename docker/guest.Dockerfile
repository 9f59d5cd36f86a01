# The lab's guest before its installer ran: what Debian's installer leaves on a disk, without kernel and
# boot loader, from the files that docker/lock.json names. No base image, and no RUN has network.

FROM scratch AS seed
ADD seed.tar /

FROM seed AS rootfs
# The day on which a password was last changed is this one, and not the day of the build.
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,source=debs,target=/in/debs \
    --mount=type=bind,source=rootfs.sh,target=/in/rootfs.sh \
    --mount=type=bind,source=exclude.cfg,target=/in/exclude.cfg \
    ["/usr/bin/env", "KEEP_CACHE=debconf", "/bin/sh", "/in/rootfs.sh"]

FROM rootfs AS assemble
ARG SOURCE_DATE_EPOCH
RUN --network=none --mount=type=bind,source=finish.sh,target=/in/finish.sh <<'SH'
set -eu
# What a machine makes for itself when it first starts.
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed
# Nobody has set a password for root yet; rootfs.sh had to begin with a passwd of its own.
usermod --password '*' root
# The lab's sign of a disk that nothing was installed on.
: > /lab-blank-disk
mkdir -p /lab /vmfs/volumes
sh /in/finish.sh
SH

FROM scratch AS lab-guest
COPY --from=assemble / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin container=docker
ARG GOLDSMITH_HASH
LABEL goldsmith=1 goldsmith.image=lab-guest goldsmith.hash=$GOLDSMITH_HASH
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/lab/init"]
