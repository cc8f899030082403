# Puts our configuration over the system's, for one command only (vgetty-client.md 2).
mount --bind "$1/voice.conf" /etc/mgetty/voice.conf
mount --bind "$1/mgetty.config" /etc/mgetty/mgetty.config
mount --bind "$1/log" /var/log/mgetty
mount --bind "$1/lock" /var/lock
shift
exec "$@"
