# Runs inside a fresh base image; its arguments are the users to make.
# What tells one host from another is written when a host is made, so nothing of it stays in the image.
rm -f /etc/ssh/ssh_host_* /etc/apt/apt.conf.d/99mmdebstrap /etc/resolv.conf /etc/hostname
: >/etc/resolv.conf
: >/etc/machine-id

# A host that answers on its ssh port also lets users in: before this, only root may log in while it boots.
mkdir -p /etc/systemd/system/ssh.service.d /etc/uv
printf '[Unit]\nAfter=systemd-user-sessions.service\n' >/etc/systemd/system/ssh.service.d/lab.conf
printf 'PasswordAuthentication no\nUseDNS no\n' >/etc/ssh/sshd_config.d/lab.conf

for user; do
    useradd --create-home --shell /bin/bash "$user"
    install -d -m 700 -o "$user" -g "$user" "/home/$user/.ssh"
done
install -d -m 700 /root/.ssh
echo LANG=C.UTF-8 >/etc/default/locale
if [ -d /etc/sudoers.d ]; then
    echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
    chmod 440 /etc/sudoers.d/admin
fi
if command -v update-ca-certificates >/dev/null; then
    update-ca-certificates >/dev/null
fi
echo 'A disposable host of the lab; it makes no lab of its own.' >/etc/crmlab
