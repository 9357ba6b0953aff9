#!/bin/sh
# The first program in a node's namespaces: gives it a /sys, /run, /var/lib and /var/log of its own,
# then becomes the process that all others of the node live under.
# cell-init.sh <node's name> <node's folder> <pause program>
set -eu
hostname "$1"
# /sys of this network namespace; the cgroups stay those of the machine.
mount --rbind /sys/fs/cgroup "$2/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$2/cgroup" /sys/fs/cgroup
umount -l "$2/cgroup"
mount -t tmpfs -o mode=755,size=64m tmpfs /run
mkdir -p /run/netns /run/lock
mount --bind "$2/lib" /var/lib
mount --bind "$2/log" /var/log
# kubelet sets these for the whole machine unless it finds them set.
while read -r name value; do
  file="$2/sysctl/$name"
  echo "$value" >"$file"
  mount --bind "$file" "/proc/sys/$(echo "$name" | tr . /)"
done <<EOF
vm.overcommit_memory 1
vm.panic_on_oom 0
kernel.panic 10
kernel.panic_on_oops 1
kernel.keys.root_maxkeys 1000000
kernel.keys.root_maxbytes 25000000
EOF
# As on a node of its own; the group of mounts ends with this namespace.
mount --make-rshared /
touch "$2/cell.ready"
exec "$3"
