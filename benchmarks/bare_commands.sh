#!/bin/sh
# Creme CRM 2.7.13 by hand on a bare Debian, as its manual does it: the reference of the measure bare_up.
# Prints "mark NAME SECONDS-SINCE-1970" at its milestones. It is thrown away with the machine it runs on: nothing here is
# hardened, supervised or backed up, but for the last part, which does once by hand what bin/up does after the installation.
# Usage: bare_commands.sh PORT-OF-NGINX PORT-OF-GUNICORN
set -eu

site_port=$1 web_port=$2
base=/srv/creme
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

mark() {
    echo "mark $1 $(date +%s.%N)"
}

as_creme() {
    runuser -u creme -- env HOME=$base PYTHONPATH=$base/site DJANGO_SETTINGS_MODULE=crmsite.settings PATH="$base/venv/bin:$PATH" "$@"
}

sql() { # DATABASE QUERY
    runuser -u postgres -- psql -X -p "$database_port" -d "$1" -Atc "$2"
}

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
sql postgres "create role creme login"
sql postgres "create database creme owner creme"

# Product
useradd --system --create-home --home-dir $base --shell /usr/sbin/nologin creme
chmod 755 $base
python3 -m venv $base/venv
$base/venv/bin/pip install --quiet --disable-pip-version-check 'creme-crm[pgsql]==2.7.13' gunicorn
mark product
install -d -o creme -g creme $base/site $base/site/crmsite $base/upload $base/static $base/run
cat >$base/site/crmsite/settings.py <<SETTINGS
from creme.settings import *
SECRET_KEY = "$(head -c 32 /dev/urandom | base64)"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
SITE_DOMAIN = "http://127.0.0.1:$site_port"
LANGUAGE_CODE, TIME_ZONE = "en", "UTC"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "creme",
        "USER": "creme",
        "HOST": "/var/run/postgresql",
        "PORT": "$database_port",
    }
}
MEDIA_ROOT, STATIC_ROOT, PRODUCTION_MEDIA_URL = "$base/upload", "$base/static", "/static_media/"
GENERATED_MEDIA_NAMES_FILE = "$base/site/_generated_media_names.py"
GENERATED_MEDIA_NAMES_MODULE = "_generated_media_names"
JOBMANAGER_BROKER = "unix_socket://$base/run"
SETTINGS
cat >$base/site/crmsite/wsgi.py <<'WSGI'
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
WSGI
cd $base
as_creme creme migrate --noinput
as_creme creme creme_populate
as_creme creme generatemedia
mark tables

# Services
as_creme gunicorn --no-control-socket --workers 2 --bind "127.0.0.1:$web_port" crmsite.wsgi:application >/var/log/creme-web.log 2>&1 &
as_creme creme creme_job_manager >/var/log/creme-jobs.log 2>&1 &
rm -f /etc/nginx/sites-enabled/default
cat >/etc/nginx/conf.d/creme.conf <<NGINX
server {
    listen 127.0.0.1:$site_port;
    location /static_media/ { alias $base/static/; }
    location / {
        proxy_pass http://127.0.0.1:$web_port;
        proxy_set_header Host \$http_host;
    }
}
NGINX
nginx

python3 - "http://127.0.0.1:$site_port/creme_login/" <<'PYTHON'
import sys, time, urllib.request
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
deadline = time.monotonic() + 120
while True:
    try:
        with direct.open(sys.argv[1], timeout=30) as answer:
            if answer.status == 200 and b"csrfmiddlewaretoken" in answer.read():
                break
    except OSError:
        pass
    if time.monotonic() > deadline:
        sys.exit("the login page does not answer")
    time.sleep(0.1)
PYTHON
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
