#!/usr/bin/env bash
# Keeps one lab host running from power-on to power-off. Its network, its disk's mount and its cgroup tree live in namespaces
# of this process alone, so killing the group leaves nothing mounted. Told by variables: NAME LINK MAC ADDRESS BRIDGE
# LINK_STATE JOIN (cgroup.procs files to join) LOWER DIRECTORY (the host's own, with disk/ root/ seed/) HOSTS (of all).
set -euo pipefail

if [ "${1:-}" != inside ]; then
    for file in $JOIN; do
        echo $$ >"$file"
    done
    ip link del "$LINK" 2>/dev/null || true # of a host that was killed a moment ago
    ip link add "$LINK" type veth peer name "${LINK}h" address "$MAC"
    ip link set "$LINK" master "$BRIDGE" "$LINK_STATE"
    exec 8</proc/self/ns/net
    exec unshare --mount --net --propagation private -- "${BASH_SOURCE[0]}" inside
fi

nsenter --net=/proc/self/fd/8 ip link set "${LINK}h" netns $$
exec 8<&-
ip link set "${LINK}h" name host0
ip addr add "$ADDRESS/24" dev host0
ip link set host0 up
ip link set lo up

# Disks of other hosts: holding them here would keep them after their end.
awk -v all="$HOSTS/" -v own="$DIRECTORY/" 'index($5, all) == 1 && index($5 "/", own) != 1 { print $5 }' /proc/self/mountinfo |
    while read -r other; do umount -l "$other"; done

mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$DIRECTORY/disk/upper,workdir=$DIRECTORY/disk/work" "$DIRECTORY/root"
if [ -d "$DIRECTORY/seed" ]; then
    tar -C "$DIRECTORY/seed" -c . | tar -C "$DIRECTORY/root" -x --no-overwrite-dir --same-permissions
    rm -r "$DIRECTORY/seed"
fi

# A pure cgroup v2 tree, as on today's servers, even where this machine still has v1 beside it.
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup

rebooted=133
while :; do
    code=0
    # No service manager and no name is registered here: this machine may have no systemd.
    # The network is the own one of this process, so its firewall may be too.
    systemd-nspawn -q -b -D "$DIRECTORY/root" -M "$NAME" --register=no --keep-unit --network-namespace-path=/proc/$$/ns/net \
        --capability=CAP_NET_ADMIN --resolv-conf=off --timezone=off --link-journal=no --console=read-only --kill-signal=SIGRTMIN+4 </dev/null || code=$?
    [ $code = $rebooted ] || exit $code
done
