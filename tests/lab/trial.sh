# Does in namespaces of its own, in the folder $1, what a lab does; ends well where there can be a lab.
set -eu
cd "$1"
mkdir lower upper work root
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link add crmlabtry type bridge
