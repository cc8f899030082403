#!/bin/bash
# Boot the container: boot.sh LAYERS WORK TREE WHEELS. Runs in a mount namespace of its own, as root.
#   LAYERS are folders that make a Debian root and are never written, the topmost first, with colons between them;
#   WORK is an empty folder, TREE the sources, WHEELS what pip installs from.
set -eu
layers=$1 work=$2 tree=$3 wheels=$4
mkdir -p "$work"/{upper,work,root,host}
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$layers,upperdir=$work/upper,workdir=$work/work" "$work/root"
mkdir -p "$work/root/mnt/tree" "$work/root/mnt/wheels"
mount --bind "$tree" "$work/root/mnt/tree"
mount --bind "$wheels" "$work/root/mnt/wheels"
mount -t proc proc "$work/root/proc"
if [ "${5:-}" = layer ]; then
    # Only what the package depends on: kept as a layer of its own, as it takes the most time and changes least.
    chroot "$work/root" python3 -m venv /opt/linekeeper
    chroot "$work/root" /opt/linekeeper/bin/pip install --quiet --no-index --find-links /mnt/wheels 'linekeeper[speech,gpio]'
    chroot "$work/root" /opt/linekeeper/bin/pip uninstall --quiet --yes linekeeper
    exit 0
fi
WHEELS=/mnt/wheels chroot "$work/root" /mnt/tree/scripts/install
cp -r "$work/etc" "$work/root/"
umount "$work/root/proc" "$work/root/mnt/tree" "$work/root/mnt/wheels"
# systemd-nspawn pivots its root, which it cannot where the root file system is the kernel's first one: so pivot first.
mount --rbind / "$work/host"
cd "$work/host"
pivot_root . ".$work/work"
umount -l "$work/work"
# bpf is what device and address lists are made of; without its own cgroup tree they would not be enforced.
exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$work/root" --register=no --keep-unit \
    --private-network --capability=CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON --system-call-filter=bpf --boot
