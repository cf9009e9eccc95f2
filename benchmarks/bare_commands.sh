#!/bin/sh
# Creme CRM 2.7.13 by hand on a bare Debian, as its manual does it: the reference of the measure bare_up.
# Prints "mark NAME SECONDS-SINCE-1970" at its milestones. It is thrown away with the machine it runs on: nothing here is
# hardened, supervised or backed up, but for the last part, which does once by hand what bin/up does after the installation.
# Usage: bare_commands.sh PORT-OF-NGINX PORT-OF-GUNICORN
set -eu

site_port=$1 web_port=$2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
. "$(dirname "$0")/creme_by_hand.sh"

mark begin

# Debian packages. No package may start a service itself: the machine's ports are shared with the one it runs on.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get -q -y update
apt-get -q -y install --no-install-recommends \
    ca-certificates gettext libmagic1 libpq5 nginx postgresql procps python3 python3-venv
cd /
mark packages

# Database
version=$(pg_lsclusters -h | awk '{print $1; exit}')
database_port=$(pg_lsclusters -h | awk '{print $3; exit}')
pg_ctlcluster "$version" main start
make_database

# Product
make_user
python3 -m venv $base/venv
$base/venv/bin/pip install --quiet --disable-pip-version-check 'creme-crm[pgsql]==2.7.13' gunicorn
mark product
write_site "http://127.0.0.1:$site_port"
fill_database
mark tables

# Services
as_creme gunicorn --no-control-socket --workers 2 --bind "127.0.0.1:$web_port" crmsite.wsgi:application >/var/log/creme-web.log 2>&1 &
as_creme creme creme_job_manager >/var/log/creme-jobs.log 2>&1 &
rm -f /etc/nginx/sites-enabled/default
write_proxy "127.0.0.1:$site_port" "$web_port"
nginx
await_login "http://127.0.0.1:$site_port"
mark serving

# What bin/up does beyond: a backup of database and files, proven by a restore beside the live database.
install -d -o postgres /srv/backup
runuser -u postgres -- pg_dump -p "$database_port" -Fc -f /srv/backup/creme.dump creme
tar -C $base -cf /srv/backup/upload.tar upload
sql postgres "create database creme_proof owner creme"
runuser -u postgres -- pg_restore -p "$database_port" --no-owner --role=creme --exit-on-error -d creme_proof /srv/backup/creme.dump
mkdir /srv/proof
tar -C /srv/proof -xf /srv/backup/upload.tar
query="select count(*) from persons_contact"
[ "$(sql creme "$query")" = "$(sql creme_proof "$query")" ]
mark proven
